"""The shelf keeps what was made, by what it was made of: whole files, never too many, nobody's name for long."""

import stat

import pytest

from callsheet.voice.audio.shelf import SoundShelf, key_of
from callsheet.voice.audio.wave import seconds_of, write_wav

ONE, TWO = key_of("one"), key_of("two")


def sound(seconds: float, filler: bytes = b"\x01\x02") -> bytes:
    return write_wav(filler * int(8000 * seconds))


@pytest.fixture
async def shelf(tmp_path, clock):
    shelf = SoundShelf(tmp_path, clock, most_bytes=3 * len(sound(1)))
    yield shelf
    await shelf.close()


async def test_what_was_put_is_found_and_its_id_is_its_content(shelf):
    assert await shelf.get(ONE) is None
    kept = await shelf.put(ONE, sound(1), is_passing=False)
    assert await shelf.get(ONE) == kept
    assert kept.seconds == 1.0
    assert kept.path.read_bytes() == sound(1)
    other = await shelf.put(TWO, sound(1), is_passing=False)
    assert other.id == kept.id
    assert (await shelf.put(ONE, sound(1, b"\x03\x04"), is_passing=False)).id != kept.id
    assert not kept.path.exists()


async def test_files_are_for_their_owner_alone(shelf, tmp_path):
    kept = await shelf.put(ONE, sound(1), is_passing=True)
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.path.parent.stat().st_mode) == 0o700


async def test_the_next_process_finds_what_lasts_and_nothing_else(shelf, tmp_path, clock):
    lasting = await shelf.put(ONE, sound(1), is_passing=False)
    passing = await shelf.put(TWO, sound(2), is_passing=True)
    (lasting.path.parent / ".half.wav").write_bytes(b"RIFF")
    (lasting.path.parent / f"{key_of('torn')}-{key_of('x')}.wav").write_bytes(sound(1)[:-1])
    after = SoundShelf(tmp_path, clock)
    assert await after.get(ONE) == lasting
    assert await after.get(TWO) is None
    assert await after.get(key_of("torn")) is None
    assert not passing.path.exists()
    assert list(lasting.path.parent.iterdir()) == [lasting.path]


async def test_what_was_said_to_one_person_goes_at_the_end_of_the_process(shelf):
    passing = await shelf.put(ONE, sound(1), is_passing=True)
    lasting = await shelf.put(TWO, sound(1), is_passing=False)
    await shelf.close()
    assert (passing.path.exists(), lasting.path.exists()) == (False, True)


async def test_what_was_said_to_one_person_goes_an_hour_after_it_was_asked_for(shelf, clock):
    passing = await shelf.put(ONE, sound(1), is_passing=True)
    clock.advance(seconds=3000)
    assert await shelf.get(ONE) == passing
    clock.advance(seconds=3000)
    await shelf.put(TWO, sound(1), is_passing=False)
    assert passing.path.exists()
    clock.advance(seconds=700)
    shelf._sweep_passing()
    assert not passing.path.exists()
    assert await shelf.get(ONE) is None


async def test_a_full_shelf_lets_go_what_was_not_asked_for_longest_but_nothing_that_may_play(shelf, clock):
    kept = {}
    for word in "abc":
        kept[word] = await shelf.put(key_of(word), sound(1), is_passing=False)
        clock.advance(seconds=400)
    assert await shelf.get(key_of("a")) == kept["a"]
    await shelf.put(key_of("d"), sound(1), is_passing=False)
    assert [await shelf.get(key_of(word)) is not None for word in "abcd"] == [True, False, True, True]
    await shelf.put(key_of("e"), sound(1), is_passing=False)
    assert [await shelf.get(key_of(word)) is not None for word in "abcde"] == [True, False, True, True, True]


async def test_a_file_that_somebody_deleted_is_made_again(shelf):
    kept = await shelf.put(ONE, sound(1), is_passing=False)
    kept.path.unlink()
    assert await shelf.get(ONE) is None
    assert await shelf.put(ONE, sound(1), is_passing=False) == kept


async def test_a_disk_that_takes_nothing_leaves_nothing_half_written(tmp_path, clock):
    shelf = SoundShelf(tmp_path, clock)
    await shelf.get(ONE)
    (tmp_path / "lasting").rmdir()
    with pytest.raises(OSError, match="No such file"):
        await shelf.put(ONE, sound(1), is_passing=False)
    assert await shelf.get(ONE) is None


def test_keys_do_not_run_into_each_other():
    assert len({key_of("a", "b"), key_of("ab", ""), key_of("ab"), key_of("", "ab")}) == 4


@pytest.mark.parametrize("file", [b"", b"RIFF", sound(1)[:-2], sound(1) + b"\0", b"\0" * 100])
def test_what_is_not_whole_has_no_length(file):
    assert seconds_of(file) is None
