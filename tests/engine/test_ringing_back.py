"""While the other side of a transfer rings: what the caller hears, and who may end it. In virtual time."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from calling import PlainPrompts
from callsheet.engine import stopping
from callsheet.engine.calling.prompts import RINGING
from callsheet.engine.holds import Scope
from callsheet.voice.base import Sound
from callsheet.voice.sandbox.call import SandboxCall
from conversing import make_flow
from engine.calls import call, placed, play
from engine.test_flows_of_calls import lines, talked
from engine.test_transfers import AGENT, CALLER, SORRY, BlipBefore, dispositions, facts, handing, one
from engine.world import World
from factories import forbid

SILENT = "+12125559922"
BUSY = "+12125559921"


class Loudspeaker:
    """Notes what is played to a caller, and when all of it is stopped."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said: list[str] = []
        plain, stop, join = SandboxCall.play, SandboxCall.stop_playing, SandboxCall.join

        async def played(phone: SandboxCall, sound: Sound) -> str:
            self.said.append(sound.path.name)
            return await plain(phone, sound)

        async def stopped(phone: SandboxCall) -> None:
            self.said.append("(stop)")
            await stop(phone)

        async def joined(phone: SandboxCall, other: SandboxCall) -> None:
            self.said.append("(joined)")
            await join(phone, other)

        monkeypatch.setattr(SandboxCall, "play", played)
        monkeypatch.setattr(SandboxCall, "stop_playing", stopped)
        monkeypatch.setattr(SandboxCall, "join", joined)


@pytest.mark.parametrize(
    ("config", "heard"), [({}, RINGING), ({"waiting": "Please hold"}, "Please hold")], ids=["ringing", "its own"]
)
def test_a_caller_hears_that_it_rings_until_somebody_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: dict[str, Any], heard: str
):
    said = Loudspeaker(monkeypatch).said

    async def main(w: World) -> None:
        await talked(w, [CALLER], handing(number=AGENT, **config))
        assert await facts(w, (await one(w)).key, "transferred") == [{"outcome": "connected"}]

        begin, joined = said.index("One moment") + 1, said.index("(joined)")
        assert set(said[begin : joined - 1]) == {heard}
        assert said[joined - 1] == "(stop)", "nothing plays while the two talk"
        assert heard not in said[joined:]

    play(tmp_path, main, prompts=PlainPrompts(2.0))


@pytest.mark.parametrize(("to", "least"), [(SILENT, 9), (BUSY, 1)])
def test_it_rings_on_as_long_as_nobody_answers_and_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str, least: int
):
    said = Loudspeaker(monkeypatch).said

    async def main(w: World) -> None:
        await talked(w, [CALLER], handing(number=to, answer_seconds=20))

        rings = [place for place, what in enumerate(said) if what == RINGING]
        assert least <= len(rings) <= 12
        assert said[rings[-1] + 1 :] == ["(stop)", SORRY]

    play(tmp_path, main, prompts=PlainPrompts(2.0))


async def ringing_beside(w: World, flow: dict[str, Any], to: str) -> None:
    """Call somebody, and wait until the other side of their transfer rings."""
    await call(w, [CALLER], flow=await make_flow(w.store, w.app, flow))
    while to not in {each.to for each in await placed(w)}:
        await w.clock.sleep(0.1)
    await w.clock.sleep(1)


def test_what_stops_all_sending_ends_a_call_that_rings_beside_another_one_with_it(tmp_path: Path):
    async def main(w: World) -> None:
        await ringing_beside(w, handing(number=SILENT, answer_seconds=60), SILENT)
        stopped_at = w.clock.now()
        await stopping.stop_all(w.runtime, w.app, "Wrong list", "me")
        while w.phones.living():
            await w.clock.sleep(0.1)

        assert w.clock.now() - stopped_at < timedelta(seconds=3)
        calls = {each.to: each for each in await placed(w)}
        assert calls[SILENT].status == "cancelled"
        assert calls[CALLER].status == "answered"

    play(tmp_path, main, prompts=PlainPrompts(2.0))


@pytest.mark.parametrize("when", ["before it is asked for", "when it is asked for"])
def test_when_all_sending_is_stopped_nobody_is_called_beside_a_call(tmp_path: Path, when: str):
    prompts = BlipBefore(0)

    async def main(w: World) -> None:
        spared, begun = w.store.standings.is_spared, asyncio.Event()

        async def stop(*args: Any) -> bool:
            # It was asked whether they are spared, and the answer is on its way.
            found = await spared(*args)
            await stopping.stop_all(w.runtime, w.app, "Wrong list", "me")
            begun.set()
            return found

        # Whoever hangs up on calls is slow: the other node, or a link that is down.
        w.conductor.switchboard.hang_ups._store.of_node = asyncio.Event().wait  # type: ignore[method-assign,assignment]
        if when == "when it is asked for":
            w.store.standings.is_spared = stop  # type: ignore[method-assign]
        await call(w, [CALLER], flow=await make_flow(w.store, w.app, handing(number=AGENT)))
        while when == "before it is asked for" and not begun.is_set():
            if prompts.is_armed:
                await w.store.sending.stop(w.app.no, "Wrong list", "me", w.clock.now())
                begun.set()
            await w.clock.sleep(0.01)
        await begun.wait()
        await w.clock.sleep(10)

        assert {each.to for each in await placed(w)} == {CALLER}

    play(tmp_path, main, prompts=prompts)


def test_who_is_put_on_a_list_while_their_phone_rings_beside_a_call_is_rung_no_more(tmp_path: Path):
    async def main(w: World) -> None:
        dnc = await w.store.dnc_lists.create(w.app.no, "Never", w.clock.now())
        await w.store.dnc_lists.make_global(dnc, w.clock.now())
        await ringing_beside(w, handing(number=SILENT, answer_seconds=60), SILENT)
        key = w.store.vault.app(w.app.no)
        assert key is not None
        await forbid(w.store, w.app, dnc.no, [SILENT])
        await w.conductor.forbid(Scope(w.app.no, persons=frozenset({key.person(SILENT)})))
        await w.clock.sleep(1)

        calls = {each.to: each for each in await placed(w)}
        assert calls[SILENT].ended_at is not None
        assert CALLER in {each.to for each in await placed(w) if each.ended_at is None}, "the caller goes on"
        while w.phones.living():
            await w.clock.sleep(0.5)
        await w.clock.sleep(2)
        caller = await one(w)
        assert await facts(w, caller.key, "transferred") == [{"outcome": "forbidden"}]
        assert [text for by, text, _ in await lines(w, caller.conversation_id) if by == "flow"][-1] == SORRY
        assert await dispositions(w) == ["Agent Transfer Error"]

    play(tmp_path, main, prompts=PlainPrompts(2.0))
