"""Conversations that a reply begins know the contact, and write down what they learn, in virtual time."""

from pathlib import Path
from typing import Any

import msgspec

from callsheet.core.contacts import MOST_COLUMNS
from callsheet.store.lists import ContactList
from conversing import ASK, LATER, THANKS, document, exit_to, make_flow, message, question
from databases import rows
from engine.test_talker import play, reply, said, use_by_default
from engine.world import World
from factories import SENDER, contact, make_campaign, make_list, number

LEARNS = document(
    question(ASK, "how", "Dear @contact.first_name, where do you live?", exit_to(LATER, "said")),
    {
        **message(LATER, "keep", "Thank you", THANKS),
        "config": {
            "prompt": "Thank you",
            "set_contact_property": [
                {"property_key": "City", "property_value": "@results.how.value"},
                {"property_key": "first_name", "property_value": "Asha K."},
            ],
        },
    },
    question(THANKS, "more", "@contact.city it is", exit_to(None, "said")),
)


async def listed(w: World, name: str) -> ContactList:
    cells = msgspec.json.encode({"phone": number(0), "First Name": name}).decode()
    people = [contact(w.store, w.app, number(0), attributes=cells)]
    made = await make_list(w.store, w.app, w.clock, people)
    await w.store.lists.add_columns(w.app.no, made.no, ["phone", "First Name"])
    await w.clock.sleep(1)
    return made


async def cells(w: World, within: ContactList) -> tuple[dict[str, Any], list[str]]:
    """Return what a list says of its contact, and which columns it knows."""
    (one,) = await rows(w.store, "select attributes from contact where list_no = :no", no=within.no)
    (columns,) = await rows(w.store, "select columns from contact_list where no = :no", no=within.no)
    return msgspec.json.decode(one.attributes), msgspec.json.decode(columns.columns)


async def talk(w: World) -> None:
    await use_by_default(w, await make_flow(w.store, w.app, LEARNS, "learns"))
    await reply(w, number(0), "hello")
    await w.clock.sleep(3)
    await reply(w, number(0), "Pune")
    await w.clock.sleep(3)


def test_it_is_the_contact_whom_the_sender_wrote_to_last(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        written_to = await listed(w, "Asha")
        campaign = await make_campaign(w.store, w.app, w.clock, [written_to])
        sender = await w.store.apps.find_sender(w.app.no, SENDER, w.clock.now())
        assert sender is not None
        await w.store.campaigns.start(
            campaign, text="Hello", sender_no=sender.no, one_run_per_list=False, now=w.clock.now()
        )
        w.conductor.wake()
        await w.clock.sleep(12)
        newer = await listed(w, "Somebody")
        await talk(w)

        assert said(w, number(0)) == ["Dear Asha, where do you live?", "Thank you\nPune it is"]
        kept = {"phone": number(0), "First Name": "Asha K.", "City": "Pune"}
        assert await cells(w, written_to) == (kept, ["phone", "First Name", "City"])
        assert (await cells(w, newer))[1] == ["phone", "First Name"]

    play(tmp_path, main)


def test_it_is_the_newest_contact_where_nobody_wrote(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        older, newer = await listed(w, "Nobody"), await listed(w, "Asha")
        await talk(w)

        assert said(w, number(0)) == ["Dear Asha, where do you live?", "Thank you\nPune it is"]
        assert (await cells(w, newer))[0]["City"] == "Pune"
        assert "City" not in (await cells(w, older))[0]

    play(tmp_path, main)


def test_whom_no_list_has_is_spoken_with_all_the_same(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        await talk(w)
        assert said(w, number(0)) == ["Dear , where do you live?", "Thank you\nPune it is"]

    play(tmp_path, main)


def test_what_a_list_has_no_room_for_is_known_while_they_talk(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        full = await listed(w, "Asha")
        await w.store.lists.add_columns(w.app.no, full.no, [f"column {i}" for i in range(MOST_COLUMNS - 2)])
        await talk(w)

        assert said(w, number(0))[-1] == "Thank you\nPune it is"
        kept, columns = await cells(w, full)
        assert (kept["First Name"], "City" in kept, len(columns)) == ("Asha K.", False, MOST_COLUMNS)

    play(tmp_path, main)
