"""Contacts and DNC numbers that come through the API: durable, visible and effective when the call answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from callsheet.core.contacts import Contact
from callsheet.core.phone import BadNumber, Number
from callsheet.engine.holds import Scope
from callsheet.engine.runtime import Runtime
from callsheet.engine.sealing import seal, seal_entry
from callsheet.store.apps import App
from callsheet.store.dnc import DncList
from callsheet.store.lists import ContactList
from callsheet.store.protocol import Appended, NewEntry


@dataclass(frozen=True, slots=True)
class RejectedNumber:
    """A number that did not go on a list, as it was sent, and why."""

    number: str
    reason: str


async def add(runtime: Runtime, contact_list: ContactList, contacts: Sequence[Contact]) -> Appended:
    """Append contacts to a list; a run that is on takes them too. Raises TooManyColumns."""
    key = runtime.store.vault.app(contact_list.app)
    assert key is not None, "the app of this list was opened when its token was read"
    columns = dict.fromkeys(name for contact in contacts for name in contact.attributes)
    await runtime.store.lists.add_columns(contact_list.app, contact_list.no, list(columns))
    appended = await runtime.store.hot.append(
        contact_list.app, contact_list.no, [seal(key, contact) for contact in contacts]
    )
    runtime.conductor.wake()
    return appended


async def forbid(
    runtime: Runtime, app: App, dnc_list: DncList, numbers: Sequence[str]
) -> tuple[int, Sequence[RejectedNumber]]:
    """Put numbers on a DNC list. When this returns, nothing more leaves for any of them."""
    key = runtime.store.vault.app(app.no)
    assert key is not None, "the app was opened when its token was read"
    entries: dict[bytes, NewEntry] = {}
    rejected: list[RejectedNumber] = []
    for text in numbers:
        try:
            number = Number.parse(text, app.settings.region)
        except BadNumber as error:
            rejected.append(RejectedNumber(text, error.reason))
            continue
        entry = seal_entry(key, number)
        entries[entry.person] = entry
    appended = await runtime.store.hot.forbid(app.no, dnc_list.no, list(entries.values()), source="api")
    await runtime.conductor.forbid(Scope(app.no, persons=frozenset(entries)))
    return appended.added, rejected
