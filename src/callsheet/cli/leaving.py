"""Leave: what a command of the engine does when it is told to stop, before it stops: calls may go on to their end."""

from __future__ import annotations

import asyncio

import typer

from callsheet.cli.stopping import Told
from callsheet.engine.conductor import Conductor

SILENT_SECONDS = 1.0
"""Nothing is said of calls that are over so soon."""


async def leave(conductor: Conductor, told: Told, seconds: float) -> None:
    """Contact nobody more, and return when no call goes on, when the time is over, or at the next signal."""
    typer.echo("stopping: what was handed over is waited for")
    if not seconds:
        return
    leaving, again = asyncio.create_task(conductor.leave()), asyncio.create_task(told.again.wait())
    told.waits_for = calls = conductor.switchboard.calls
    try:
        if await _is_enough(leaving, again, SILENT_SECONDS):
            return
        if count := calls():
            typer.echo(_said(count, seconds))
        await _is_enough(leaving, again, seconds)
    finally:
        leaving.cancel()
        again.cancel()
        await asyncio.gather(leaving, again, return_exceptions=True)


async def _is_enough(leaving: asyncio.Task[None], again: asyncio.Task[bool], seconds: float) -> bool:
    done, _ = await asyncio.wait({leaving, again}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    return bool(done)


def _said(count: int, seconds: float) -> str:
    calls = "1 call goes on" if count == 1 else f"{count} calls go on"
    return f"{calls}, for {seconds:g} seconds at most; Ctrl-C or SIGTERM again ends them"
