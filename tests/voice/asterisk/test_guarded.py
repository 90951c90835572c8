"""What the node's user plants in its own folders is not followed by us, who may have more rights."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from callsheet.voice.asterisk.configuration import LOG, RECORDS
from callsheet.voice.asterisk.files import TAKEN, LocalFiles
from callsheet.voice.asterisk.node_folder import NodeFolder
from callsheet.voice.asterisk.secret_file import Owner, write_secret
from strangers.asterisk import asterisk

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def us() -> Owner:
    return Owner(os.geteuid(), os.getegid())


@pytest.fixture
def folder(tmp_path, us) -> NodeFolder:
    folder = NodeFolder(tmp_path / "node")
    folder.make(asterisk(), us)
    return folder


@pytest.fixture
def precious(tmp_path) -> Path:
    path = tmp_path / "precious"
    path.write_text("keep me")
    return path


@pytest.mark.parametrize("is_hard", [False, True])
def test_a_log_that_is_a_link_is_neither_read_nor_emptied(folder, precious, is_hard):
    log = folder.path / LOG
    if is_hard:
        log.hardlink_to(precious)
    else:
        log.symlink_to(precious)

    assert folder.take_log() == []
    assert precious.read_text() == "keep me"


def test_a_log_that_is_a_pipe_holds_up_nobody(folder):
    os.mkfifo(folder.path / LOG)

    assert folder.take_log() == []


@pytest.mark.parametrize("name", ["log/cdr-custom", "lib/keys", "spool/recording"])
def test_a_folder_that_is_a_link_is_not_given_away(folder, us, tmp_path, name):
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o755)
    (folder.path / name).rmdir()
    (folder.path / name).symlink_to(outside)

    with pytest.raises(OSError, match=Path(name).name):
        folder.make(asterisk(), us)

    assert outside.stat().st_mode & 0o777 == 0o755


def test_the_node_cannot_change_what_stands_beside_its_own_folders(folder):
    modes = {name: (folder.path / name).stat().st_mode & 0o777 for name in (".", "etc", "data/sounds", "spool", "run")}

    assert modes == {".": 0o750, "etc": 0o750, "data/sounds": 0o750, "spool": 0o750, "run": 0o700}


def test_full_records_are_put_aside_and_those_of_a_link_are_not(folder, tmp_path):
    records = folder.path / RECORDS
    records.write_bytes(b"x" * ((8 << 20) + 1))
    folder.tidy(NOW)
    assert [path.name for path in records.parent.iterdir()] == ["Master.old.csv"]

    outside = tmp_path / "outside"
    records.parent.rename(outside)
    records.parent.symlink_to(outside)
    (outside / "Master.csv").write_bytes(b"x" * ((8 << 20) + 1))
    folder.tidy(NOW)
    assert (outside / "Master.csv").exists()


async def test_a_recording_is_taken_over_and_one_that_is_a_link_is_not(folder, precious):
    files = LocalFiles(folder.sounds, folder.recordings)
    (folder.recordings / "one.wav").write_bytes(b"RIFF")
    (folder.recordings / "two.wav").symlink_to(precious)

    path = await files.take_recording("one")

    assert path.read_bytes() == b"RIFF"
    assert await files.take_recording("two") is None
    assert await files.take_recording("three") is None
    assert precious.read_text() == "keep me"
    assert list(folder.recordings.iterdir()) == []
    assert list((folder.recordings.parent / TAKEN).iterdir()) == [path]


async def test_recordings_that_nobody_came_for_go(folder):
    files = LocalFiles(folder.sounds, folder.recordings)
    for name, minutes in (("old", 61), ("taken", 61), ("new", 59)):
        path = folder.recordings / f"{name}.wav"
        path.write_bytes(b"RIFF")
        at = (NOW - timedelta(minutes=minutes)).timestamp()
        os.utime(path, (at, at))
    taken = await files.take_recording("taken")

    folder.tidy(NOW)

    assert [path.name for path in folder.recordings.iterdir()] == ["new.wav"]
    assert not taken.exists()


def test_a_secret_is_not_written_through_a_link(tmp_path, precious, us):
    (tmp_path / ".pjsip.conf.partial").symlink_to(precious)

    write_secret(tmp_path / "pjsip.conf", "password", us)

    assert precious.read_text() == "keep me"
    assert (tmp_path / "pjsip.conf").read_text() == "password"
    assert not (tmp_path / "pjsip.conf").is_symlink()
