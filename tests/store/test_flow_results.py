"""Answers to flows on both databases: in the order of their instants, of whatever conversation they are."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from callsheet.core.attempt import Kind
from callsheet.store.apps import App
from callsheet.store.flow_results import Place, Wanted
from callsheet.store.store import Store
from factories import Node, StillClock
from store.test_flow_sessions import armed, say, talk, talker_of


async def answered(store: Store, app: App, clock: StillClock, to: int, text: str) -> datetime:
    """Let somebody answer, and return when."""
    clock.advance(1)
    await say(store, app, clock, text, to=to)
    await talk(talker_of(store, clock))
    return clock.now()


async def responses(store: Store, wanted: Wanted, after: Place | None = None) -> tuple[Sequence[str | None], Place]:
    """Read answers one by one, and return what was written, and the place of the last one."""
    found = []
    while page := await store.flow_results.answers(wanted, after=after, limit=1):
        found += page
        after = await store.flow_results.place(wanted.app, wanted.flow_no, page[0].id)
    assert after is not None
    return [one.response for one in found], after


async def test_a_later_answer_of_an_older_conversation_is_not_lost(
    store: Store, app: App, clock: StillClock, node: Node
):
    run, intents = await armed(store, app, clock, node)
    await node.tell(intents, Kind.accepted)
    await talk(talker_of(store, clock))
    first = await answered(store, app, clock, 0, "2")
    second = await answered(store, app, clock, 1, "1")
    wanted = Wanted(app.no, run.flow_no, run_no=run.no)

    read, last = await responses(store, wanted)
    assert read == ["2", "1"]
    third = await answered(store, app, clock, 0, "on Friday")
    assert (await responses(store, wanted, last))[0] == ["on Friday"]
    assert (await responses(store, wanted))[0] == ["2", "1", "on Friday"]

    between = wanted._replace(from_at=second, to_at=third)
    assert (await responses(store, between))[0] == ["1"]
    until = Wanted(app.no, run.flow_no, version=run.flow_version, to_at=first + timedelta(microseconds=1))
    assert (await responses(store, until))[0] == ["2"]
