"""By whose clocks a flow reads the hour: the contact's column, its group's own zone, the campaign's, else UTC."""

from pathlib import Path

import pytest

from conversing import ASK, THANKS, document, exit_to, make_flow, message, question
from engine.talking import launch, play, reply
from engine.test_talker import use_by_default
from engine.world import World
from factories import contact, hours, make_list, number

HOURLY = document(
    question(ASK, "first", "At @HOUR(NOW())?", exit_to(THANKS, "said")), message(THANKS, "then", "At @HOUR(NOW())")
)
COLUMN = '{"Time Zone": "asia/tokyo"}'


@pytest.mark.parametrize(
    ("attributes", "own_zone", "hour"),
    [(COLUMN, "Europe/Berlin", 21), ("{}", "Europe/Berlin", 13), ("{}", "", 17)],
    ids=["column", "group", "campaign"],
)
def test_a_campaign_speaks_by_the_clocks_of_its_contact(
    tmp_path: Path, attributes: str, own_zone: str, hour: int
) -> None:
    async def main(w: World) -> None:
        people = [contact(w.store, w.app, number(0), zone=own_zone, attributes=attributes)]
        flow = await make_flow(w.store, w.app, HOURLY)
        campaign = await launch(w, flow, people, hours=hours(timezone="Asia/Kolkata"))
        await reply(w, number(0), "yes")
        await w.clock.sleep(3)
        assert [one.text for one in w.sent()] == [f"At {hour}?", f"At {hour}"]
        found = await w.store.lists.find(w.app.no, list_id=campaign.definition.contact_lists[0].id)
        assert found is not None
        (shown,) = await w.store.contacts.page(found, after=0, limit=1)
        assert shown.zone == own_zone

    play(tmp_path, main)


@pytest.mark.parametrize(
    ("attributes", "own_zone", "hour"),
    [(COLUMN, "Europe/Berlin", 21), ("{}", "Europe/Berlin", 13), ("{}", "", 12)],
    ids=["column", "group", "UTC"],
)
def test_so_does_a_flow_that_a_reply_begins(tmp_path: Path, attributes: str, own_zone: str, hour: int) -> None:
    async def main(w: World) -> None:
        people = [contact(w.store, w.app, number(0), zone=own_zone, attributes=attributes)]
        await make_list(w.store, w.app, w.clock, people)
        await use_by_default(w, await make_flow(w.store, w.app, HOURLY))
        for text in ("hello", "yes"):
            await w.clock.sleep(3)
            await reply(w, number(0), text)
        await w.clock.sleep(3)
        assert [one.text for one in w.sent()] == [f"At {hour}?", f"At {hour}"]

    play(tmp_path, main)
