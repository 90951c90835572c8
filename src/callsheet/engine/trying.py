"""Try before sending: whom a filter lets through, and what the first contacts of a campaign would read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from callsheet.core.campaign import Campaign, Channel
from callsheet.core.filtering import Filter
from callsheet.core.names import key_of
from callsheet.core.preview import Preview, preview
from callsheet.core.template import EmptyMessage, PersonalMessage, Unrenderable
from callsheet.engine.message_text import versioned_text
from callsheet.engine.overhearing import Prompt, overhearing
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App
from callsheet.store.contacts import MOST_SCANNED, Contact
from callsheet.store.lists import ContactList

SHOWN_VALUES = 5
"""Of each column of a filter, the most frequent ones."""
_BLOCK = 1000


@dataclass(frozen=True, slots=True)
class Filtered:
    """What a filter came to."""

    contacts: int
    """How many are in the lists."""
    looked_at: int
    """How many of them were looked at: all, or the first ones."""
    accepted: int
    """How many of those the filter lets through."""
    values: dict[str, list[str]]
    """The most frequent values of each column that the filter asks for."""


async def try_filter(runtime: Runtime, lists: Sequence[ContactList], wanted: Filter) -> Filtered:
    """Count whom a filter lets through, among at most `MOST_SCANNED` contacts of the lists in their order."""
    seen: dict[str, Counter[str]] = {condition.column: Counter() for condition in wanted.conditions}
    looked_at = accepted = 0
    for found in lists:
        after = 0
        while looked_at < MOST_SCANNED:
            limit = min(_BLOCK, MOST_SCANNED - looked_at)
            block = await runtime.store.contacts.attributes(found, after=after, limit=limit)
            for attributes in block:
                accepted += wanted.accepts(attributes)
                cells = {key_of(name): value for name, value in attributes.items()}
                for column, counts in seen.items():
                    counts[cells.get(key_of(column), "")] += 1
            looked_at += len(block)
            after += limit
            if len(block) < limit:
                break
    values = {column: [value for value, _ in counts.most_common(SHOWN_VALUES)] for column, counts in seen.items()}
    return Filtered(sum(found.size for found in lists), looked_at, accepted, values)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a contact would read, or hear, or why there is nothing."""

    contact: Contact
    preview: Preview | None = None
    problem: str = ""
    prompts: tuple[Prompt, ...] = ()
    """Of a call: what the contact would hear."""


async def read_first(runtime: Runtime, app: App, campaign: Campaign, limit: int) -> list[Reading]:
    """Return what the first contacts of a campaign's lists would read, or hear, those whom its filter means.

    Raises FlowIsEmpty, WrongState.
    """
    if campaign.definition.channel is Channel.voice:
        ear = await overhearing(runtime, app, campaign)
        heard = [(contact, await ear.hear(contact)) for contact in await _first(runtime, app, campaign, limit)]
        return [Reading(contact, problem=one.problem, prompts=one.prompts) for contact, one in heard]
    text, _, flow = await versioned_text(runtime.store, app, campaign.definition)
    message = await runtime.conductor.flows.message(app.no, text, flow, campaign.definition.hours.timezone)
    return [_read(text, message, contact) for contact in await _first(runtime, app, campaign, limit)]


async def _first(runtime: Runtime, app: App, campaign: Campaign, limit: int) -> list[Contact]:
    """Return the first contacts of a campaign's lists whom its filter means."""
    contacts: list[Contact] = []
    scanned = 0
    for named in campaign.definition.contact_lists:
        found = await runtime.store.lists.find(app.no, list_id=named.id)
        after = 0
        while found is not None and len(contacts) < limit and scanned < MOST_SCANNED:
            block = await runtime.store.contacts.page(
                found, after=after, limit=_BLOCK if campaign.definition.filter else limit
            )
            contacts += [contact for contact in block if _is_meant(campaign, contact)]
            scanned += len(block)
            if not block:
                break
            after = block[-1].pos + 1
    return contacts[:limit]


def _is_meant(campaign: Campaign, contact: Contact) -> bool:
    wanted = campaign.definition.filter
    return wanted is None or wanted.accepts(contact.attributes)


def _read(text: str, message: PersonalMessage, contact: Contact) -> Reading:
    try:
        return Reading(contact, preview(text, contact.attributes, contact.number, message, contact.zone))
    except (EmptyMessage, Unrenderable) as error:
        return Reading(contact, None, error.message)
