"""Findings: what to look at before a campaign starts. Most keep nobody from starting it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from callsheet.core.campaign import Campaign, Channel, Definition
from callsheet.core.errors import Conflict, FieldError, Invalid
from callsheet.core.preflight_report import USUAL_SEGMENTS
from callsheet.core.segments import measure
from callsheet.core.template import PersonalMessage
from callsheet.engine.message_text import versioned_text
from callsheet.engine.routes import require_trunks, simulated
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App
from callsheet.store.lists import ContactList

_MESSAGE, _SENDER, _VOICE, _LISTS, _DNC_LIST = "message", "sender", "voice", "contactLists", "dncLists"


async def findings_of(runtime: Runtime, app: App, campaign: Campaign) -> list[FieldError]:
    """Return what is amiss with a campaign: its message, its contact lists, and whom nobody spares."""
    definition = campaign.definition
    wanted = [await runtime.store.lists.find(app.no, list_id=named.id) for named in definition.contact_lists]
    lists = [found for found in wanted if found is not None]
    if definition.channel is Channel.sms:
        findings = await _of_message(runtime, app, definition, lists)
    else:
        findings = await _of_calls(runtime, app, definition)
    if definition.channel is Channel.sms:
        findings += [FieldError(_SENDER, one) for one in await runtime.ingest.amiss_with(app.no, definition.sender)]
    if said := await simulated(runtime.store, app.no, definition.sender, definition.channel):
        findings.append(FieldError(_SENDER, said))
    findings += [FieldError(_LISTS, f"Nobody is on the list {found.name}.") for found in lists if not found.size]
    if not definition.dnc_lists and await _has_dnc_lists(runtime, app):
        findings.append(FieldError(_DNC_LIST, "No DNC list is linked, although the app has some of its own."))
    return findings


async def _of_calls(runtime: Runtime, app: App, definition: Definition) -> list[FieldError]:
    """Say why nobody can be called."""
    findings: list[FieldError] = []
    for judged in (
        versioned_text(runtime.store, app, definition),
        require_trunks(runtime.store, app.no, definition.sender, Channel.voice),
    ):
        try:
            await judged
        except Conflict as error:
            findings.append(FieldError(_VOICE, error.message))
    return findings


async def _of_message(
    runtime: Runtime, app: App, definition: Definition, lists: Sequence[ContactList]
) -> list[FieldError]:
    """Say why there is no message, that it is long, and which of its placeholders stay blank."""
    try:
        text, _, flow = await versioned_text(runtime.store, app, definition)
        message = await runtime.conductor.flows.message(app.no, text, flow, definition.hours.timezone)
    except Conflict as error:
        return [FieldError(_MESSAGE, error.message)]
    except Invalid as error:
        return [FieldError(_MESSAGE, fault.message) for fault in error.fields]
    speaking = await runtime.store.senders.speaking(app.no, definition.sender)
    segments = max((measure(text, one.writing).count for one in speaking), default=measure(text).count)
    long = f"The text alone takes about {segments} segments."
    blanks = [sentence for found in lists for sentence in _blanks(message, found)]
    return [FieldError(_MESSAGE, sentence) for sentence in [long] * (segments > USUAL_SEGMENTS) + blanks]


def _blanks(message: PersonalMessage, found: ContactList) -> Iterator[str]:
    """Name the placeholders that stay blank for a whole list. A list that nobody is in yet may have any columns."""
    for name in message.missing(found.columns) if found.columns else ():
        yield f"The contact list {found.name} has no column {name}, and the placeholder has no default: it stays blank."


async def _has_dnc_lists(runtime: Runtime, app: App) -> bool:
    """Tell whether the app has a DNC list besides the global one."""
    return any(not one.is_global for one in await runtime.store.dnc_lists.of_app(app.no, after=0, limit=2))
