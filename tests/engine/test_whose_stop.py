"""A STOP counts for who sent it, however the carrier writes the number; what cannot be read is not lost."""

import random
from pathlib import Path

import pytest

from callsheet.carriers.base import Inbound
from callsheet.carriers.callback import Callback, What
from callsheet.carriers.http.account import HttpAccount
from callsheet.carriers.http.callbacks import read_callback
from callsheet.carriers.smpp.account import SmppAccount
from callsheet.carriers.smpp.ear import Ear
from callsheet.carriers.smpp.pdu import Message
from callsheet.core.opting_out import Word
from callsheet.core.part import Part
from callsheet.core.run import AppSettings
from callsheet.engine.tuning import Tuning
from callsheet.engine.virtual_time import VirtualClock, run
from databases import rows
from engine.world import World, world
from factories import MONDAY_NOON, SENDER, contact, make_list, person_of, trunk_of

TUNING = Tuning(tick_seconds=5.0)
LOCAL, ABROAD, WRITTEN = "+5534912345678", "+34912345678", "34912345678"


def over_smpp(w: World, number: str, ton: int, text: bytes) -> Inbound:
    account = SmppAccount.model_validate({"host": "h", "system_id": "us", "password": "s"})
    message = Message("", ton, 1, number, 1, 1, SENDER[1:], short_message=text)
    return Ear(account, w.clock, random.Random(1))._inbound(message, b"digest")


async def hear(w: World, *messages: Inbound) -> None:
    await w.conductor.hearing(await trunk_of(w.store, w.app)).hear(messages)


async def reply(w: World, number: str, text: str, inbound_id: str, part: Part | None = None) -> None:
    await hear(w, Inbound(inbound_id, number, SENDER, text, w.clock.now(), part))


async def know(w: World, *numbers: str) -> None:
    """Put people into a contact list."""
    await make_list(w.store, w.app, w.clock, [contact(w.store, w.app, one) for one in numbers])


async def opted_out(w: World, *numbers: str) -> list[str]:
    return [one for one in numbers if await w.store.opt_outs.find(w.app.no, person_of(w.store, w.app, one))]


HOME = [
    ("GB", "07400123456", "+447400123456"),
    ("US", "2125550100", "+12125550100"),
    ("IN", "9876543210", "+919876543210"),
    ("IN", "09876543210", "+919876543210"),
    ("DE", "015112345678", "+4915112345678"),
    ("FR", "0612345678", "+33612345678"),
]


@pytest.mark.parametrize(("region", "written", "meant"), HOME)
@pytest.mark.parametrize("ton", [0, 1, 2])
def test_a_stop_from_a_number_in_national_form_opts_out_who_sent_it(
    tmp_path: Path, region: str, written: str, meant: str, ton: int
) -> None:
    if ton == 1:
        written = meant[1:]

    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, settings=AppSettings(region=region), tuning=TUNING) as w:
            await hear(w, over_smpp(w, written, ton, b"STOP"))
            assert await opted_out(w, meant) == [meant]
            assert len(await w.store.opt_outs.page(w.app.no, channel=None, source=None, after=None, limit=9)) == 1
            await clock.sleep(5)
            assert [one.to for one in w.sent()] == [meant], "confirmed to who sent it"

    run(main, start=MONDAY_NOON)


@pytest.mark.parametrize(("is_international", "meant"), [(False, LOCAL), (True, ABROAD)])
def test_a_provider_that_writes_the_country_code_says_so(tmp_path: Path, is_international: bool, meant: str) -> None:
    where = {"id_path": "id", "number_path": "from", "sender_path": "to", "text_path": "text"}
    account = HttpAccount.model_validate(
        {
            "url": "https://api.example.com/sms",
            "body": {"to": "{{to}}", "text": "{{text}}"},
            "inbound": where | {"is_international": is_international},
        }
    )

    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, settings=AppSettings(region="BR"), tuning=TUNING) as w:
            body = f'{{"id": "1", "from": "{WRITTEN}", "to": "{SENDER}", "text": "STOP"}}'.encode()
            await hear(w, *read_callback(account, Callback(What.inbound, "POST", "https://x/", {}, body, clock.now())))
            assert await opted_out(w, LOCAL, ABROAD) == [meant]

    run(main, start=MONDAY_NOON)


@pytest.mark.parametrize(
    ("known", "stopped", "confirmed"),
    [
        ([], [LOCAL], LOCAL),
        ([LOCAL], [LOCAL], LOCAL),
        ([ABROAD], [ABROAD], ABROAD),
        ([LOCAL, ABROAD], [LOCAL, ABROAD], ABROAD),
    ],
)
def test_of_two_who_may_have_sent_it_whom_we_know_is_stopped_and_one_is_answered(
    tmp_path: Path, known: list[str], stopped: list[str], confirmed: str
) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, settings=AppSettings(region="BR"), tuning=TUNING) as w:
            await know(w, *known)
            for _ in range(2):
                await reply(w, WRITTEN, "STOP", "one")
            assert await opted_out(w, LOCAL, ABROAD) == stopped
            await clock.sleep(5)
            assert [one.to for one in w.sent()] == [confirmed]
            await reply(w, WRITTEN, "START", "two")
            assert await opted_out(w, LOCAL, ABROAD) == (stopped if len(known) == 2 else [])

    run(main, start=MONDAY_NOON)


def test_a_stop_in_parts_is_of_both_who_may_have_sent_it(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, settings=AppSettings(region="BR"), tuning=TUNING) as w:
            await know(w, LOCAL, ABROAD)
            await reply(w, WRITTEN, "please take me ", "a", Part(1, 2, 1))
            await reply(w, WRITTEN, "off your list", "b", Part(1, 2, 2))
            assert await opted_out(w, LOCAL, ABROAD) == [LOCAL, ABROAD]

    run(main, start=MONDAY_NOON)


@pytest.mark.parametrize("number", ["INFO", "12", "", "07400123456"])
def test_what_nobody_can_read_is_kept_sealed_and_shown_and_nothing_comes_of_it(tmp_path: Path, number: str) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=TUNING) as w:
            sender = "info"  # which is in no country
            stop = Inbound("one", number, sender, "STOP", clock.now(), is_national=True)
            for _ in range(2):
                await hear(w, stop)
            (shown,) = await w.store.inbox.page(w.app.no, person=None, word=Word.stop, after=None, limit=9) or []
            assert (shown.number, shown.text) == (number, "STOP")
            assert not await w.store.opt_outs.page(w.app.no, channel=None, source=None, after=None, limit=9)
            await clock.sleep(5)
            assert w.sent() == []
            (row,) = await rows(w.store, "select * from inbound")
            assert b"07400" not in b"".join(value for value in row if isinstance(value, bytes))
            # Only its own id, which is drawn, may have these digits.
            texts = [value for value in row if isinstance(value, str) and value != shown.id]
            assert not [text for text in texts if number and number in text]

    run(main, start=MONDAY_NOON)
