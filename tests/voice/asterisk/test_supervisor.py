"""A real Asterisk, started, found again, killed, hung, reloaded, drained and stopped."""

import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from callsheet.clock import SystemClock
from callsheet.core.sip import SipTrunk
from callsheet.voice.asterisk import embedded
from callsheet.voice.asterisk.control import ask
from callsheet.voice.asterisk.embedded import EmbeddedAsterisk
from callsheet.voice.asterisk.local import Local, Watch
from callsheet.voice.asterisk.standing import NodeState
from callsheet.voice.base import Answered, HungUp, NotDialed
from ports import free_port
from voice_nodes import dial, local, running_home, trunk_to, until, until_ready

ROOT = Path(__file__).parents[3]
KILLED = Path(__file__).parent / "killed_home.py"


async def console(folder: Path, command: str) -> str:
    return await ask(folder / "node/run", command)


async def test_a_node_is_started_calls_and_is_stopped(tmp_path, phone_network):
    async with running_home(tmp_path, trunk_to(phone_network)) as home:
        pid = home.standing.pid
        number = phone_network.number("0002")
        _, ear = await dial(home, number)
        end = await ear.end()

        assert (end.cause, end.sip_status) == (17, 486)
        (call,) = phone_network.await_calls(number, ended=1)
        assert "+12125550100" in call.caller
        assert "+12125550100" in call.asserted
        assert home.standing.version.startswith("1:2")

    assert home.standing.state is NodeState.stopped
    assert not Path(f"/proc/{pid}").exists()


def kill_one_that_calls(folder: Path, network, number: str) -> list[str]:
    """Run a process that calls a number, and kill it; return the call, and the process of its node."""
    words = [sys.executable, KILLED, folder, str(network.port), number]
    folders = os.pathsep.join(str(ROOT / name) for name in ("src", "tests"))
    with subprocess.Popen(
        words, env={**os.environ, "PYTHONPATH": folders}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            return process.stderr.readline().split()
        finally:
            process.kill()


async def test_the_next_start_finds_a_node_that_outlived_a_kill_and_its_call_goes_on(tmp_path, phone_network):
    number = phone_network.number("0001")
    reference, pid = kill_one_that_calls(tmp_path, phone_network, number)

    found = []
    home = EmbeddedAsterisk(local(tmp_path), SystemClock())
    home.on_found = lambda one: found.append(one) or (lambda _: None)
    home.use([trunk_to(phone_network)])
    await home.open()
    try:
        await until_ready(home)
        await until(lambda: found, "the call")

        assert home.standing.pid == int(pid)
        assert [(one.call.id, one.is_answered) for one in found] == [(reference, True)]
        assert [call.ended_at for call in phone_network.calls(number)] == [None]
    finally:
        await home.close()
    phone_network.await_calls(number, ended=1)


async def test_a_node_that_is_found_keeps_its_trunks_until_somebody_says_which_there_are(tmp_path, phone_network):
    kill_one_that_calls(tmp_path, phone_network, phone_network.number("0001"))
    home = EmbeddedAsterisk(local(tmp_path), SystemClock())
    await home.open()
    try:
        with capture_logs() as logs:
            await until(lambda: home.standing.state is NodeState.running, "the node")
            await until(lambda: home.nodes()[0].is_connected, "its connection")
            # It reloads after what it does when it runs, if it does.
            for _ in range(20):
                await SystemClock().sleep(0.05)
        assert "asterisk.reloaded" not in {entry["event"] for entry in logs}
        assert "trk-1" in await console(tmp_path, "pjsip show endpoints")
        home.use([])
        while "trk-1" in await console(tmp_path, "pjsip show endpoints"):
            await SystemClock().sleep(0.05)
    finally:
        await home.close()


async def test_a_node_that_dies_is_started_anew_and_its_calls_are_lost(tmp_path, phone_network):
    async with running_home(tmp_path, trunk_to(phone_network)) as home:
        _, ear = await dial(home, phone_network.number("0001"))
        await ear.hears(Answered)
        pid = home.standing.pid
        os.kill(pid, signal.SIGKILL)
        await ear.end()
        await until(lambda: home.standing.pid not in (0, pid), "another node")
        await until_ready(home)

        _, ear = await dial(home, phone_network.number("0002"))
        assert (await ear.end()).cause == 17


async def test_a_node_that_hangs_is_started_anew(tmp_path, phone_network):
    watch = Watch(look_seconds=0.1, looks_a_question=1, answer_seconds=2, most_silent=2)
    async with running_home(tmp_path, trunk_to(phone_network), watch=watch) as home:
        pid = home.standing.pid
        os.kill(pid, signal.SIGSTOP)
        await until(lambda: home.standing.pid not in (0, pid), "another node")
        await until_ready(home)


async def test_a_node_learns_of_new_trunks_while_its_calls_go_on(tmp_path, phone_network):
    one = trunk_to(phone_network, "trk-1")
    async with running_home(tmp_path, one) as home:
        pid = home.standing.pid
        _, ear = await dial(home, phone_network.number("0001"))
        await ear.hears(Answered)
        home.use([one, trunk_to(phone_network, "trk-2"), replace(one, id="trk-bad", username="a\nb", password="x")])
        while "trk-2" not in await console(tmp_path, "pjsip show endpoints"):
            await SystemClock().sleep(0.05)
        _, second = await dial(home, phone_network.number("0002"), trunk_id="trk-2")

        assert (await second.end()).cause == 17
        assert "trk-bad" not in await console(tmp_path, "pjsip show endpoints")
        assert home.standing.pid == pid
        assert not ear.heard(HungUp)


async def test_ports_and_secret_stay_and_are_for_nobody_else(tmp_path, phone_network):
    async with running_home(tmp_path, trunk_to(phone_network)) as home:
        first = home.supervisor.keep
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "node/etc").iterdir()}
    async with running_home(tmp_path, trunk_to(phone_network)) as home:
        assert home.supervisor.keep == first

    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE((tmp_path / "keep.json").stat().st_mode) == 0o600
    assert first.secret not in repr(first)


