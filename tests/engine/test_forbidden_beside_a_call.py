"""The other side of a transfer is forbidden while it is placed, while it rings, and from elsewhere. In virtual time."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from calling import PlainPrompts
from callsheet.core.asking import Leave
from callsheet.core.calling import Dial
from callsheet.core.campaign import Channel, Move
from callsheet.engine import campaigns, stopping
from callsheet.engine.holds import Scope
from callsheet.voice.base import Call, Hear
from callsheet.voice.sandbox.behaviour import Phone, phone_of
from callsheet.voice.sandbox.call import SandboxCall
from conversing import make_flow
from engine.calls import call, placed, play
from engine.test_ringing_back import SILENT, ringing_beside
from engine.test_transfers import AGENT, CALLER, dispositions, facts, handing, one
from engine.world import World
from factories import forbid

ANOTHER = "+12125569922"
DESK = "sip:desk@pbx.example"
Forbid = Callable[[World], Awaitable[None]]


def person(w: World, to: str) -> bytes:
    key = w.store.vault.app(w.app.no)
    assert key is not None
    return key.person(to)


async def list_it(w: World) -> None:
    """Put the agent and the silent phone on the global list, as another node does: only the store knows."""
    dnc = await w.store.dnc_lists.create(w.app.no, "Never", w.clock.now())
    await w.store.dnc_lists.make_global(dnc, w.clock.now())
    await forbid(w.store, w.app, dnc.no, [AGENT, SILENT])


async def list_it_here(w: World) -> None:
    await list_it(w)
    await w.conductor.forbid(Scope(w.app.no, persons=frozenset({person(w, AGENT), person(w, SILENT)})))


async def opt_out_elsewhere(w: World) -> None:
    await w.store.opt_outs.add(
        w.app.no, Channel.voice, "api", {person(w, AGENT), person(w, SILENT)}, w.clock.now()
    )  # fmt: skip
    await w.conductor.switchboard.ring_watch.look()


async def list_it_elsewhere(w: World) -> None:
    await list_it(w)
    await w.conductor.switchboard.ring_watch.look()


async def stop_it_all(w: World) -> None:
    await stopping.stop_all(w.runtime, w.app, "Wrong list", "me")


class HeldDial:
    """The request for a second call has gone out, and its answer waits until it is let go."""

    def __init__(self, w: World) -> None:
        self.has_gone, self.let_go = asyncio.Event(), asyncio.Event()
        dial = w.phones.dial

        async def held(trunk_id: str, what: Dial, leave: Leave, hear: Hear, beside: Call | None = None) -> SandboxCall:
            second = await dial(trunk_id, what, leave, hear, beside)
            if beside is not None:
                self.has_gone.set()
                await self.let_go.wait()
            return second

        w.phones.dial = held  # type: ignore[method-assign]


@pytest.fixture
def joined(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return where is noted which calls were joined."""
    found: list[str] = []
    join = SandboxCall.join

    async def noted(phone: SandboxCall, other: SandboxCall) -> None:
        found.append(other.id)
        await join(phone, other)

    monkeypatch.setattr(SandboxCall, "join", noted)
    return found


async def over(w: World) -> None:
    """Wait until no phone rings or talks, and that is recorded."""
    while w.phones.living():
        await w.clock.sleep(0.1)
    await w.clock.sleep(2)


@pytest.mark.parametrize(
    ("how", "to"),
    [
        *itertools.product([list_it_here, list_it_elsewhere, opt_out_elsewhere, stop_it_all], [SILENT, AGENT]),
        (stop_it_all, DESK),
    ],
)
def test_who_is_forbidden_while_the_request_is_on_its_way_is_hung_up_and_never_joined(
    tmp_path: Path, joined: list[str], how: Forbid, to: str
):
    async def main(w: World) -> None:
        held = HeldDial(w)
        if how is stop_it_all:
            # Whoever hangs up on calls is slow: the other node, or a link that is down.
            w.conductor.switchboard.hang_ups._store.of_node = asyncio.Event().wait  # type: ignore[method-assign,assignment]
        await call(w, [CALLER], flow=await make_flow(w.store, w.app, handing(number=to, answer_seconds=60)))
        await held.has_gone.wait()
        await how(w)
        if to != SILENT:
            while (await of(w, to)).status != "answered":
                await w.clock.sleep(0.1)
        held.let_go.set()
        let_go_at = w.clock.now()
        await w.clock.sleep(2)

        second = await of(w, to)
        assert second.ended_at is not None
        assert second.ended_at - let_go_at < timedelta(seconds=1)
        await over(w)
        assert joined == []
        caller = await one(w)
        assert await facts(w, caller.key, "transferred") == [{"outcome": "forbidden"}]
        assert len(await facts(w, caller.key, "transfer_answered_too_late")) == (to != SILENT)
        assert await facts(w, caller.key, "transfer_answered") == []
        (end,) = await facts(w, caller.key, "transfer_ended")
        assert (end["talk_seconds"] > 0) == (to != SILENT), "the provider bills it"
        assert await dispositions(w) == ["Agent Transfer Error"]

    play(tmp_path, main, prompts=PlainPrompts(2.0))


