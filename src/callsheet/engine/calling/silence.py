"""Silence: what stands in where a call has no conversation."""

from __future__ import annotations

from typing import Final

from callsheet.engine.calling.live_call import LiveCall


class Silence:
    """Says nothing: the call ends at once."""

    async def lead(self, live: LiveCall, answered_by: str) -> bool:
        """Leave it at that."""
        del live, answered_by
        return True


SILENCE: Final = Silence()
