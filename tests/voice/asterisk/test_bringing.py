"""A recording of a node elsewhere is in one place at least, whatever breaks while it is brought."""

import asyncio
import os
from collections.abc import AsyncIterator

from callsheet.voice.asterisk.remote import door, words
from callsheet.voice.asterisk.remote.files import RemoteFiles
from voice.asterisk.guests import told
from voice.asterisk.remote_nodes import running_center
from voice_nodes import until

TAPE = b"RIFF and the rest"


async def files_of(center) -> RemoteFiles:
    await until(lambda: "east" in center._door._helms and center._door._helms["east"].is_there, "the node")
    return center._door._files["east"]


async def test_one_that_was_brought_is_here_although_the_node_could_not_say_so(center, guest, tmp_path):
    async with guest.joined() as messages:
        files = await files_of(center)
        taking = asyncio.create_task(files.take_recording("tape"))
        await told(messages, words.Bring)
        release = asyncio.Event()

        async def parts() -> AsyncIterator[bytes]:
            yield TAPE
            await release.wait()

        putting = asyncio.create_task(guest.put(parts()))
        await until(lambda: any((tmp_path / "brought").iterdir()), "the first part")
    await until(lambda: not center._door._helms["east"].is_there, "the news")
    async with guest.joined() as messages:
        again = await told(messages, words.Bring)
        release.set()
        assert await putting == 204
        # By now the node has deleted it, and does not find it any more.
        await messages.send_str(words.write(words.Done(again.no, is_done=False)))

        assert (await taking).read_bytes() == TAPE
        # Who did not hear that it was taken brings it again, and may delete it then.
        assert await guest.put(TAPE) == 204


async def test_one_that_is_not_waited_for_any_more_stays_with_the_node(center, guest, tmp_path):
    async with guest.joined() as messages:
        files = await files_of(center)
        taking = asyncio.create_task(files.take_recording("tape"))
        await told(messages, words.Bring)
        release = asyncio.Event()

        async def parts() -> AsyncIterator[bytes]:
            yield TAPE
            await release.wait()

        putting = asyncio.create_task(guest.put(parts()))
        await until(lambda: any((tmp_path / "brought").iterdir()), "the first part")
        taking.cancel()
        await asyncio.wait([taking])
        release.set()

        assert await putting == 409
        assert not list((tmp_path / "brought").iterdir())


async def test_one_that_the_node_does_not_have_is_nowhere(center, guest):
    async with guest.joined() as messages:
        files = await files_of(center)
        taking = asyncio.create_task(files.take_recording("tape"))
        word = await told(messages, words.Bring)
        await messages.send_str(words.write(words.Done(word.no, is_done=False)))

        assert await taking is None
        assert await guest.put(TAPE) == 404


async def test_one_that_is_longer_than_any_call_is_not_taken(center, guest, tmp_path, monkeypatch):
    monkeypatch.setattr(door, "_MOST_OCTETS", 1000)
    async with guest.joined() as messages:
        files = await files_of(center)
        taking = asyncio.create_task(files.take_recording("tape"))
        await told(messages, words.Bring)

        assert await guest.put(b"x" * 1001) == 413
        assert not list((tmp_path / "brought").iterdir())
        assert await guest.put(b"x" * 1000) == 204
        assert (await taking).stat().st_size == 1000


async def test_what_an_earlier_process_had_and_did_not_keep_stays_for_some_days(tmp_path):
    folder = tmp_path / "brought"
    (folder / "a folder.wav").mkdir(parents=True)
    for name in ("old.wav", "new.wav", "half.0123.partial"):
        (folder / name).write_bytes(TAPE)
    os.utime(folder / "old.wav", (0, 0))

    async with running_center(tmp_path) as center:
        await until(lambda: center._door is not None, "the door")
        assert {path.name for path in folder.iterdir()} == {"a folder.wav", "new.wav"}
