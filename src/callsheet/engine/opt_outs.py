"""What can be done with opt-outs by those who answer for people: written down for them, and taken back."""

from __future__ import annotations

from collections.abc import Sequence

from callsheet.core.answering import API
from callsheet.core.campaign import Channel
from callsheet.engine.dnc_lists import persons_of
from callsheet.engine.holds import Scope
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App


async def add(runtime: Runtime, app: App, channel: Channel, numbers: Sequence[str]) -> tuple[int, Sequence[str]]:
    """Opt people out, and return how many were new, and what is no number.

    When this returns, nothing more leaves for any of them.
    """
    persons = persons_of(runtime, app, numbers)
    wanted = frozenset(person for person in persons.values() if person is not None)
    added = await runtime.store.opt_outs.add(app.no, channel, API, wanted, runtime.clock.now())
    await runtime.conductor.forbid(Scope(app.no, persons=wanted))
    return added, [number for number, person in persons.items() if person is None]


async def lift(
    runtime: Runtime, app: App, channel: Channel, numbers: Sequence[str], reason: str
) -> tuple[int, Sequence[str]]:
    """Take back the opt-outs of numbers; return how many people those were, and the numbers that had none."""
    persons = persons_of(runtime, app, numbers)
    wanted = {person for person in persons.values() if person is not None}
    lifted = await runtime.store.opt_outs.lift(app.no, channel, wanted, reason, runtime.clock.now())
    return len(lifted), [number for number, person in persons.items() if person not in lifted]