async def test_two_nodes_run_side_by_side(tmp_path, phone_network):
    trunk = trunk_to(phone_network)
    async with running_home(tmp_path / "a", trunk) as one, running_home(tmp_path / "b", trunk) as other:
        ears = [(await dial(home, phone_network.number("0002")))[1] for home in (one, other)]
        assert [(await ear.end()).cause for ear in ears] == [17, 17]


async def test_a_node_never_runs_as_root_where_another_user_can_come(phone_network):
    with tempfile.TemporaryDirectory(prefix="node-") as name:
        folder = Path(name)
        home = EmbeddedAsterisk(local(folder / "asterisk", pass_through=(folder,)), SystemClock())
        home.use([trunk_to(phone_network)])
        await home.open()
        try:
            await until_ready(home)
            status = Path(f"/proc/{home.standing.pid}/status").read_text()
            uid = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("Uid:"))
        finally:
            await home.close()

    assert uid != 0


async def test_nothing_is_fetched_or_started_without_a_trunk(tmp_path, phone_network):
    async with running_home(tmp_path) as home:
        await SystemClock().sleep(0.2)
        assert home.standing.state is NodeState.stopped
        assert not list(tmp_path.iterdir())
        assert (home.room("trk-1"), home.condition("trk-1").takes) == (0, False)

        home.put(trunk_to(phone_network))
        await until_ready(home)
        home.drop("trk-1")
        assert home.room("trk-1") == 0


async def test_a_node_that_cannot_be_fetched_says_what_to_do(tmp_path):
    home = EmbeddedAsterisk(
        Local(tmp_path, address="127.0.0.1", mirror=f"http://127.0.0.1:{free_port()}/none"), SystemClock()
    )
    home.use([SipTrunk("trk-1", "127.0.0.1", 5060)])
    await home.open()
    try:
        await until(lambda: home.standing.state is NodeState.broken, "the sentence")
        assert "debian_mirror" in home.standing.why
    finally:
        await home.close()


async def test_a_drained_node_takes_no_calls_and_is_empty_when_the_last_has_ended(tmp_path, phone_network):
    async with running_home(tmp_path, trunk_to(phone_network)) as home:
        call, ear = await dial(home, phone_network.number("0001"))
        await ear.hears(Answered)

        assert home.drain("local")
        assert (home.room("trk-1"), home.nodes()[0].calls) == (0, 1)
        await call.hang_up()
        await until(lambda: not home.nodes()[0].calls, "the end of its last call")


async def test_a_node_takes_as_many_calls_as_it_is_told(tmp_path, phone_network):
    async with running_home(tmp_path, trunk_to(phone_network), most_calls=2) as home:
        for _ in range(2):
            _, ear = await dial(home, phone_network.number("0001"))
            await ear.hears(Answered)

        (shown,) = home.nodes()
        assert (home.room("trk-1"), shown.calls, shown.most_calls) == (0, 2, 2)
        with pytest.raises(NotDialed):
            await dial(home, phone_network.number("0001"))
        # What it bears is the same however many calls go on.
        assert (home.bears({"trk-1", "trk-2"}), home.bears({"trk-2"})) == (2, 0)
        home.drain("local")
        assert home.bears({"trk-1"}) == 0


