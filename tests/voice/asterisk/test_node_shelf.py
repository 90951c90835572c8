"""Sounds are put where a node finds them once, and none stays there for long that nobody plays any more."""

import asyncio
import os

from callsheet.voice.asterisk.shelf import KEPT_SECONDS, SOUNDS, shelve
from callsheet.voice.audio.wave import write_wav
from callsheet.voice.base import Sound


def make(folder, name):
    path = folder / f"{name}-source.wav"
    path.write_bytes(write_wav(name.encode() * 100))
    return Sound(name, path, 0.1)


def age(path, seconds):
    at = path.stat().st_mtime - seconds
    os.utime(path, (at, at))


async def test_a_sound_is_put_there_once_and_again_when_it_is_gone(tmp_path):
    sound = make(tmp_path, "aa")
    there = tmp_path / SOUNDS / "aa.wav"
    for _ in range(2):
        assert await shelve(tmp_path, sound) == f"sound:{SOUNDS}/aa"
        assert there.read_bytes() == sound.path.read_bytes()
        assert there.stat().st_mode & 0o777 == 0o644
        there.unlink()


async def test_what_was_not_played_for_an_hour_goes_and_what_was_stays(tmp_path):
    old, used = make(tmp_path, "old"), make(tmp_path, "used")
    for sound in (old, used):
        await shelve(tmp_path, sound)
        age(tmp_path / SOUNDS / f"{sound.id}.wav", KEPT_SECONDS + 60)
    await shelve(tmp_path, used)
    await shelve(tmp_path, make(tmp_path, "new"))
    assert {path.name for path in (tmp_path / SOUNDS).iterdir()} == {"used.wav", "new.wav"}


async def test_calls_that_want_a_sound_at_once_all_get_it(tmp_path):
    source = tmp_path / "hello.wav"
    source.write_bytes(b"RIFF" * 20_000)
    sound = Sound("hello", source, 1.0)
    for i in range(10):
        folder = tmp_path / str(i)
        names = await asyncio.gather(*(shelve(folder, sound) for _ in range(8)))
        assert len(set(names)) == 1
        (copy,) = folder.rglob("hello.wav")
        assert copy.read_bytes() == source.read_bytes()
        assert not list(folder.rglob("*.partial"))
