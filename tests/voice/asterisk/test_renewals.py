"""A node that somebody wants to be started anew: emptied before, or not in time, and given calls again."""

from structlog.testing import capture_logs

from callsheet.voice.base import Answered, HungUp
from voice_nodes import dial, running_home, trunk_to, until, until_ready


async def test_a_node_is_started_anew_when_its_last_call_has_ended(tmp_path, phone_network):
    async with running_home(tmp_path, trunk_to(phone_network)) as home:
        pid = home.standing.pid
        call, ear = await dial(home, phone_network.number("0001"))
        await ear.hears(Answered)

        assert home.restart("local", 3600)
        assert not home.restart("elsewhere", 3600)
        assert (home.room("trk-1"), home.nodes()[0].is_draining) == (0, True)
        assert not ear.heard(HungUp)
        await call.hang_up()

        assert isinstance(await ear.end(), HungUp)
        await until(lambda: home.standing.pid not in (0, pid), "another node")
        await until_ready(home)
        assert not home.nodes()[0].is_draining
        _, ear = await dial(home, phone_network.number("0002"))
        assert (await ear.end()).cause == 17


async def test_calls_that_do_not_end_in_time_are_hung_up_and_the_node_is_started_anew(tmp_path, phone_network):
    async with running_home(tmp_path, trunk_to(phone_network)) as home:
        pid = home.standing.pid
        home.drain("local")
        home.resume("local")
        _, ear = await dial(home, phone_network.number("0001"))
        await ear.hears(Answered)
        with capture_logs() as logs:
            home.restart("local", 0)

            assert (await ear.end()).by_us
            await until(lambda: home.standing.pid not in (0, pid), "another node")
        assert "asterisk.not_running" not in {entry["event"] for entry in logs}
        await until_ready(home)


async def test_a_node_that_is_to_be_started_anew_runs_on_when_it_is_given_calls_again(tmp_path, phone_network):
    async with running_home(tmp_path, trunk_to(phone_network)) as home:
        pid = home.standing.pid
        call, ear = await dial(home, phone_network.number("0001"))
        await ear.hears(Answered)

        assert home.restart("local", 3600)
        assert home.resume("local")

        assert (bool(home.room("trk-1")), home.nodes()[0].is_draining) == (True, False)
        await call.hang_up()
        await ear.end()
        with capture_logs() as logs:
            # It would have been ended by the end of a second call.
            _, ear = await dial(home, phone_network.number("0002"))
            assert (await ear.end()).cause == 17
        assert home.standing.pid == pid
        assert "asterisk.renewed" not in {entry["event"] for entry in logs}


async def test_a_node_that_is_to_drain_does_so_when_it_was_started_anew(tmp_path, phone_network):
    async with running_home(tmp_path, trunk_to(phone_network)) as home:
        pid = home.standing.pid
        home.drain("local")
        home.restart("local", 3600)
        await until(lambda: home.standing.pid not in (0, pid) and home.nodes()[0].is_connected, "another node")
        assert (home.room("trk-1"), home.nodes()[0].is_draining) == (0, True)

        home.resume("local")
        await until_ready(home)
