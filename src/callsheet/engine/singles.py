"""Single messages outside any campaign of the user's: each is a run of one contact, so the gate is the same."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from callsheet.core.campaign import MAX_NAME_CHARACTERS, Campaign, Channel, Definition, MessagePlan, Named
from callsheet.core.contacts import Contact
from callsheet.core.errors import CampaignNotFound, NameTaken, WrongState
from callsheet.core.hours import parse_hours
from callsheet.core.run import Sender
from callsheet.core.template import compile_text
from callsheet.engine import contacts
from callsheet.engine.message_text import versioned_text
from callsheet.engine.routes import require_trunks
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App
from callsheet.store.lists import ContactList

_SOURCE = "outboundsms"
_ALWAYS = {"frequency": "DAILY", "timezone": "UTC", "days": [{"start": "12:00 AM", "end": "12:00 AM"}]}
_PRIORITY = 5


async def send(runtime: Runtime, app: App, sender: Sender, flow: Named, contact: Contact) -> None:
    """Send a contact the first message of a sender's flow. Raises FlowIsEmpty, WrongState, LimitReached.

    DNC lists, opt-outs and caps hold: a contact that they spare gets nothing, and the run says so.
    """
    now = runtime.clock.now()
    definition = _definition(sender, flow)
    text, _, pinned = await versioned_text(runtime.store, app, definition)
    await require_trunks(runtime.store, app.no, sender.label, Channel.sms)
    if not pinned.no:
        compile_text(text)
    campaign = await _campaign(runtime, app, definition, now)
    numbers = await _list(runtime, app, definition.name, now)
    await contacts.add(runtime, numbers, [contact])
    key = runtime.store.vault.app(app.no)
    assert key is not None, "the app was opened when its token was read"
    await runtime.store.singles.open(
        campaign,
        list_no=numbers.no,
        person=key.person(contact.number.e164),
        sender_no=sender.no,
        text=text,
        now=now,
        flow=pinned,
    )
    runtime.conductor.wake()


def _definition(sender: Sender, flow: Named) -> Definition:
    return Definition(
        name=f"Outbound SMS {sender.label}"[:MAX_NAME_CHARACTERS],
        description="Single messages, each asked for by a call",
        channel=Channel.sms,
        contact_lists=(),
        dnc_lists=(),
        priority=_PRIORITY,
        sender=sender.label,
        hours=parse_hours(_ALWAYS, ""),
        hours_document=_ALWAYS,
        message=MessagePlan(flow=flow),
        format="advanced",
    )


async def _campaign(runtime: Runtime, app: App, definition: Definition, now: datetime) -> Campaign:
    """Return the campaign of a sender's single messages, which names the flow of now."""
    campaigns = runtime.store.campaigns
    with suppress(NameTaken):
        return await campaigns.create(app.no, definition, now, unique_names=True)
    found = await campaigns.find(app.no, name=definition.name)
    if found is None:
        raise CampaignNotFound
    if found.definition.message.flow != definition.message.flow and not found.definition.contact_lists:
        changed = replace(found.definition, message=definition.message)
        with suppress(WrongState):  # while it runs, what it says of its flow is the one before
            return await campaigns.update(found, changed, now, unique_names=False)
    return found


async def _list(runtime: Runtime, app: App, name: str, now: datetime) -> ContactList:
    """Return the list of a sender's single messages."""
    lists = runtime.store.lists
    with suppress(NameTaken):
        return await lists.create(app.no, name=name, description="", source=_SOURCE, allow_duplicates=True, now=now)
    found = await lists.find(app.no, name=name)
    assert found is not None, "its name was taken a moment ago"
    return found
