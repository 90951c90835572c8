"""After a restore nobody is contacted twice without a word of somebody, and nothing is believed of a bad backup."""

import json
import shutil
import signal
from collections import Counter
from pathlib import Path

import pytest

from callsheet import archive
from e2e.running import Process, callsheet, campaign, create_and_start, csv_of, server, until
from phone_numbers import numbers
from postgres import create_database, drop_database

PEOPLE = 600
RATE = 10
"""A run that lasts a minute: on a slow machine a backup takes many seconds of it."""


def contacts() -> list[str]:
    """Return numbers on which the sandbox's handsets behave."""
    return [number for number in numbers("US-Eastern", 2 * PEOPLE, 5) if number[-4:-2] != "99"][:PEOPLE]


def begin(process: Process, people: list[str]) -> tuple[str, str]:
    """Start a campaign that takes a while, and wait until it has begun."""
    list_id = process.v1("POST", "/contact-lists", {"name": "A"})["id"]
    import_id = process.v1("POST", f"/contact-lists/{list_id}/imports", csv_of(people))["id"]
    until(lambda: process.v1("GET", f"/contact-lists/{list_id}/imports/{import_id}")["state"] == "done", "the import")
    process.v1("POST", "/senders", {"number": "+12025550100", "segments_per_second": RATE})
    started = create_and_start(process, campaign("One", ["A"]))
    until(lambda: len(process.outbox()) > 20, "the first messages")
    return started


def restored(file: Path, data: Path, *more: str, **settings: str) -> dict:
    done = callsheet("restore", str(file), "--json", *more, data=data, **settings)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def resume(process: Process, campaign_id: str) -> int:
    path = f"/campaign/api/v1/public/{process.known['app_id']}/campaign/{campaign_id}?campaignType=sms&trigger=resume"
    return process.request("POST", path, {})[0]


def acknowledge(process: Process, run_id: str, choice: str) -> dict:
    process.v1("POST", "/senders", {"number": "+12025550100", "segments_per_second": None})
    return process.v1("POST", f"/runs/{run_id}/acknowledge-restore", {"choice": choice})


def to(process: Process) -> Counter[str]:
    return Counter(message["to"] for message in process.outbox())


def status(process: Process, run_id: str) -> str:
    return process.v1("GET", f"/runs/{run_id}")["status"]


def test_a_campaign_goes_on_elsewhere_after_a_word_and_reaches_nobody_twice(tmp_path):
    people, file = contacts(), tmp_path / "backup.tar.gz"
    with server(tmp_path / "old") as process:
        campaign_id, run_id = begin(process, people)
        assert callsheet("backup", str(file), "--with-key", data=process.data).returncode == 0
        process.stop(signal.SIGKILL)
    told = restored(file, tmp_path / "new")
    with server(tmp_path / "new") as process:
        assert [run["run_id"] for run in told["runs"]] == [run_id]
        assert (status(process, run_id), resume(process, campaign_id)) == ("Paused", 409)
        assert 20 < len(to(process)) < PEOPLE
        assert acknowledge(process, run_id, "resume")["status"] == "Active"
        until(lambda: status(process, run_id) == "Completed", "the end of the run")

        taken, outcome = to(process), process.v1("GET", f"/runs/{run_id}")["outcome"]
        assert set(taken.values()) == {1}
        # Whoever was in the air at the backup is not tried again, and is shown.
        assert len(people) - len(taken) == outcome["uncertain"]
        assert (outcome["duplicate"], outcome["in_flight"]) == (0, 0)


@pytest.mark.full
def test_in_place_the_books_of_the_world_outside_say_who_was_contacted_since(tmp_path):
    people, file, data = contacts(), tmp_path / "backup.tar", tmp_path / "var"
    with server(data) as process:
        _, run_id = begin(process, people)
        assert callsheet("backup", str(file), data=data).returncode == 0
        known = len(process.outbox())
        until(lambda: len(process.outbox()) > known + 30, "messages after the backup")
        process.stop(signal.SIGKILL)
    (data / "callsheet.db").write_bytes(b"a disk that failed")
    refused = callsheet("restore", str(file), data=data)
    told = restored(file, data, "--force")
    with server(data) as process:
        assert refused.returncode == 1
        assert "--force" in refused.stderr
        assert told["evidence"] > 20
        assert (Path(told["replaced"]) / "callsheet.db").read_bytes() == b"a disk that failed"
        acknowledge(process, run_id, "resume")
        until(lambda: status(process, run_id) == "Completed", "the end of the run")

        taken, outcome = to(process), process.v1("GET", f"/runs/{run_id}")["outcome"]
        assert set(taken.values()) == {1}
        assert len(people) - len(taken) == outcome["uncertain"]


