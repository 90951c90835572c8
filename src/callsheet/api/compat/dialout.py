"""A single call: it is placed through the trunk of its caller ID, and whoever asked is told what becomes of it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from callsheet.api.compat.call import Call
from callsheet.api.compat.fields import Fields
from callsheet.api.compat.senders import find_sender
from callsheet.carriers.known import channels_of
from callsheet.core.campaign import LEAST_RING_SECONDS, MOST_RING_SECONDS, Channel, MachineDetection
from callsheet.core.contacts import PHONE_NUMBER, Contact, columns_of, read_contact
from callsheet.core.dialout import AmdEvent
from callsheet.core.errors import FieldError, Invalid
from callsheet.core.phone import BadNumber, Number
from callsheet.engine import dialouts
from callsheet.engine.dialouts import Wanted

_LONGEST_TARGET: Final = 256
_LONGEST_NAME: Final = 256
_LONGEST_VALUE: Final = 300
_MOST_HEADERS, _MOST_VALUES, _MOST_WORDS = 20, 100, 1000
_USUAL_RING_SECONDS: Final = 30
_DETECTIONS: Final[Mapping[str, MachineDetection]] = {
    "disabled": MachineDetection.no,
    "detect": MachineDetection.detect,
    "disconnect": MachineDetection.disconnect,
    # As campaigns write it.
    "no": MachineDetection.no,
    "false": MachineDetection.no,
    "true": MachineDetection.disconnect,
}
_TIMERS: Final[Mapping[str, str]] = {
    "noSpeechTimeoutMs": "no_speech_seconds",
    "decisionTimeoutMs": "decision_seconds",
    "toneTimeoutMs": "tone_seconds",
    "greetingCompletionTimeoutMs": "greeting_completion_seconds",
}
_EVENTS: Final[Mapping[str, str]] = {event.value: event.value for event in AmdEvent}
_NAMES: Final[Mapping[str, str]] = {
    name.lower(): name
    for name in (
        "target", "caller", "trunk", "timeoutInMs", "machineDetection", "timers", "thresholdWordCount",
        "amdEventsSubscription", "notifyurl", "notifyHeaders", "metadata", "callControlParameter",
    )
}  # fmt: skip
"""How a field is spelled: the tables, the samples and the text of the pages have several spellings of some."""
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_OURS: Final = frozenset({"host", "content-length", "transfer-encoding", "connection"})
_NO_NUMBER: Final = "Give a number, as tel:+12125550100: calls go to numbers, and to no other address."
_NO_CALLER: Final = "No sender has this caller ID."
_DIGITS: Final = re.compile(r"\+?[0-9]{3,15}")
_BY_SIP: Final = re.compile(r"sips?:(?P<user>\+?[0-9().-]{3,40})(?:@[^@]*)?", re.IGNORECASE)


async def place(call: Call) -> dict[str, Any]:
    """Call one number. The answer is the documented one."""
    fields = Fields(_as_spelled(call.document), [])
    contact = _read_target(call, fields)
    caller = await _read_caller(call, fields)
    url, headers = _read_notify(call, fields)
    detection = fields.word("machineDetection", _DETECTIONS, MachineDetection.no)
    ring_seconds = _read_ring(fields)
    timers, events = _read_timers(fields), _read_events(fields)
    # Words are not understood here, and what a bot would be told of the call is the flow's own.
    fields.whole("thresholdWordCount", least=0, most=_MOST_WORDS, default=0)
    fields.inside("callControlParameter")
    if fields.wrong or contact is None:
        raise Invalid(fields.wrong)
    sender = await call.runtime.store.apps.find_sender(call.app.no, caller, call.runtime.clock.now())
    if sender is None:
        raise Invalid([FieldError("caller", _NO_CALLER)])
    wanted = Wanted(sender, contact, ring_seconds, detection, timers, url, headers, events)
    placed = await dialouts.place(call.runtime, call.app, wanted)
    return {"sid": placed.sid, "callId": placed.call_id}


def _as_spelled(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a body with its fields as the samples spell them; of two spellings that of the samples counts."""
    known = {_NAMES.get(key.replace("_", "").lower(), key): value for key, value in document.items()}
    return {**known, **document}


def _read_target(call: Call, fields: Fields) -> Contact | None:
    """Read whom to call, and what is known of him: the texts of `metadata` are his columns, which flows see."""
    said = fields.text("target", longest=_LONGEST_TARGET, required=True).strip()
    columns = _read_metadata(fields)
    if not said:
        return None
    number = said[4:].partition(";")[0] if said.lower().startswith("tel:") else said
    if said.lower().startswith(("sip:", "sips:")):
        found = _BY_SIP.fullmatch(said)
        number = found["user"] if found is not None else ""
    if not number:
        fields.blame("target", _NO_NUMBER)
        return None
    row = {**columns, PHONE_NUMBER: number}
    read = read_contact(row, columns_of(tuple(row)), call.app.settings.region)
    if isinstance(read, Contact):
        return read
    fields.blame("target", read.message)
    return None


