"""Callers are put through, in virtual time: the other side is called beside them, and what came of it leads on."""

import math
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from calling import PlainPrompts
from callsheet.core.allowance import Allowance
from callsheet.core.campaign import Channel
from callsheet.core.errors import Unavailable
from callsheet.core.flow.effects import Say
from callsheet.core.ids import AttemptKey
from callsheet.core.run import AppSettings
from callsheet.engine.calling.patience import MOST_AWAY_SECONDS
from callsheet.voice.base import Sound
from conversing import ASK, LATER, QUESTION, THANKS, block, exit_to, message
from databases import rows
from engine.calls import placed, play
from engine.test_flows_of_calls import lines, talked, told
from engine.test_phone_talk import asked, document
from engine.world import World
from factories import forbid, trunk_of

CALLER, AGENT = "+12125550001", "+12125550777"
SOLVED, SORRY = "Thank you for talking", "Nobody is there"


def handing(**config: Any) -> dict[str, Any]:
    """Write a flow that asks, and hands over whoever presses 1."""
    return document(
        asked(ASK, QUESTION, 1, exit_to(LATER, "agent")),
        block(
            LATER, "help", "Callsheet.HandOver", {"prompt": "One moment", **config},
            exit_to(THANKS, "talked", "block.value = 'connected'"), exit_to("sorry", "other"),
        ),
        message(THANKS, "thanks", SOLVED),
        message("sorry", "sorry", SORRY),
    )  # fmt: skip


async def facts(w: World, key: AttemptKey, what: str) -> list[Any]:
    """Return what is kept of some moments of a call."""
    found = await w.store.told_calls.find(w.app.no, key, w.clock.now())
    assert found is not None
    return [
        {key: value for key, value in each.items() if key not in ("at", "what")}
        for each in found[1]
        if each["what"] == what
    ]


async def one(w: World) -> Any:
    (call,) = [call for number, call in (await told(w)).items() if number == CALLER]
    return call


async def dispositions(w: World) -> list[str]:
    return [row.disposition for row in await rows(w.store, "select disposition from flow_session")]


def test_a_caller_is_put_through_and_the_flow_goes_on_when_they_have_talked(tmp_path: Path):
    async def main(w: World) -> None:
        await talked(w, [CALLER], handing(number=AGENT))
        call = await one(w)

        heard = [text for by, text, _ in await lines(w, call.conversation_id) if by == "flow"]
        assert heard == [QUESTION, "One moment", SOLVED]
        assert await facts(w, call.key, "transferred") == [{"outcome": "connected"}]
        assert len(await facts(w, call.key, "joined")) == 1
        assert call.ended_at - call.answered_at > timedelta(seconds=20), "they talked"
        phones = {one.to: one for one in await placed(w)}
        assert set(phones) == {CALLER, AGENT}
        assert (phones[AGENT].sender, phones[AGENT].status) == (phones[CALLER].sender, "answered")
        assert phones[AGENT].ended_at <= phones[CALLER].ended_at
        assert await dispositions(w) == [""]
        trunk = await trunk_of(w.store, w.app)
        assert await facts(w, call.key, "transfer_dialed") == [{"to": AGENT, "trunk": trunk.id}]
        assert len(await facts(w, call.key, "transfer_answered")) == 1
        (end,) = await facts(w, call.key, "transfer_ended")
        assert end["cause"] == 16
        assert 10 < end["talk_seconds"] <= (phones[AGENT].ended_at - phones[AGENT].placed_at).total_seconds()

    play(tmp_path, main, prompts=PlainPrompts(2.0))


@pytest.mark.parametrize(
    ("to", "outcome", "is_called"),
    [
        ("+12125559921", "busy", True),
        ("+12125559922", "no_answer", True),
        ("+12125559923", "rejected", True),
        ("+12125559905", "invalid_number", True),
        ("+12125559907", "unreachable", False),
        ("911", "forbidden", False),
        ("112", "forbidden", False),
        ("sip:911@carrier.example", "forbidden", False),
        ("not a number", "invalid_number", False),
        ("", "no_agents", False),
    ],
)
def test_who_cannot_be_put_through_goes_on_by_the_default_exit(tmp_path: Path, to: str, outcome: str, is_called: bool):
    async def main(w: World) -> None:
        await talked(w, [CALLER], handing(number=to, answer_seconds=10))
        call = await one(w)

        heard = [text for by, text, _ in await lines(w, call.conversation_id) if by == "flow"]
        assert heard == [QUESTION, "One moment", SORRY]
        assert await facts(w, call.key, "transferred") == [{"outcome": outcome}]
        assert await dispositions(w) == ["Agent Transfer Error"]
        assert ((to in {one.to for one in await placed(w)}) and to != "+12125559907") == is_called
        assert await rows(w.store, "select 1 from slot") == []

    play(tmp_path, main, prompts=PlainPrompts(2.0))


def test_a_queue_with_a_number_is_put_through_and_one_that_is_closed_is_not(tmp_path: Path):
    async def main(w: World) -> None:
        now = w.clock.now()
        queue = await w.store.queues.create(w.app.no, {"name": "Support", "number": AGENT}, now)
        await talked(w, [CALLER], handing(queue="support"))
        assert await facts(w, (await one(w)).key, "transferred") == [{"outcome": "connected"}]
        await w.store.queues.change(w.app.no, queue.id, {"is_active": False}, now)
        await talked(w, [CALLER], handing(queue="support"))
        assert await facts(w, (await one(w)).key, "transferred") == [{"outcome": "no_agents"}]

    play(tmp_path, main, prompts=PlainPrompts(2.0))


