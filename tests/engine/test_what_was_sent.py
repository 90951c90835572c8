"""The transcript of a conversation begins with the very words that were sent, whatever changed until it was begun."""

from collections.abc import Callable
from pathlib import Path

from callsheet.carriers.base import Accepted, Outbound
from callsheet.carriers.one_by_one import AwaitedCarrier
from callsheet.core.asking import nobody_forbids
from callsheet.store.transcripts import Transcript, Wanted
from conversing import ASK, LATER, THANKS, WHAT, block, document, exit_to, make_flow, message, question
from databases import change, rows
from engine.talking import launch, play, reply
from engine.world import TICKS, Passing, World
from factories import contact, number

WIRE_SECONDS = 40.0
SECOND = "@(HOUR(NOW()) * 3600 + MINUTE(NOW()) * 60 + SECOND(NOW()))"
"""Of the day."""
CHANGED = '{"first_name": "Bo", "plan": "gold"}'

BY_PLAN = document(
    block(ASK, "plan", "Core.Case", {}, exit_to(WHAT, "gold", "contact.plan = 'gold'"), exit_to(LATER, "other")),
    question(LATER, "plain", f"@(contact.plan)? It is {SECOND}.", exit_to(THANKS, "said")),
    question(WHAT, "gold", f"Golden? It is {SECOND}.", exit_to(THANKS, "said")),
    message(THANKS, "thanks", "Thanks, @contact.plan"),
)


class ChangingWire(Passing):
    """A wire on which a message stays for a while, and meanwhile somebody changes all contacts."""

    def __init__(self, carrier: AwaitedCarrier, w: World) -> None:
        super().__init__(carrier)
        self._world = w

    async def send(self, message: Outbound, leave: Callable[[], bool] = nobody_forbids) -> Accepted:
        if message.campaign_id:
            await self._world.clock.sleep(WIRE_SECONDS)
            await change(self._world.store, "update contact set attributes = :changed", changed=CHANGED)
        return await self.carrier.send(message, leave)


async def transcript(w: World) -> Transcript:
    (talk,) = await w.store.transcripts.page(w.app.no, Wanted(), limit=2) or ()
    found = await w.store.transcripts.find(w.app.no, talk.id)
    assert found is not None
    return found


async def begin(w: World) -> None:
    await w.conductor.stop()
    w.wrap, w.submit_seconds = lambda carrier: ChangingWire(carrier, w), 2 * WIRE_SECONDS
    await w.start()
    people = [contact(w.store, w.app, number(0), attributes='{"first_name": "Asha", "plan": "silver"}')]
    await launch(w, await make_flow(w.store, w.app, BY_PLAN), people)


def test_the_clock_and_the_contact_are_those_of_when_it_was_made(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        await begin(w)
        await w.clock.sleep(WIRE_SECONDS)
        (sent,) = w.sent()
        assert sent.text.startswith("silver? It is 4320"), "what was sent"
        found = await transcript(w)
        assert [line.text for line in found.lines] == [sent.text]
        assert [visit.name for visit in found.visits] == ["plan", "plain"]
        assert found.account.wakes_at is not None
        assert (found.account.wakes_at - found.account.opened_at).total_seconds() == 120, "time from when it was taken"
        await reply(w, number(0), "yes")
        await w.clock.sleep(3)
        assert [one.text for one in w.sent()] == [sent.text, "Thanks, silver"]
        (kept,) = await rows(w.store, "select columns_sealed from flow_session")
        assert kept.columns_sealed == b""

    play(tmp_path, main, TICKS)


def test_a_reply_that_is_faster_than_its_record_keeps_the_clock(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        await begin(w)
        await reply(w, number(0), "yes")
        await w.clock.sleep(WIRE_SECONDS)
        found = await transcript(w)
        assert (found.account.opened_at - found.lines[0].at).total_seconds() > 10, "as the reply came"
        assert [found.lines[0].text] == [one.text for one in w.sent() if one.campaign_id]

    play(tmp_path, main)
