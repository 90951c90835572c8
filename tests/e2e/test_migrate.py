"""A script that upgrades goes by the exit code of `migrate`: a wrong one starts a program on a strange schema."""

import sqlite3
from pathlib import Path

import pytest

from callsheet.folder import DataFolder
from e2e.running import callsheet


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "var"


def test_steps_wait_then_are_taken_then_none_are_left(data):
    waits, takes, again, none = (callsheet("migrate", *args, data=data) for args in (["--check"], [], [], ["--check"]))

    assert [done.returncode for done in (waits, takes, again, none)] == [4, 0, 0, 0]
    assert waits.stdout.startswith("waits  0001")
    assert takes.stdout.startswith("taken  0001")
    assert again.stdout == none.stdout == "The database has the schema of this program.\n"


def test_a_database_of_a_newer_program_or_none_at_all_fails_with_a_sentence(data):
    callsheet("migrate", data=data)
    database = DataFolder(data).database
    with sqlite3.connect(database) as raw:
        raw.execute("update alembic_version set version_num = '9999'")
    raw.close()
    newer = [callsheet("migrate", *args, data=data) for args in ([], ["--check"])]
    database.write_text("hello")
    damaged = [callsheet("migrate", *args, data=data) for args in ([], ["--check"])]

    for done, words in ((newer, "A newer Callsheet"), (damaged, "cannot be opened as a database")):
        assert [one.returncode for one in done] == [1, 1]
        assert all(words in one.stderr and one.stderr.count("\n") == 1 for one in done)


def test_a_folder_that_somebody_owns_is_left_alone_and_may_be_looked_at(data):
    folder = DataFolder(data)
    folder.create()
    with folder.owned():
        refused = callsheet("migrate", data=data)
        looked = callsheet("migrate", "--check", data=data)

    assert (refused.returncode, looked.returncode) == (3, 4)


def test_another_database_is_named_with_what_the_setting_takes(data):
    refused = callsheet("migrate", data=data, DATABASE_URL="mysql://me:hunter2@host/x")

    assert refused.returncode == 2
    assert refused.stderr.startswith("CALLSHEET_DATABASE_URL: Give postgresql://")
    assert "hunter2" not in refused.stderr
    assert not data.exists()