@pytest.mark.parametrize(
    "to", [AGENT, f"sip:{AGENT}@carrier.example", f"SIP:{AGENT.removeprefix('+')}@carrier.example"]
)
def test_nobody_is_put_through_to_who_has_opted_out_or_is_on_the_global_list(tmp_path: Path, to: str):
    async def main(w: World) -> None:
        key = w.store.vault.app(w.app.no)
        assert key is not None
        await w.store.opt_outs.add(w.app.no, Channel.voice, "api", {key.person(AGENT)}, w.clock.now())
        await talked(w, [CALLER], handing(number=to))
        assert await facts(w, (await one(w)).key, "transferred") == [{"outcome": "forbidden"}]
        assert {one.to for one in await placed(w)} == {CALLER}

    play(tmp_path, main, prompts=PlainPrompts(2.0))


def test_nobody_is_put_through_to_who_is_on_the_global_list(tmp_path: Path):
    async def main(w: World) -> None:
        dnc = await w.store.dnc_lists.create(w.app.no, "Never", w.clock.now())
        await w.store.dnc_lists.make_global(dnc, w.clock.now())
        await forbid(w.store, w.app, dnc.no, [AGENT])
        await talked(w, [CALLER], handing(number=AGENT))
        assert await facts(w, (await one(w)).key, "transferred") == [{"outcome": "forbidden"}]
        assert {one.to for one in await placed(w)} == {CALLER}

    play(tmp_path, main, prompts=PlainPrompts(2.0))


class BlipBefore(PlainPrompts):
    """The store refuses one thing, so many times, once callers were told that they are put through."""

    def __init__(self, times: float) -> None:
        super().__init__(2.0)
        self.times = times
        self.refused = 0
        self.is_armed = False

    async def prepare(self, app: int, say: Say, language: str) -> Sequence[Sound]:
        self.is_armed |= say.text == "One moment"
        return await super().prepare(app, say, language)

    def refuse(self, room: object, name: str) -> None:
        asked = getattr(room, name)

        async def blip(*args: Any, **more: Any) -> Any:
            if self.is_armed and self.refused < self.times:
                self.refused += 1
                raise Unavailable
            return await asked(*args, **more)

        setattr(room, name, blip)


@pytest.mark.parametrize("what", ["queues.called", "standings.is_spared", "hot.lease_rate"])
@pytest.mark.parametrize("times", [1, math.inf])
def test_a_caller_is_put_through_although_the_store_blips_and_waits_for_one_that_is_away_not_for_long(
    tmp_path: Path, what: str, times: float
):
    prompts = BlipBefore(times)

    async def main(w: World) -> None:
        await w.store.queues.create(w.app.no, {"name": "Support", "number": AGENT}, w.clock.now())
        trunk = await trunk_of(w.store, w.app)
        await w.store.trunks.change(w.app.no, trunk.id, {"allowance": Allowance(10.0)}, w.clock.now())
        room, name = what.split(".")
        prompts.refuse(getattr(w.store, room), name)
        await talked(w, [CALLER], handing(queue="support"))

        call = await one(w)
        assert prompts.refused
        if times == 1:
            assert await facts(w, call.key, "transferred") == [{"outcome": "connected"}]
        else:
            assert {each.to for each in await placed(w)} == {CALLER}
            assert call.ended_by == "us"
            assert call.ended_at - call.answered_at < timedelta(seconds=MOST_AWAY_SECONDS + 15)
            assert await rows(w.store, "select 1 from slot") == []
        assert not any(w.conductor._slots._used.values())

    play(tmp_path, main, prompts=prompts)


def test_the_second_call_takes_a_place_and_there_may_be_none(tmp_path: Path):
    async def main(w: World) -> None:
        await talked(w, [CALLER], handing(number=AGENT))
        assert await facts(w, (await one(w)).key, "transferred") == [{"outcome": "no_room"}]

    play(tmp_path, main, prompts=PlainPrompts(2.0), settings=AppSettings(agentless_concurrent_calls=1))


def test_a_caller_who_hangs_up_while_it_rings_frees_the_other_side(tmp_path: Path):
    async def main(w: World) -> None:
        config = {"number": "+12125559922", "answer_seconds": 60}
        flow = document(block(LATER, "help", "Callsheet.HandOver", config, exit_to(None, "x")))
        await talked(w, ["+12125559903"], flow)
        calls = {one.to: one for one in await placed(w)}
        assert calls["+12125559922"].status == "cancelled"
        endings = await rows(w.store, "select ending from flow_session")
        assert [row.ending for row in endings] == ["hung_up"]

    play(tmp_path, main, prompts=PlainPrompts(0.5))


def test_who_waits_in_the_inbox_of_a_queue_without_a_number_was_told_so(tmp_path: Path):
    async def main(w: World) -> None:
        await talked(w, [CALLER], handing(when_nobody="inbox"))
        (session,) = await rows(w.store, "select awaits from flow_session")
        assert session.awaits == "person"

    play(tmp_path, main, prompts=PlainPrompts(2.0))
