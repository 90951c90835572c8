"""A node that is well, and that who leads its calls does not hear: it is the network between them that broke."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from structlog.testing import capture_logs

from callsheet.clock import SystemClock
from callsheet.voice.asterisk.configuration import Dispatcher
from callsheet.voice.asterisk.embedded import EmbeddedAsterisk
from callsheet.voice.asterisk.keep import open_keep
from callsheet.voice.asterisk.local import Watch
from callsheet.voice.base import Answered, HungUp, Lost, Played
from ports import free_port
from strangers.phone_network import PhoneNetwork
from voice.asterisk.calls import make_tone
from voice.asterisk.relay import Relay
from voice.asterisk.remote_nodes import outpost_of, running_center, until_connected
from voice_nodes import dial, local, trunk_to, until, until_ready

ECHO = "0001"
CLOSELY = Watch(look_seconds=0.05, looks_a_question=1, most_unheard=100_000)
"""It is asked so often that it would have been killed for a hanging one within a moment."""


@asynccontextmanager
async def home_behind_a_relay(
    folder: Path, network: PhoneNetwork, watch: Watch
) -> AsyncIterator[tuple[EmbeddedAsterisk, Relay]]:
    """Run an engine whose node dials in through a relay."""
    keep = open_keep(folder / "keep.json", is_in_use=False)
    relay = Relay(free_port())
    through = Dispatcher(f"ws://127.0.0.1:{relay.port}", "local", keep.secret)
    home = EmbeddedAsterisk(local(folder, dispatcher=through), SystemClock(), watch)
    home.use([trunk_to(network)])
    await relay.mend(keep.events_port)
    await home.open()
    try:
        await until_ready(home)
        yield home, relay
    finally:
        await home.close()
        await relay.cut()


async def test_a_node_that_is_not_heard_for_a_while_keeps_its_calls(tmp_path, phone_network):
    async with home_behind_a_relay(tmp_path, phone_network, CLOSELY) as (home, relay):
        pid = home.standing.pid
        call, ear = await dial(home, phone_network.number(ECHO))
        await ear.hears(Answered)

        await relay.cut()
        await until(lambda: home.supervisor.pulse.unheard > 2 * CLOSELY.most_silent, "the silence")
        await relay.mend(home.supervisor.keep.events_port)

        await until_ready(home)
        await call.play(make_tone(tmp_path / "tone.wav", seconds=0.2))
        await ear.hears(Played)
        assert home.supervisor.pulse.unheard == 0
        assert (home.standing.pid, ear.heard(HungUp)) == (pid, False)


async def test_a_node_that_is_never_heard_again_is_ended_in_order_and_started_anew(tmp_path, phone_network):
    watch = Watch(look_seconds=0.25, looks_a_question=1, most_unheard=20)
    async with home_behind_a_relay(tmp_path, phone_network, watch) as (home, relay):
        number = phone_network.number(ECHO)
        _, ear = await dial(home, number)
        await ear.hears(Answered)
        pid = home.standing.pid
        with capture_logs() as logs:
            await relay.cut()
            await until(lambda: home.standing.pid not in (0, pid), "another node")

        assert [entry["pid"] for entry in logs if entry["event"] == "asterisk.unheard"] == [pid]
        assert "asterisk.hangs" not in {entry["event"] for entry in logs}
        # Who is killed says good-bye to nobody.
        phone_network.await_calls(number, ended=1)
        await ear.end()
        await relay.mend(home.supervisor.keep.events_port)
        await until_ready(home)


async def test_a_node_elsewhere_with_a_link_that_is_half_open_keeps_its_calls(tmp_path, phone_network):
    port, relay = free_port(), Relay(free_port())
    async with running_center(tmp_path, trunk_to(phone_network), port=port) as center:
        await relay.mend(port)
        outpost = outpost_of(tmp_path, "east", relay.port, watch=CLOSELY)
        await outpost.open()
        try:
            await until_connected(center, "east")
            pid = outpost.supervisor.standing.pid
            call, ear = await dial(center, phone_network.number(ECHO))
            await ear.hears(Answered)

            # The server has no connection any more, the node still has one; their other one is well.
            relay.halve(b"GET /node")
            await until(lambda: outpost.supervisor.pulse.unheard > 2 * CLOSELY.most_silent, "the silence")
            await relay.mend(port)

            await until_connected(center, "east")
            await call.play(make_tone(tmp_path / "tone.wav", seconds=0.2))
            await ear.hears(Played)
            assert (outpost.supervisor.standing.pid, ear.heard(Lost)) == (pid, False)
        finally:
            await outpost.close()
            await relay.cut()
