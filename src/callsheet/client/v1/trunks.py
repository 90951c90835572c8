"""Trunks: configured accounts with carriers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict, Unpack

from callsheet.client.call import Call
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page, Record
from callsheet.client.v1.allowances import CarrierClass, NewClass
from callsheet.client.v1.campaign_shapes import Finding

_ALL = "/v1/apps/{app}/trunks"
_ONE = "/v1/apps/{app}/trunks/{trunk_id}"


class TrunkParts(TypedDict, total=False):
    """What a trunk may have besides its name and its carrier."""

    settings: Mapping[str, Any]
    takes_any_sender: bool
    carrier_answers_stop: bool | None
    """None, of a new one: as is usual with that carrier."""
    segments_per_second: float | None
    segments_per_day: int | None
    reset_zone: str
    classes: Sequence[NewClass]


class ChangedTrunk(TrunkParts, total=False):
    """What is to change of a trunk."""

    name: str


class Condition(Record, frozen=True):
    """How the line of a trunk stands: closed, connecting, open, throttled or broken."""

    state: str
    why: str
    sessions: int
    in_flight: int
    since: datetime | None


class Breaker(Record, frozen=True):
    """Whether messages are handed to a trunk: closed (they are), open or half_open, and why."""

    state: str
    why: str
    since: datetime | None
    next_try_at: datetime | None


class TestedTrunk(Record, frozen=True):
    """What came of a test call."""

    ok: bool
    said: str
    seconds: float


class TrunkCallbacks(Record, frozen=True):
    """Where a trunk's carrier calls us; empty where it does not."""

    status_url: str
    inbound_url: str


class Trunk(Record, frozen=True):
    """A trunk. Of secrets it names those that are set; condition and breaker are those of the node that answers."""

    id: str
    name: str
    carrier: str
    settings: dict[str, Any]
    secrets_set: tuple[str, ...]
    takes_any_sender: bool
    carrier_answers_stop: bool
    segments_per_second: float | None
    segments_per_day: int | None
    reset_zone: str
    classes: tuple[CarrierClass, ...]
    used_today: int | None
    """Segments of the present day that are reserved; None: no `segments_per_day`."""
    left_today: int | None
    condition: Condition
    breaker: Breaker
    findings: tuple[Finding, ...]
    """What is amiss although it takes messages."""


class Trunks(Resource[Mode]):
    """Trunks: configured accounts with carriers."""

    @Single
    def create(self, name: str, carrier: str, **more: Unpack[TrunkParts]) -> Call[Trunk]:
        """Create a trunk. `settings` are what the carrier wants to know, secrets among it."""
        body = {"name": name, "carrier": carrier, **more}
        return Call("POST", _ALL, Trunk, body=body)

    @Paged
    def list(self) -> Call[Page[Trunk]]:
        """Give the trunks, oldest first."""
        return Call("GET", _ALL, Page[Trunk])

    @Single
    def get(self, trunk_id: str) -> Call[Trunk]:
        """Return a trunk."""
        return Call("GET", _ONE, Trunk, {"trunk_id": trunk_id})

    @Single
    def callbacks(self, trunk_id: str) -> Call[TrunkCallbacks]:
        """Return where a trunk's carrier calls us: `inbound_url` is entered with the carrier."""
        return Call("GET", f"{_ONE}/callbacks", TrunkCallbacks, {"trunk_id": trunk_id})

    @Single
    def change(self, trunk_id: str, **changes: Unpack[ChangedTrunk]) -> Call[Trunk]:
        """Change a trunk. Settings are merged into those of before, and secrets that are not named stay."""
        return Call("PATCH", _ONE, Trunk, {"trunk_id": trunk_id}, body={**changes})

    @Single
    def test(self, trunk_id: str) -> Call[TestedTrunk]:
        """Try whether the stored account works; no message is sent."""
        return Call("POST", f"{_ONE}/test", TestedTrunk, {"trunk_id": trunk_id})

    @Single
    def test_new(self, name: str, carrier: str, **more: Unpack[TrunkParts]) -> Call[TestedTrunk]:
        """Try whether an account works before it is stored; no message is sent."""
        body = {"name": name, "carrier": carrier, **more}
        return Call("POST", f"{_ALL}/test", TestedTrunk, body=body)

    @Single
    def reset(self, trunk_id: str) -> Call[Trunk]:
        """Try a trunk again at once that its breaker has stopped, with one message first."""
        return Call("POST", f"{_ONE}/reset", Trunk, {"trunk_id": trunk_id})

    @Single
    def delete(self, trunk_id: str) -> Call[None]:
        """Delete a trunk that no sender belongs to."""
        return Call("DELETE", _ONE, type(None), {"trunk_id": trunk_id})