@pytest.mark.parametrize("how", [list_it_here, list_it_elsewhere, opt_out_elsewhere])
def test_who_answers_between_the_entry_and_the_hang_up_is_not_joined(tmp_path: Path, joined: list[str], how: Forbid):
    def phone(number: str) -> Phone:
        return Phone(answers=False, answers_late=True) if number == SILENT else phone_of(number)

    async def main(w: World) -> None:
        await ringing_beside(w, handing(number=SILENT, answer_seconds=60), SILENT)
        await how(w)
        await w.clock.sleep(2)

        assert (await of(w, SILENT)).ended_at is not None
        assert (await of(w, CALLER)).ended_at is None, "the caller goes on"
        await over(w)
        assert joined == []
        caller = await one(w)
        assert await facts(w, caller.key, "transferred") == [{"outcome": "forbidden"}]
        assert len(await facts(w, caller.key, "transfer_answered_too_late")) == 1

    play(tmp_path, main, prompts=PlainPrompts(2.0), phones=phone)


def test_who_answered_before_the_entry_talks_on(tmp_path: Path, joined: list[str]):
    async def main(w: World) -> None:
        await call(w, [CALLER], flow=await make_flow(w.store, w.app, handing(number=AGENT)))
        while not joined:
            await w.clock.sleep(0.1)
        await list_it_here(w)
        await w.conductor.switchboard.ring_watch.look()
        await over(w)

        caller = await one(w)
        assert await facts(w, caller.key, "transferred") == [{"outcome": "connected"}]
        (end,) = await facts(w, caller.key, "transfer_ended")
        assert end["talk_seconds"] > 10

    play(tmp_path, main, prompts=PlainPrompts(2.0))


async def nothing_of_it(w: World) -> None:
    """Forbid what no second call is meant by: single messages are paused, or a list becomes the global one."""
    await w.conductor.forbid(Scope(w.app.no))


async def stop_the_run(w: World) -> None:
    (state,) = w.conductor.agenda.states.values()
    campaign = await w.store.campaigns.find(w.app.no, campaign_id=state.run.campaign_id)
    assert campaign is not None
    await campaigns.move(w.runtime, campaign, Move.stop)
    await w.conductor.switchboard.ring_watch.look()


async def stop_a_text(w: World) -> None:
    """The agent wants no texts."""
    await w.store.opt_outs.add(w.app.no, Channel.sms, "api", {person(w, AGENT)}, w.clock.now())
    await w.conductor.forbid(Scope(w.app.no, persons=frozenset({person(w, AGENT)})))


@pytest.mark.parametrize("how", [nothing_of_it, stop_the_run, stop_a_text])
@pytest.mark.parametrize("when", ["before it leaves", "on its way"])
def test_who_is_not_meant_is_put_through(tmp_path: Path, joined: list[str], how: Forbid, when: str):
    async def main(w: World) -> None:
        held, spared = HeldDial(w), w.store.standings.is_spared
        asked = 0

        async def forbid_meanwhile(*args: Any) -> bool:
            nonlocal asked
            found = await spared(*args)
            asked += 1
            if when == "before it leaves" and asked == 1:
                await how(w)
            return found

        w.store.standings.is_spared = forbid_meanwhile  # type: ignore[method-assign]
        # The run goes on as long as somebody is rung for it.
        await call(w, [CALLER, ANOTHER], flow=await make_flow(w.store, w.app, handing(number=AGENT)))
        await held.has_gone.wait()
        if when == "on its way":
            await how(w)
        held.let_go.set()
        await over(w)

        assert len(joined) == 1
        assert await facts(w, (await one(w)).key, "transferred") == [{"outcome": "connected"}]
        assert [each.to for each in await placed(w)].count(AGENT) == 1

    play(tmp_path, main, prompts=PlainPrompts(2.0))


async def of(w: World, to: str) -> Any:
    """Return what the network has of the only call to a number."""
    (found,) = [each for each in await placed(w) if each.to == to]
    return found
