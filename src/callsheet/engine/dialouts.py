"""Dialouts: single calls outside any campaign of the user's: each is a run of one contact, so the gate is the same."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, NamedTuple

import msgspec

from callsheet.core.campaign import (
    MAX_NAME_CHARACTERS,
    Campaign,
    Channel,
    Definition,
    MachineDetection,
    MessagePlan,
    Mode,
    Named,
    VoicePlan,
)
from callsheet.core.contacts import Contact
from callsheet.core.dialout import TIME_TO_PLACE
from callsheet.core.errors import CampaignNotFound, FlowIsEmpty, NameTaken
from callsheet.core.hours import parse_hours
from callsheet.core.ids import encode_attempt
from callsheet.core.run import NO_FLOW, PinnedFlow, Sender
from callsheet.engine import contacts
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App
from callsheet.store.dialouts import Asked
from callsheet.store.lists import ContactList

_SOURCE: Final = "dialout"
_ALWAYS: Final = {"frequency": "DAILY", "timezone": "UTC", "days": [{"start": "12:00 AM", "end": "12:00 AM"}]}
_PRIORITY: Final = 5
_DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call that somebody asks for."""

    sender: Sender
    contact: Contact
    ring_seconds: int
    machine_detection: MachineDetection
    detection: Mapping[str, float] = field(default_factory=dict)
    """What machine detection goes by where that is not the usual."""
    url: str = ""
    """Where he is told what becomes of it; empty: nowhere."""
    headers: Mapping[str, str] = field(default_factory=dict)
    events: Sequence[str] | None = None
    """Which events of machine detection are told; None: all."""


class Placed(NamedTuple):
    """A call that is to be placed for certain."""

    sid: str
    call_id: str
    """The id of its first try, which is that of its channel."""


async def place(runtime: Runtime, app: App, wanted: Wanted) -> Placed:
    """Call a contact. Raises FlowIsEmpty, WrongState, LimitReached, SendingStopped.

    DNC lists, opt-outs and caps hold: a contact that they spare is not called, and whoever asked is told so.
    """
    now = runtime.clock.now()
    flow, pinned = await _flow(runtime, app, wanted.sender)
    campaign = await _campaign(runtime, app, _definition(wanted, flow))
    numbers = await _list(runtime, app, f"Outbound calls {wanted.sender.label}"[:MAX_NAME_CHARACTERS])
    await contacts.add(runtime, numbers, [wanted.contact])
    key = runtime.store.vault.app(app.no)
    assert key is not None, "the app was opened when its token was read"
    person, sid = key.person(wanted.contact.number.e164), str(uuid.uuid4())
    asked = Asked(
        sid, wanted.url, wanted.headers, wanted.machine_detection is not MachineDetection.no, wanted.events,
        now + timedelta(seconds=wanted.ring_seconds) + TIME_TO_PLACE,
    )  # fmt: skip
    running = await runtime.store.dialouts.open(
        campaign, asked, list_no=numbers.no, person=person, sender_no=wanted.sender.no, now=now, flow=pinned
    )
    assert running.run_no is not None, "it was opened a moment ago"
    runtime.conductor.wake()
    runtime.dialouts.wake()
    return Placed(sid, encode_attempt(running.run_no, person, 1))


async def _flow(runtime: Runtime, app: App, sender: Sender) -> tuple[Named | None, PinnedFlow]:
    """Return the flow that the sender's calls go through, where it has one. Raises FlowIsEmpty."""
    flow = await runtime.store.flows.find(app.no, thing_id=sender.flow_id) if sender.flow_id else None
    if flow is None:
        return None, NO_FLOW
    if not flow.body:
        raise FlowIsEmpty
    return flow.named, PinnedFlow(flow.named.no, flow.version)


def _definition(wanted: Wanted, flow: Named | None) -> Definition:
    """Return the campaign of a call: those that are alike in everything but the contact share one."""
    plan = VoicePlan(Mode.agentless, machine_detection=wanted.machine_detection, detection=dict(wanted.detection))
    alike = msgspec.json.encode([plan, flow.id if flow is not None else "", wanted.ring_seconds])
    mark = hashlib.sha256(alike).hexdigest()[:_DIGITS]
    return Definition(
        name=f"{f'Outbound calls {wanted.sender.label}'[: MAX_NAME_CHARACTERS - _DIGITS - 1]} {mark}",
        description="Single calls, each asked for by a call of the API",
        channel=Channel.voice,
        contact_lists=(),
        dnc_lists=(),
        priority=_PRIORITY,
        sender=wanted.sender.label,
        hours=parse_hours(_ALWAYS, ""),
        hours_document=_ALWAYS,
        message=MessagePlan(flow=flow),
        format="advanced",
        ring_seconds=wanted.ring_seconds,
        voice=plan,
    )


async def _campaign(runtime: Runtime, app: App, definition: Definition) -> Campaign:
    campaigns = runtime.store.campaigns
    with suppress(NameTaken):
        return await campaigns.create(app.no, definition, runtime.clock.now(), unique_names=True)
    found = await campaigns.find(app.no, name=definition.name)
    if found is None:
        raise CampaignNotFound
    return found


async def _list(runtime: Runtime, app: App, name: str) -> ContactList:
    """Return the list of a sender's single calls."""
    lists, now = runtime.store.lists, runtime.clock.now()
    with suppress(NameTaken):
        return await lists.create(app.no, name=name, description="", source=_SOURCE, allow_duplicates=True, now=now)
    found = await lists.find(app.no, name=name)
    assert found is not None, "its name was taken a moment ago"
    return found
