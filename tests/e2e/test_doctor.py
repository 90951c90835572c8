"""The doctor is asked when something is wrong: it must come through, change nothing, and not call the ill well."""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.running import callsheet, environment, server, until
from house.tree import ROOT
from ports import deaf_port
from postgres import create_database, drop_database


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "var"


def examined(data: Path, *more: str, code: int = 0, **settings: str) -> dict[str, dict]:
    """Return the findings by their check."""
    done = callsheet("doctor", "--json", *more, data=data, **settings)
    assert done.returncode == code, done.stdout + done.stderr
    return {finding["check"]: finding for finding in json.loads(done.stdout)["findings"]}


def levels(found: dict[str, dict], *wanted: str) -> set[str]:
    return {check for check, finding in found.items() if finding["level"] in wanted}


def test_a_server_that_is_well_is_well_and_so_is_its_folder_after_it(data):
    with server(data):
        during = examined(data)
    after = examined(data, "--port", "0")

    # How fast and how full this machine's disk is, is none of this test's business.
    assert levels(during, "warn", "fail") <= {"sync", "space"}
    assert levels(after, "warn", "fail") <= {"sync", "space"}
    assert "is ready" in during["server"]["sentence"]
    assert "No server runs" in after["server"]["sentence"]
    assert not list(data.glob(".doctor*"))


def test_before_the_first_start_nothing_is_made(data):
    found = examined(data, "--port", "0", PROT="1")

    assert levels(found, "warn") == {"folder", "settings"}
    assert not data.exists()


def test_a_port_that_another_program_has_fails(data):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        found = examined(data, "--port", str(other.getsockname()[1]), code=1)

    assert levels(found, "fail") == {"server"}


def test_a_wrong_key_and_a_lost_one_and_a_folder_that_others_read_are_named(data):
    callsheet("migrate", data=data)
    data.chmod(0o755)
    with server(data):
        pass
    wrong = examined(data, "--port", "0", code=1, MASTER_KEY="5a" * 32)
    (data / "master.key").unlink()
    lost = examined(data, "--port", "0", code=1)

    assert levels(wrong, "fail") == levels(lost, "fail") == {"key"}
    assert "folder" in levels(wrong, "warn")
    assert not (data / "master.key").exists()


def test_a_damaged_database_fails(data):
    callsheet("migrate", data=data)
    content = bytearray((data / "callsheet.db").read_bytes())
    content[4096 : 4096 * 6] = b"\x5a" * (4096 * 5)
    (data / "callsheet.db").write_bytes(content)
    damaged = examined(data, "--port", "0", code=1)
    (data / "callsheet.db").write_text("hello")
    none = examined(data, "--port", "0", code=1)

    assert levels(damaged, "fail") == levels(none, "fail") == {"database"}


def test_of_a_running_server_it_tells_how_the_trunks_stand_and_who_cannot_call_it(data):
    twilio = {"account_sid": "AC" + "0" * 32, "auth_token": "t"}
    with deaf_port() as nobody, server(data, ALLOW_PRIVATE_ADDRESSES="true") as process:
        smpp = {"host": "127.0.0.1", "port": nobody, "system_id": "us", "password": "p"}
        path = f"/v1/apps/{process.known['app_id']}/trunks"
        for name, settings in (("smpp", smpp), ("twilio", twilio)):
            status, made = process.request("POST", path, {"name": name, "carrier": name, "settings": settings})
            assert status == 201, made
        until(lambda: process.request("GET", path)[1]["items"][1]["condition"]["why"], "a try to connect")
        during = json.loads(callsheet("doctor", "--json", data=data, PUBLIC_URL="https://a.example").stdout)["findings"]
    after = json.loads(callsheet("doctor", "--json", "--port", "0", data=data).stdout)["findings"]
    known = json.loads(callsheet("doctor", "--json", "--port", "0", data=data, PUBLIC_URL="https://a.example").stdout)[
        "findings"
    ]

    lines = {finding["level"]: finding["sentence"] for finding in during if finding["check"] == "lines"}
    assert set(lines) == {"ok", "warn"}
    assert lines["ok"] == "2 of 3 trunks of the default app are open."
    assert f"is connecting: nobody listens at 127.0.0.1:{nobody}." in lines["warn"]

    def unheard(findings):
        return [one["level"] for one in findings if one["check"] == "trunks" and "PUBLIC_URL" in one["sentence"]]

    # The server knows its own settings; where there is none, ours count.
    assert (unheard(during), unheard(after), unheard(known)) == (["warn"], ["warn"], [])
    assert "lines" not in {finding["check"] for finding in after}


async def test_of_postgres_it_tells_version_durability_and_clock(data):
    url = await create_database("template0")
    shared = {"DATABASE_URL": url, "MASTER_KEY": "5a" * 32}
    try:
        data.mkdir(mode=0o700)
        waiting = examined(data, "--port", "0", code=1, **shared)
        with server(data, **shared):
            found = examined(data, code=1, **shared)
    finally:
        await drop_database(url)
    gone = examined(data, "--port", "0", code=1, **shared)

    # The tests' own server has turned off whatever survives a power cut.
    assert levels(waiting, "fail") == levels(found, "fail") == {"durability"}
    assert "schema" in levels(waiting, "warn")
    assert {"postgres", "encoding", "clock", "schema", "key", "runs", "imports"} <= levels(found, "ok")
    assert levels(gone, "fail") == {"database"}


def test_the_containers_health_check_says_yes_of_a_server_that_is_ready(data):
    (check,) = re.findall(
        r"^HEALTHCHECK .*CMD (\[.*\])$", (ROOT / "deploy" / "Containerfile").read_text(), re.MULTILINE
    )
    _, _, code = json.loads(check)
    with server(data) as process:
        port = process.known["base_url"].rpartition(":")[2]

        def is_well() -> bool:
            return not subprocess.run([sys.executable, "-c", code], env=environment(PORT=port), check=False).returncode

        # It is asked again and again, by an engine that waits some seconds for each answer.
        until(is_well, "a yes")
