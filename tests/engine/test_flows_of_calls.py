"""Campaigns that call and talk, in virtual time: what is pressed is a result, what happened is kept, and once only."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from calling import PlainPrompts
from callsheet.core.ids import AttemptKey
from callsheet.store.told_calls import ToldCall, WantedCalls
from callsheet.store.transcripts import Line
from conversing import QUESTION, make_flow
from databases import rows
from engine.calls import called, play
from engine.test_phone_talk import ASKING, PAYMENT
from engine.world import World

PERSON, BUSY, SILENT = "+12125550001", "+12125559921", "+12125559903"


async def talked(w: World, people: Sequence[str], flow: Any = PAYMENT, **changes: Any) -> None:
    await called(w, people, flow=await make_flow(w.store, w.app, flow), **changes)
    # Conversations do not hold a run.
    while await rows(w.store, "select 1 from call where ended_at = 0"):
        await w.clock.sleep(1)


async def told(w: World) -> dict[str, ToldCall]:
    """Return the latest call to each number."""
    found = await w.store.told_calls.page(w.app.no, WantedCalls(w.clock.now()), limit=100)
    assert found is not None
    return {call.number: call for call in reversed(found)}


async def lines(w: World, conversation_id: str) -> list[tuple[str, str, str]]:
    found = await w.store.transcripts.find(w.app.no, conversation_id)
    assert found is not None
    return [_said(line) for line in found.lines]


def _said(line: Line) -> tuple[str, str, str]:
    return line.by, line.text, line.state


async def timeline(w: World, key: AttemptKey) -> list[str]:
    found = await w.store.told_calls.find(w.app.no, key, w.clock.now())
    assert found is not None
    return [str(each["what"]) for each in found[1]]


def test_who_is_called_hears_the_flow_and_what_he_presses_is_a_result(tmp_path: Path):
    async def main(w: World) -> None:
        await talked(w, [PERSON, BUSY, SILENT])
        calls = await told(w)

        assert {number: call.outcome for number, call in calls.items()} == {
            PERSON: "human", BUSY: "busy", SILENT: "human",
        }  # fmt: skip
        reached, busy, silent = calls[PERSON], calls[BUSY], calls[SILENT]
        assert (reached.ended_by, busy.ended_by, silent.ended_by) == ("us", "network", "them")
        assert (busy.cause, busy.sip_status, busy.conversation_id) == (17, 486, "")
        assert reached.answered_at is not None
        assert await timeline(w, reached.key) == [
            "dialed", "ringing", "answered", "human", "said", "pressed", "said", "hung_up",
        ]  # fmt: skip
        assert await lines(w, reached.conversation_id) == [
            ("flow", QUESTION, "spoken"), ("contact", "1", "pressed"), ("flow", "Thank you", "spoken"),
        ]  # fmt: skip
        assert await lines(w, silent.conversation_id) == [("flow", QUESTION, "spoken")]
        endings = await rows(w.store, "select ending from flow_session order by no")
        assert sorted(row.ending for row in endings) == ["done", "hung_up"]
        counted = await rows(w.store, "select what, name, value from flow_count where what = 'exit' order by name")
        assert [(row.name, row.value) for row in counted] == [("done", 1), ("yes", 1)]

    play(tmp_path, main, prompts=PlainPrompts(2.0))


def test_a_webhook_that_nobody_asks_is_the_default_exit(tmp_path: Path):
    async def main(w: World) -> None:
        await talked(w, [PERSON], ASKING)
        (call,) = (await told(w)).values()

        assert await lines(w, call.conversation_id) == [("flow", "One moment", "spoken"), ("contact", "1", "pressed")]
        assert [row.ending for row in await rows(w.store, "select ending from flow_session")] == ["done"]
        assert await rows(w.store, "select 1 from errand") == []

    play(tmp_path, main, prompts=PlainPrompts(2.0))


def test_two_campaigns_that_call_one_person_have_a_conversation_each(tmp_path: Path):
    async def main(w: World) -> None:
        for _ in range(2):
            await talked(w, [PERSON])
        sessions = await rows(w.store, "select ending from flow_session")
        assert [row.ending for row in sessions] == ["done", "done"]
        assert await rows(w.store, "select 1 from open_session") == []
        found = await w.store.told_calls.page(w.app.no, WantedCalls(w.clock.now()), limit=10)
        assert found is not None
        assert len({call.attempt_id for call in found}) == 2

    play(tmp_path, main, prompts=PlainPrompts(2.0))
