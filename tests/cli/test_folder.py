"""The data folder holds the key to everybody's numbers: one owner, and nobody else reads it."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from callsheet.core.errors import Conflict, FolderInUse, NotFound
from callsheet.folder import Credentials, DataFolder


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    made = DataFolder(tmp_path / "var")
    made.create()
    return made


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_its_owner_may_look_inside(folder):
    previous = os.umask(0)
    try:
        with folder.owned():
            folder.master_key()
            folder.write_credentials(Credentials("http://x", "a", "b", "c", "d"))
            folder.prepare_database()
    finally:
        os.umask(previous)

    for path in [folder.path, *folder.path.rglob("*")]:
        assert mode(path) == (0o700 if path.is_dir() else 0o600), path


def test_a_second_owner_is_told_who_the_first_one_is(folder):
    with folder.owned(), pytest.raises(FolderInUse, match=str(os.getpid())), folder.owned():
        pass


def test_an_owner_that_was_killed_leaves_the_folder_free(folder):
    code = (
        "import os, signal, sys; from pathlib import Path; from callsheet.folder import DataFolder\n"
        "with DataFolder(Path(sys.argv[1])).owned(): os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(folder.path)], check=False)

    assert not folder.is_owned()
    with folder.owned():
        assert folder.is_owned()


def test_looking_at_a_free_folder_takes_nothing(folder):
    assert not folder.is_owned()
    with folder.owned():
        pass
    assert not folder.is_owned()


def test_the_key_is_made_once(folder):
    assert folder.master_key() == folder.master_key()


def test_a_lost_key_is_not_replaced_while_there_is_a_database(folder):
    folder.master_key()
    folder.prepare_database()
    (folder.path / "master.key").unlink()

    with pytest.raises(Conflict, match=r"master\.key is gone"):
        folder.master_key()


@pytest.mark.parametrize("text", ["", "not hexadecimal", "ab" * 31])
def test_a_damaged_key_is_not_used(folder, text):
    (folder.path / "master.key").write_text(text)

    with pytest.raises(Conflict, match=r"master\.key"):
        folder.master_key()


def test_before_the_first_start_it_says_what_to_do(tmp_path):
    with pytest.raises(NotFound, match="callsheet serve"):
        DataFolder(tmp_path / "nothing").credentials()


def test_a_server_is_found_while_it_runs_and_not_after_it_was_killed(folder):
    with folder.owned(), folder.serving("http://127.0.0.1:8030"):
        assert folder.server() == "http://127.0.0.1:8030"
        left = (folder.path / "server.json").read_text()
    assert folder.server() is None

    (folder.path / "server.json").write_text(left)
    assert folder.server() is None


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(Conflict, match="file/var"):
        DataFolder(tmp_path / "file" / "var").create()
    # Nobody makes folders there, and the system says that nothing is there.
    with pytest.raises(Conflict, match=r"/proc/var.*--data"):
        DataFolder(Path("/proc/var")).create()


def test_a_folder_that_goes_away_is_a_sentence(tmp_path):
    gone = DataFolder(tmp_path / "gone")

    with pytest.raises(Conflict, match="gone"), gone.owned():
        pass
    for write in (gone.prepare_database, gone.master_key):
        with pytest.raises(Conflict, match="gone"):
            write()


def test_a_file_in_the_place_of_the_folder_is_a_sentence(tmp_path):
    (tmp_path / "var").write_text("")

    for look in (DataFolder.credentials, DataFolder.server, DataFolder.refuse_if_owned, DataFolder.create):
        with pytest.raises(Conflict, match="--data"):
            look(DataFolder(tmp_path / "var"))


def test_damaged_credentials_are_a_sentence(folder):
    for text in ("", "{}", "[1]"):
        (folder.path / "credentials.json").write_text(text)
        with pytest.raises(Conflict, match=r"credentials\.json is damaged"):
            folder.credentials()
