"""Stop everything, and allow it again."""

from __future__ import annotations

from datetime import datetime

from callsheet.client.call import Call, given
from callsheet.client.method import Mode, Resource, Single
from callsheet.client.record import Record


class SendingState(Record, frozen=True):
    """Whether the app may send; while it is stopped: why, by whom, since when. `paused` runs were paused."""

    stopped: bool
    reason: str | None = None
    by: str | None = None
    since: datetime | None = None
    paused: int = 0


class Sending(Resource[Mode]):
    """Stop everything, and allow it again."""

    @Single
    def stop_all(self, reason: str) -> Call[SendingState]:
        """Stop all that the app sends. Nothing leaves once this has answered."""
        return Call("POST", "/v1/apps/{app}/stop-all", SendingState, body=given(reason=reason))

    @Single
    def get(self) -> Call[SendingState]:
        """Say whether the app may send."""
        return Call("GET", "/v1/apps/{app}/stop-all", SendingState)

    @Single
    def allow(self) -> Call[SendingState]:
        """Allow sending again. Paused runs stay paused until each is resumed."""
        return Call("POST", "/v1/apps/{app}/allow-sending", SendingState)