async def test_a_port_that_somebody_else_took_is_given_up(tmp_path, phone_network):
    async with running_home(tmp_path, trunk_to(phone_network)) as home:
        port = home.supervisor.keep.events_port
    with socket.create_server(("127.0.0.1", port)):
        async with running_home(tmp_path, trunk_to(phone_network)) as home:
            assert home.supervisor.keep.events_port != port
            _, ear = await dial(home, phone_network.number("0002"))
            assert (await ear.end()).cause == 17


async def test_a_folder_that_cannot_be_written_is_named_and_tried_again(tmp_path, phone_network):
    folder = tmp_path / "asterisk"
    folder.write_text("in the way")
    home = EmbeddedAsterisk(local(folder), SystemClock())
    home.use([trunk_to(phone_network)])
    await home.open()
    try:
        assert str(folder) in home.condition("trk-1").why

        folder.unlink()

        await until_ready(home)
    finally:
        await home.close()


async def test_a_port_that_the_settings_name_and_somebody_has_is_said(tmp_path, phone_network):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        home = EmbeddedAsterisk(local(tmp_path, sip_port=port), SystemClock())
        home.use([trunk_to(phone_network)])
        await home.open()
        try:
            await until(lambda: home.standing.state is NodeState.broken, "the sentence")
            assert f"port {port}" in home.standing.why
            assert "CALLSHEET_SIP_PORT" in home.standing.why

            taken.close()

            await until_ready(home)
        finally:
            await home.close()


async def test_a_trunk_over_which_we_break_keeps_no_other_from_the_node(tmp_path, phone_network):
    one = trunk_to(phone_network)
    async with running_home(tmp_path, one) as home:
        home.use([one, replace(one, id="trk-odd", ca_certificate="half of a sign: \ud800")])
        with capture_logs() as logs:
            await until(lambda: any(entry["log_level"] == "error" for entry in logs), "the fault")
        home.use([one, trunk_to(phone_network, "trk-2")])
        while "trk-2" not in await console(tmp_path, "pjsip show endpoints"):
            await SystemClock().sleep(0.05)


async def test_what_the_node_says_beside_its_log_is_not_kept(tmp_path, phone_network):
    watch = Watch(look_seconds=0.05)
    async with running_home(tmp_path, trunk_to(phone_network), watch=watch) as home:
        said = tmp_path / "node/said"
        await until(lambda: not said.stat().st_size, "an empty file")
        _, ear = await dial(home, phone_network.number("0002"))
        await ear.end()
        # It writes where the file ends, and that is its beginning.
        with said.open("ab") as file:
            file.write(b"+12125550171 is nobody's business")
        await until(lambda: not said.stat().st_size, "an empty file")
        logs = [path for path in (tmp_path / "node/log").iterdir() if path.is_file()]
        assert not [path for path in logs if b"2125550" in path.read_bytes()]


async def test_a_node_that_does_not_run_keeps_no_password_of_a_trunk_that_went(tmp_path, phone_network):
    trunk = replace(trunk_to(phone_network), username="somebody", password="very secret")
    async with running_home(tmp_path, trunk):
        pass
    (written,) = [path for path in (tmp_path / "node/etc").iterdir() if "very secret" in path.read_text()]

    async with running_home(tmp_path):
        assert not written.exists()

    async with running_home(tmp_path, trunk_to(phone_network)) as home:
        _, ear = await dial(home, phone_network.number("0002"))
        assert (await ear.end()).cause == 17


async def test_a_node_that_runs_is_found_by_who_begins_before_the_killed_one_has_let_go(tmp_path, phone_network):
    number = phone_network.number("0001")
    reference, pid = kill_one_that_calls(tmp_path, phone_network, number)
    home = EmbeddedAsterisk(local(tmp_path), SystemClock())
    found = []
    home.on_found = lambda one: found.append(one.call.id) or (lambda _: None)
    home.use([trunk_to(phone_network)])
    with socket.create_server(("127.0.0.1", home.supervisor.keep.events_port)) as taken:
        await home.open()
        taken.close()
    try:
        await until(lambda: found, "the call")
        assert (found, home.standing.pid) == ([reference], int(pid))
    finally:
        await home.close()


async def test_a_node_that_knows_a_port_that_was_taken_for_good_is_started_anew_at_once(
    tmp_path, phone_network, monkeypatch
):
    monkeypatch.setattr(embedded, "_MOST_MISSES", 1)
    _, pid = kill_one_that_calls(tmp_path, phone_network, phone_network.number("0001"))
    home = EmbeddedAsterisk(local(tmp_path), SystemClock())
    home.use([trunk_to(phone_network)])
    port = home.supervisor.keep.events_port
    with capture_logs() as logs, socket.create_server(("127.0.0.1", port)):
        await home.open()
        try:
            await until_ready(home)
        finally:
            await home.close()
    assert [entry["pid"] for entry in logs if entry["event"] == "asterisk.renewed"] == [int(pid)]
