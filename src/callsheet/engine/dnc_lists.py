"""What can be done with a DNC list, the same for every dialect. `contacts.forbid` puts numbers on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from callsheet.core.phone import BadNumber, Number
from callsheet.engine.holds import Scope
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App
from callsheet.store.dnc import DncList
from callsheet.store.dnc_entries import DncEntry


async def make_global(runtime: Runtime, dnc_list: DncList) -> DncList:
    """Make a list the app's global one. When this returns, nothing more leaves for anybody on it."""
    marked = await runtime.store.dnc_lists.make_global(dnc_list, runtime.clock.now())
    await runtime.conductor.forbid(Scope(dnc_list.app))
    return marked


async def find(
    runtime: Runtime, app: App, dnc_list: DncList, numbers: Sequence[str]
) -> tuple[Sequence[DncEntry], Sequence[str]]:
    """Return the entries of numbers, and those of the numbers that are not on the list."""
    persons = persons_of(runtime, app, numbers)
    found = await runtime.store.dnc_entries.find(dnc_list, {person for person in persons.values() if person})
    known = {entry.person for entry in found}
    return found, [number for number, person in persons.items() if person not in known]


async def remove(runtime: Runtime, app: App, dnc_list: DncList, numbers: Sequence[str]) -> tuple[int, Sequence[str]]:
    """Take numbers off a list; return how many those were, and the numbers that were not on it."""
    persons = persons_of(runtime, app, numbers)
    wanted = {person for person in persons.values() if person}
    removed = await runtime.store.dnc_entries.remove(dnc_list, wanted, runtime.clock.now())
    return len(removed), [number for number, person in persons.items() if person not in removed]


def persons_of(runtime: Runtime, app: App, numbers: Sequence[str]) -> Mapping[str, bytes | None]:
    """Return the person keys of numbers as they were written; None where it is no number."""
    key = runtime.store.vault.app(app.no)
    assert key is not None, "the app was opened when its token was read"
    persons: dict[str, bytes | None] = {}
    for text in numbers:
        try:
            persons[text] = key.person(Number.parse(text, app.settings.region).e164)
        except BadNumber:
            persons[text] = None
    return persons
