"""A backup is opened on the worst day of the year: what it holds is what was written, or it says that it is not."""

import json
import random
import tarfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from callsheet import archive
from callsheet.core.errors import Conflict

CONTENT = {archive.DATABASE: random.Random(1).randbytes(200_000), "sandbox/tr-1.db": b"ledger", archive.KEY: b"5a" * 32}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "content"
    (path / archive.LEDGERS).mkdir(parents=True)
    for name, content in CONTENT.items():
        (path / name).write_bytes(content)
    return path


def manifest_of(folder: Path) -> archive.Manifest:
    members = {name: archive.digest(folder / name) for name in CONTENT}
    return archive.Manifest("1.0", "0001", "sqlite", "2026-11-21T06:00:00+00:00", {"contact": 3}, members)


@pytest.mark.parametrize("name", ["backup.tar", "backup.tar.gz", "backup.tgz"])
def test_what_is_unpacked_is_what_was_packed(tmp_path, folder, name):
    file, target = tmp_path / name, tmp_path / "target"
    target.mkdir()
    archive.write(file, manifest_of(folder), folder)

    assert archive.read_manifest(file) == archive.unpack(file, target) == manifest_of(folder)
    assert {str(p.relative_to(target)): p.read_bytes() for p in target.rglob("*") if p.is_file()} == CONTENT
    assert file.stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("name", ["backup.tar", "backup.tar.gz"])
@pytest.mark.parametrize("share", [0.0, 0.0001, 0.01, 0.5, 0.9])
def test_a_file_that_ends_too_early_or_is_empty_is_refused(tmp_path, folder, name, share):
    file, target = tmp_path / name, tmp_path / "target"
    target.mkdir()
    archive.write(file, manifest_of(folder), folder)
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])

    with pytest.raises(Conflict, match="backup"):
        archive.unpack(file, target)


def test_a_byte_that_fell_over_is_found_wherever_it_is(tmp_path, folder):
    file = tmp_path / "backup.tar"
    archive.write(file, manifest_of(folder), folder)
    content = file.read_bytes()
    for place in range(0, len(content) - 10_240, 7919):
        damaged = tmp_path / f"damaged-{place}.tar"
        damaged.write_bytes(content[:place] + bytes([content[place] ^ 0x5A]) + content[place + 1 :])
        target = tmp_path / f"target-{place}"
        target.mkdir()
        try:
            found = archive.unpack(damaged, target)
        except Conflict:
            continue
        # A byte of the filling between members says nothing.
        assert found.members == manifest_of(folder).members


@pytest.mark.parametrize("name", ["../evil.db", "/etc/evil", "sandbox/../../evil.db", "lock", "callsheet.db-wal"])
def test_a_backup_writes_nothing_but_its_own_files(tmp_path, folder, name):
    file, target = tmp_path / "backup.tar", tmp_path / "target"
    target.mkdir()
    text = json.dumps({**_document(folder), "members": {name: "00"}}).encode()
    with tarfile.open(file, "w") as tar:
        for entry, content in ((archive.MANIFEST, text), (name, b"x")):
            info = tarfile.TarInfo(entry)
            info.size = len(content)
            tar.addfile(info, BytesIO(content))

    with pytest.raises(Conflict, match="damaged"):
        archive.unpack(file, target)
    assert not list(target.iterdir())


def test_a_link_is_no_member(tmp_path, folder):
    file, target = tmp_path / "backup.tar", tmp_path / "target"
    target.mkdir()
    text = json.dumps(_document(folder)).encode()
    with tarfile.open(file, "w") as tar:
        info = tarfile.TarInfo(archive.MANIFEST)
        info.size = len(text)
        tar.addfile(info, BytesIO(text))
        link = tarfile.TarInfo(archive.DATABASE)
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)

    with pytest.raises(Conflict, match="should not be in it"):
        archive.unpack(file, target)


def test_a_backup_of_a_newer_program_is_named(tmp_path, folder):
    file = tmp_path / "backup.tar"
    archive.write(file, replace(manifest_of(folder), format=2, callsheet="9.0"), folder)

    with pytest.raises(Conflict, match=r"newer Callsheet \(9\.0\)"):
        archive.read_manifest(file)


def _document(folder: Path) -> dict:
    manifest = manifest_of(folder)
    return {name: getattr(manifest, name) for name in manifest.__dataclass_fields__}