def _read_metadata(fields: Fields) -> dict[str, str]:
    inside = fields.inside("metadata")
    document = fields.get("metadata")
    if not isinstance(document, dict):
        return {}
    if len(document) > _MOST_VALUES:
        fields.blame("metadata", f"Give at most {_MOST_VALUES} values.")
        return {}
    columns: dict[str, str] = {}
    for name, value in document.items():
        if not isinstance(value, str | int | float) or not name.strip() or name.lower() == PHONE_NUMBER.lower():
            # It is taken, as the documentation shows objects there; flows see texts and numbers.
            continue
        text = str(value)
        if len(text) > _LONGEST_VALUE:
            inside.blame(name, f"This must have at most {_LONGEST_VALUE} characters; it has {len(text)}.")
        columns[name] = text
    return columns


async def _read_caller(call: Call, fields: Fields) -> str:
    """Read the caller ID, and the trunk, which has to be the one that it belongs to. Empty where something is amiss.

    One that nobody configured belongs to the trunk that takes any.
    """
    label = fields.text("caller", longest=_LONGEST_TARGET, required=True).strip()
    named = fields.text("trunk", longest=_LONGEST_NAME).strip()
    if not label:
        return ""
    label = re.sub(r"^(tel|sips?):", "", label, flags=re.IGNORECASE).partition("@")[0]
    sender = await find_sender(call.runtime, call.app, label)
    if sender is not None:
        label = sender.label
    elif (unknown := _read_number(call, label)) is not None:
        label = unknown
    else:
        fields.blame("caller", _NO_CALLER)
        return ""
    trunks = await call.runtime.store.trunks.of_sender(call.app.no, label)
    if not any(Channel.voice in channels_of(trunk.carrier) for trunk in trunks):
        fields.blame("caller", "No trunk carries calls for this caller ID.")
    elif named and not any(named.lower() in (trunk.id.lower(), trunk.name.lower()) for trunk in trunks):
        fields.blame("trunk", "The caller does not belong to a trunk of this name.")
    return label


def _read_number(call: Call, text: str) -> str | None:
    """Return a caller ID that nobody configured; None where it is none. Like a campaign's, it need not be reachable."""
    try:
        return Number.parse(text, call.app.settings.region).e164
    except BadNumber:
        return text if _DIGITS.fullmatch(text) else None


def _read_ring(fields: Fields) -> int:
    least, most = LEAST_RING_SECONDS * 1000, MOST_RING_SECONDS * 1000
    usual = _USUAL_RING_SECONDS * 1000
    return math.ceil(fields.whole("timeoutInMs", least=least, most=most, default=usual) / 1000)


def _read_timers(fields: Fields) -> dict[str, float]:
    timers = fields.inside("timers")
    given = {name: timers.whole(name, least=500, most=60_000, default=0) for name in _TIMERS}
    return {_TIMERS[name]: milliseconds / 1000 for name, milliseconds in given.items() if milliseconds}


def _read_events(fields: Fields) -> list[str] | None:
    """Return the events to tell; none: all of them."""
    value = fields.get("amdEventsSubscription")
    if value is None or value == "":
        return None
    if not isinstance(value, list):
        fields.blame("amdEventsSubscription", "This must be a list of events.")
        return None
    for place_, one in enumerate(value):
        if not isinstance(one, str) or one.strip().lower() not in _EVENTS:
            fields.blame(f"amdEventsSubscription[{place_}]", f"This is one of {', '.join(_EVENTS)}.")
    return sorted({one.strip().lower() for one in value if isinstance(one, str)})


def _read_notify(call: Call, fields: Fields) -> tuple[str, dict[str, str]]:
    url = fields.text("notifyurl", longest=_LONGEST_TARGET * 8).strip()
    fault = call.runtime.outside.fence.fault_of(url) if url else None
    if fault is not None:
        fields.blame("notifyurl", fault)
    inside, document = fields.inside("notifyHeaders"), fields.get("notifyHeaders")
    if not isinstance(document, dict):
        return url, {}
    if len(document) > _MOST_HEADERS:
        fields.blame("notifyHeaders", f"Give at most {_MOST_HEADERS} headers.")
    for name, value in list(document.items())[:_MOST_HEADERS]:
        if not _HEADER.fullmatch(name) or name.lower() in _OURS:
            inside.blame(name[:40], "This is no header that can be given.")
        elif not isinstance(value, str) or not (value.isascii() and value.isprintable()) or len(value) > 2000:
            inside.blame(name, "This must be a text of at most 2000 ASCII characters.")
    return url, {name: value for name, value in document.items() if isinstance(value, str)}
