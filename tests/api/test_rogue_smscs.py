"""An SMSC that sends garbage, answers late or never, or lets nobody in: campaigns of other trunks do not notice."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from typing import Any

from api.callers import ALWAYS, SENDER, Caller, unique, until
from callsheet.carriers.smpp import commands as c
from callsheet.carriers.smpp.account import LONGEST_ANSWER_SECONDS
from callsheet.carriers.smpp.pdu import Message, answer_to
from carriers.smpp.rogue import Link, Play, playing, polite
from phone_numbers import numbers

PEOPLE = 10
"""Are sent to by each campaign beside the rogues."""


class Rogues:
    """What each does once somebody is bound, or wants to be."""

    def __init__(self) -> None:
        self.asked: dict[str, Counter[str]] = {"garbage": Counter(), "slow": Counter(), "never": Counter()}
        """Who was to be texted, by the rogue that was asked."""
        self.enough = asyncio.Event()
        """The slow one answers now."""

    async def garbage(self, link: Link) -> None:
        await self._read(link, "garbage")
        link.writer.write(bytes(range(256)) * 64)
        await link.read(c.UNBIND)

    async def slow(self, link: Link) -> None:
        while True:
            submit = await self._read(link, "slow")
            await self.enough.wait()
            link.writer.write(answer_to(submit, f"id-{submit.sequence}"))

    async def never(self, link: Link) -> None:
        while True:
            await self._read(link, "never")

    async def lets_nobody_in(self, link: Link) -> None:
        await link.read()

    async def _read(self, link: Link, name: str) -> Any:
        submit = await link.read(c.SUBMIT_SM)
        assert isinstance(submit.body, Message)
        self.asked[name][submit.body.destination] += 1
        return submit


async def start(shop: Caller, port: int, sender_number: str, *people: str) -> str:
    """Start a campaign through a trunk of its own, and return the run."""
    # We wait for answers as long as is allowed: nobody gives up before the others are through.
    settings = {"host": "127.0.0.1", "port": port, "system_id": "us", "answer_seconds": LONGEST_ANSWER_SECONDS}
    made = await shop.v1("POST", "/trunks", {"name": unique("Rogue"), "carrier": "smpp", "settings": settings})
    sender = (await shop.v1("POST", "/senders", {"number": sender_number})).json()
    await shop.v1("PATCH", f"/senders/{sender['id']}", {"trunk_id": made.json()["id"]})
    return await play(shop, sender_number, *people)


async def play(shop: Caller, sender_number: str, *people: str) -> str:
    strategy = {"callerId": {"phoneNumber": sender_number}, "callingHours": ALWAYS}
    answer = await shop.trigger(await shop.make_campaign(*people, dialingStrategy=strategy), "play")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["campaignInstanceId"])


async def states(shop: Caller, run: str) -> Counter[str]:
    return Counter([one["state"] async for one in shop.pages(f"/runs/{run}/attempts")])


async def test_a_campaign_beside_rogues_is_delivered_to_its_end_while_they_keep_theirs_waiting(shop):
    rogues = Rogues()
    plays: dict[str, tuple[Play, Play | None]] = {
        "garbage": (rogues.garbage, None),
        "slow": (rogues.slow, None),
        "never": (rogues.never, None),
        "lets nobody in": (rogues.never, rogues.lets_nobody_in),
    }
    async with AsyncExitStack() as stack:
        ports = [await stack.enter_async_context(playing(*play_so)) for play_so in plays.values()]
        begun = [
            start(shop, port, f"+1212555{7000 + place}", numbers("IN", place + 1)[place])
            for place, port in enumerate(ports)
        ]
        runs = dict(zip(plays, await asyncio.gather(*begun), strict=True))

        async def all_asked() -> bool:
            return all(rogues.asked.values())

        await until(all_asked)
        healthy = await play(shop, SENDER, *numbers("IN", PEOPLE, ending="1111"))
        port = await stack.enter_async_context(playing(polite))
        begun_later = await start(shop, port, "+12125557900", *numbers("GB", PEOPLE, ending="1111"))

        async def are_through() -> bool:
            found = [await states(shop, run) for run in (healthy, begun_later)]
            return found == [{"delivered": PEOPLE}, {"accepted": PEOPLE}]

        await until(are_through)
        assert await states(shop, runs["slow"]) == {"pending": 1}
        assert await states(shop, runs["never"]) == {"pending": 1}
        assert await states(shop, runs["lets nobody in"]) == {}

        async def is_known(name: str, *wanted: str) -> None:
            async def known() -> bool:
                return set(await states(shop, runs[name])) <= set(wanted)

            await until(known)

        rogues.enough.set()
        await is_known("slow", "accepted")
        await is_known("garbage", "uncertain")
    await is_known("never", "uncertain")
    assert {name: list(asked.values()) for name, asked in rogues.asked.items()} == {name: [1] for name in rogues.asked}
