"""Measure calls: how many, how they end, how long they take to ring and to talk, and who is said to have answered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from callsheet import meters
from callsheet.core.outcome import Outcome
from callsheet.engine.calling.live_call import LiveCall

_HAS_IT: Final = frozenset({"ringing", "early_media", "answered"})
"""The callee's side has the call."""


class CallMeters:
    """Measures the calls of one engine, and passes on what it is told."""

    def __init__(
        self, carrier: str, dialed: Callable[[LiveCall], None], ended: Callable[[LiveCall, Outcome], None]
    ) -> None:
        self._carrier = carrier
        self._dialed = dialed
        self._ended = ended

    def dialed(self, live: LiveCall) -> None:
        """Count a call that was placed, or found again."""
        if _first(live, frozenset({"found"})) is None:
            meters.calls_placed.labels(self._carrier).inc()
        meters.live_calls.labels(self._carrier).inc()
        self._dialed(live)

    def ended(self, live: LiveCall, outcome: Outcome) -> None:
        """Count what came of a call."""
        meters.live_calls.labels(self._carrier).dec()
        meters.calls_ended.labels(outcome.value).inc()
        dialed_at, had_at = _first(live, frozenset({"dialed"})), _first(live, _HAS_IT)
        if dialed_at is not None and had_at is not None and _first(live, frozenset({"found"})) is None:
            meters.call_setup.observe(max(0.0, (had_at - dialed_at).total_seconds()))
        answered_at = _first(live, frozenset({"answered"}))
        if answered_at is not None and live.end is not None:
            meters.call_talk.inc(max(0.0, (live.end.at - answered_at).total_seconds()))
        for verdict in [facts["verdict"] for _, what, facts in live.timeline if what == "detected"]:
            meters.detections.labels(verdict).inc()
        self._ended(live, outcome)


def _first(live: LiveCall, words: frozenset[str]) -> datetime | None:
    return next((at for at, what, _ in live.timeline if what in words), None)
