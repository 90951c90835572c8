"""A single call by the documented call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Unpack

from callsheet.client.call import Call
from callsheet.client.method import Mode, Resource, Single
from callsheet.client.record import Record


class DialoutParts(TypedDict, total=False):
    """What a call may have besides the two numbers, in the documented words."""

    trunk: str
    notifyurl: str
    notifyHeaders: Mapping[str, str]
    timeoutInMs: int
    machineDetection: str
    timers: Mapping[str, int]
    thresholdWordCount: int
    amdEventsSubscription: Sequence[str]
    metadata: Mapping[str, Any]
    callControlParameter: Mapping[str, Any]


class Dialout(Record, rename="camel", frozen=True):
    """A call that is to be placed for certain."""

    sid: str
    """What notices name it by."""
    call_id: str


class Dialouts(Resource[Mode]):
    """Single calls by the documented call."""

    @Single
    def place(self, target: str, caller: str, **more: Unpack[DialoutParts]) -> Call[Dialout]:
        """Call one number. `notifyurl` is told what becomes of the call."""
        body = {"target": target, "caller": caller, **more}
        return Call("POST", "/api/1.1/public/bot/{app}/smartassist/dialout", Dialout, body=body)
