"""A backup is made on good days and needed on bad ones: it has to be whole, and to say what it does not hold."""

import json
import tarfile
from pathlib import Path

import pytest

from callsheet import archive
from e2e.running import callsheet, server
from postgres import create_database, drop_database


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "var"


def test_a_backup_is_the_same_with_a_server_and_without_one_and_has_no_key_unless_asked(data, tmp_path):
    with server(data) as process:
        process.v1("POST", "/contact-lists", {"name": "A"})
        during = callsheet("backup", str(tmp_path / "during.tar"), "--json", data=data)
    after = callsheet("backup", str(tmp_path / "after.tar.gz"), "--json", "--with-key", data=data)

    for done in (during, after):
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert (told["schema"], told["database"], told["pg_dump"]) == ("0001", "sqlite", None)
        assert told["counts"]["contact_list"] == 1
    assert archive.KEY not in json.loads(during.stdout)["members"]
    assert {archive.KEY, archive.CREDENTIALS, archive.DATABASE} < set(json.loads(after.stdout)["members"])
    key = (data / "master.key").read_bytes().strip()
    assert key not in (tmp_path / "during.tar").read_bytes()
    with tarfile.open(tmp_path / "during.tar") as tar:
        assert tar.getnames()[0] == archive.MANIFEST
    assert not list(tmp_path.glob(".*"))


def test_a_backup_that_is_there_is_kept_unless_somebody_insists(data, tmp_path):
    file = tmp_path / "backup.tar"
    callsheet("migrate", data=data)
    first = callsheet("backup", str(file), data=data)
    held = file.read_bytes()
    refused = callsheet("backup", str(file), data=data)
    kept = file.read_bytes()
    forced = callsheet("backup", str(file), "--force", data=data)

    assert (first.returncode, refused.returncode, forced.returncode) == (0, 1, 0)
    assert "--force" in refused.stderr
    assert held == kept != file.read_bytes()
    assert "master key is NOT in it" in first.stdout


def test_a_folder_without_anything_and_a_place_that_is_not_there_are_sentences(data, tmp_path):
    nothing = callsheet("backup", str(tmp_path / "backup.tar"), data=data)
    callsheet("migrate", data=data)
    nowhere = callsheet("backup", str(tmp_path / "no" / "backup.tar"), data=data)

    for refused in (nothing, nowhere):
        assert (refused.returncode, refused.stderr.count("\n")) == (1, 1), refused.stderr


async def test_on_postgres_it_says_that_the_database_is_not_in_it_and_how_to_have_it(data, tmp_path):
    url = await create_database("template0")
    shared = {"DATABASE_URL": url, "MASTER_KEY": "5a" * 32}
    try:
        callsheet("migrate", data=data, **shared)
        done = callsheet("backup", str(tmp_path / "b.tar"), "--with-key", data=data, **shared)
        told = archive.read_manifest(tmp_path / "b.tar")
    finally:
        await drop_database(url)

    assert done.returncode == 0, done.stderr
    assert "NOT the database" in done.stdout
    assert "pg_dump --format=custom --file=" in done.stdout
    assert (told.database, told.schema, set(told.members)) == ("postgresql", "0001", {archive.KEY})
