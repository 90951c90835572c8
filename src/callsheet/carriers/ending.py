"""Whose end a cancellation is: our own, or that of something that we wait for."""

from __future__ import annotations

import asyncio


def is_ending() -> bool:
    """Tell whether the task that asks was cancelled itself; a listener that was cancelled ends nobody else."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0