@pytest.mark.full
def test_who_is_not_sure_ends_the_run_and_nobody_more_is_contacted(tmp_path):
    file = tmp_path / "backup.tar"
    with server(tmp_path / "old") as process:
        _, run_id = begin(process, contacts())
        assert callsheet("backup", str(file), "--with-key", data=process.data).returncode == 0
    restored(file, tmp_path / "new")
    with server(tmp_path / "new") as process:
        before = to(process)
        assert acknowledge(process, run_id, "skip")["status"] == "Stopped"
        # Whoever is contacted all the same is contacted before this other campaign is done.
        process.v1("POST", "/contact-lists", {"name": "B"})
        _, other = create_and_start(process, campaign("Two", ["B"]))
        until(lambda: status(process, other) == "Completed", "another run")

        assert to(process) == before


@pytest.fixture(scope="module")
def backup(tmp_path_factory) -> Path:
    """Make a backup without a key."""
    folder = tmp_path_factory.mktemp("backup")
    with server(folder / "var"):
        assert callsheet("backup", str(folder / "b.tar"), data=folder / "var").returncode == 0
    return folder / "b.tar"


def test_a_damaged_backup_changes_nothing(backup, tmp_path):
    content = bytearray(backup.read_bytes())
    content[len(content) // 2] ^= 0x5A
    bad, data = tmp_path / "bad.tar", tmp_path / "var"
    bad.write_bytes(content)
    data.mkdir()
    shutil.copy(backup.parent / "var" / "master.key", data)
    refused = callsheet("restore", str(bad), data=data)

    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1), refused.stderr
    assert "damaged" in refused.stderr
    assert not (data / "callsheet.db").exists()
    assert not (data / ".restoring").exists()


def test_without_its_key_or_with_another_one_it_is_refused_and_the_right_one_opens_it(backup, tmp_path):
    data = tmp_path / "var"
    none = callsheet("restore", str(backup), data=data)
    (data / "master.key").write_text("5a" * 32 + "\n")
    wrong = callsheet("restore", str(backup), data=data)
    left = (data / "callsheet.db").exists()
    right = callsheet(
        "restore", str(backup), data=data, MASTER_KEY=(backup.parent / "var" / "master.key").read_text().strip()
    )

    assert [refused.returncode for refused in (none, wrong, right)] == [1, 1, 0]
    assert "holds no master key" in none.stderr
    assert "does not open this database" in wrong.stderr
    assert not left
    assert "No run went on" in right.stdout


def test_a_folder_in_use_and_nonsense_on_the_command_line_are_refused(backup, tmp_path):
    with server(tmp_path / "var") as process:
        owned = callsheet("restore", str(backup), "--force", data=process.data)
        assert callsheet("restore", "--mark", "--at", "2026-01-01T00:00:00+00:00", data=process.data).returncode == 3
    wrong = [
        callsheet("restore", data=tmp_path / "x"),
        callsheet("restore", str(backup), "--mark", data=tmp_path / "x"),
        callsheet("restore", "--mark", "--at", "yesterday", data=tmp_path / "x"),
        callsheet("restore", "--mark", data=tmp_path / "x"),
        callsheet("restore", str(tmp_path / "nothing.tar"), data=tmp_path / "x"),
    ]

    assert owned.returncode == 3
    assert [refused.returncode for refused in wrong] == [2] * 5
    assert not (tmp_path / "x").exists()


def test_something_else_is_no_backup(tmp_path):
    file = tmp_path / "notes.tar"
    file.write_text("hello")
    refused = callsheet("restore", str(file), data=tmp_path / "var")

    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert not (tmp_path / "var").exists()


async def test_on_postgres_the_database_is_marked_where_it_is(tmp_path):
    url = await create_database("template0")
    shared = {"DATABASE_URL": url, "MASTER_KEY": "5a" * 32}
    data, file = tmp_path / "var", tmp_path / "b.tar"
    try:
        empty = callsheet("restore", "--mark", "--at", "2026-01-01T00:00:00+00:00", data=data, **shared)
        with server(data, **shared) as process:
            campaign_id, run_id = begin(process, contacts())
            assert callsheet("backup", str(file), data=data, **shared).returncode == 0
            working = callsheet("restore", str(file), data=tmp_path / "new", **shared)
            process.stop()
        told = restored(file, tmp_path / "new", **shared)
        with server(tmp_path / "new", **shared) as process:
            assert (status(process, run_id), resume(process, campaign_id)) == ("Paused", 409)
            acknowledge(process, run_id, "skip")
    finally:
        await drop_database(url)

    assert (empty.returncode, working.returncode) == (1, 1)
    assert "pg_restore" in empty.stderr
    assert "stop them first" in working.stderr
    assert [run["run_id"] for run in told["runs"]] == [run_id]
    assert archive.read_manifest(file).database == "postgresql"
