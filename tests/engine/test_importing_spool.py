"""Spooling: what a client sent is on the disk whole, or not at all."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.core.errors import BodyTooLarge, Unavailable
from callsheet.engine.importing import spool as module
from callsheet.engine.importing.spool import spool
from engine.importing import chunks

TEXT = 'Name;phone\r\n\u017bo\u0142\u0105d\u017a \U0001f600;"+1"\r\n'


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def spooled(folder: Path, data: bytes, size: int = 65_536) -> bytes:
    written = await spool(folder, "a.csv", chunks(data, size))
    assert names(folder) == ["a.csv"]
    found = (folder / "a.csv").read_bytes()
    assert written == len(found)
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-16-le"),  # without a mark
        TEXT.encode("utf-16-be"),
    ],
)
async def test_every_form_of_unicode_lies_down_as_utf8_without_a_mark(tmp_path: Path, data: bytes, size: int):
    assert await spooled(tmp_path, data, size) == TEXT.encode()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", b""),
        (b"a", b"a"),
        (b"\xef\xbb\xbf", b""),
        (b"\xff\xfe", b""),
        (b"caf\xe9,\0\n", b"caf\xe9,\0\n"),  # which line is what is decided line by line
        (b"a,b\0", b"a,b\0"),
        # The upload ends within a character, and there is half of a pair before it.
        (b"\xff\xfea\0\x00\xd8b\0c", b"a\xed\xa0\x80b\xed\xa0\x80"),
    ],
)
async def test_bytes_that_are_no_proper_text_lie_down_all_the_same(tmp_path: Path, data: bytes, expected: bytes):
    assert await spooled(tmp_path, data) == expected


async def test_nobody_else_on_the_machine_can_read_it(tmp_path: Path):
    folder = tmp_path / "imports"

    await spool(folder, "a.csv", chunks(b"phone\n"))

    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "a.csv").stat().st_mode & 0o777 == 0o600


async def broken(error: BaseException) -> AsyncIterator[bytes]:
    yield b"phone\n" * 1_000_000
    raise error


@pytest.mark.parametrize("error", [ConnectionResetError("client went away"), RuntimeError("x"), KeyboardInterrupt()])
async def test_when_the_client_goes_away_nothing_is_left(tmp_path: Path, error: BaseException):
    with pytest.raises(type(error)):
        await spool(tmp_path, "a.csv", broken(error))

    assert names(tmp_path) == []


async def test_a_file_that_is_too_large_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOST_BYTES", 5_000_000)

    with pytest.raises(BodyTooLarge):
        await spool(tmp_path, "a.csv", chunks(b"x" * 5_000_001))

    assert names(tmp_path) == []


async def test_a_disk_that_takes_nothing_says_try_again(tmp_path: Path):
    (tmp_path / "file").touch()

    with pytest.raises(Unavailable):
        await spool(tmp_path / "file", "a.csv", chunks(b"phone\n"))


@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=4), st.integers(1, 9))
async def test_any_text_in_utf16_is_the_same_text(tmp_path_factory: pytest.TempPathFactory, text: str, size: int):
    folder = tmp_path_factory.mktemp("spool")

    assert await spooled(folder, b"\xff\xfe" + text.encode("utf-16-le"), size) == text.encode()
