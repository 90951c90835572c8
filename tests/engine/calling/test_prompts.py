"""What a flow says in a call becomes sounds: the app's recordings, and texts in its language, each made once."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from callsheet.core.fence import Fence
from callsheet.core.flow.effects import Say
from callsheet.core.flow.reading import read
from callsheet.core.run import AppSettings
from callsheet.engine.calling.prompts import Prompts, Unspoken
from callsheet.engine.calling.speaking import speaking
from callsheet.engine.outside import Outside
from callsheet.store.apps import App
from callsheet.store.sounds import Audio
from callsheet.store.store import Store
from callsheet.voice.audio.wave import seconds_of, write_wav
from engine.receivers import receiver
from factories import change_settings, make_app
from flow_documents import document, say
from voice.audio_files import encode, tone


@dataclass
class Studio:
    """Where prompts are made."""

    prompts: Prompts
    store: Store
    app: App
    folder: Path

    async def made(self, text: str = "", language: str = "en", audio: str = "", app: App | None = None) -> list[bytes]:
        sounds = await self.prompts.prepare((app or self.app).no, Say("b", text, audio), language)
        assert not isinstance(sounds, Unspoken), sounds.why
        assert all(abs(seconds_of(sound.path.read_bytes()) - sound.seconds) < 0.001 for sound in sounds)
        return [sound.path.read_bytes() for sound in sounds]

    async def why(self, text: str = "", language: str = "en", audio: str = "", app: App | None = None) -> str:
        unspoken = await self.prompts.prepare((app or self.app).no, Say("b", text, audio), language)
        assert isinstance(unspoken, Unspoken)
        return unspoken.why

    async def upload(self, name: str, filler: bytes = b"\x01\x02", app: App | None = None) -> bytes:
        wav = write_wav(filler * 4000)
        audio = Audio(wav, filler.hex() * 16, 500, "wav")
        await self.store.sounds.create((app or self.app).no, name, audio, self.prompts._shelf._clock.now())
        return wav


@pytest.fixture
async def studio(store, clock, tmp_path) -> AsyncIterator[Studio]:
    app = await make_app(store, clock)
    async with (
        Outside(Fence(allow_private=True)) as outside,
        speaking(store, outside.ask, tmp_path / "sounds", clock) as (_, prompts),
    ):
        yield Studio(prompts, store, app, tmp_path / "sounds")


async def test_a_text_is_spoken_in_the_language_of_the_flow(studio):
    (english,) = await studio.made("One moment, please.", "eng")
    (hindi,) = await studio.made("कृपया प्रतीक्षा करें।", "hi-IN")
    assert seconds_of(english) > 0.5
    assert seconds_of(hindi) > 0.5
    assert await studio.made("One moment, please.", "") != []


async def test_nothing_is_played_where_nothing_is_said(studio):
    assert await studio.made("") == await studio.made(" \n") == []
    assert not studio.folder.exists()
    assert studio.prompts._speech._espeak.child.pid is None


async def test_the_same_text_is_made_once_however_many_ask(studio):
    sounds = await asyncio.gather(*(studio.prompts.prepare(studio.app.no, Say("b", "Hello"), "en") for _ in range(20)))
    assert len({sound for (sound,) in sounds}) == 1
    assert len(list(studio.folder.rglob("*.wav"))) == 1
    again = await studio.prompts.prepare(studio.app.no, Say("other block", "Hello"), "en")
    assert again == sounds[0]


async def test_who_goes_away_takes_nothing_from_those_who_wait_for_the_same(studio):
    first = asyncio.create_task(studio.made("Hello"))
    second = asyncio.create_task(studio.made("Hello"))
    while not studio.prompts._making:
        await asyncio.sleep(0)
    first.cancel()
    assert len(await second) == 1


@pytest.mark.parametrize("said", ["Jingle", " jingle ", "JINGLE"])
async def test_a_recording_is_found_by_its_name_however_it_is_written(studio, said):
    wav = await studio.upload("Jingle")
    assert await studio.made("Not this", audio=said) == [wav]


async def test_a_recording_is_found_by_its_id_and_changes_with_its_audio(studio, clock):
    wav = await studio.upload("Jingle")
    (sound,) = await studio.store.sounds.of_app(studio.app.no, after=0, limit=10)
    assert await studio.made(audio=sound.id) == [wav]
    other = Audio(write_wav(b"\x05\x06" * 100), "5" * 64, 12, "mp3")
    await studio.store.sounds.change(studio.app.no, sound.id, clock.now(), audio=other)
    assert await studio.made(audio="Jingle") == [other.wav]


async def test_two_apps_have_sounds_of_their_own(studio, clock):
    rival = await make_app(studio.store, clock, name="Rival")
    mine = await studio.upload("Jingle")
    assert "no sound Jingle" in await studio.why(audio="Jingle", app=rival)
    theirs = await studio.upload("Jingle", b"\x07\x08", rival)
    assert await studio.made(audio="Jingle", app=rival) == [theirs] != [mine]
    assert await studio.made(audio="Jingle") == [mine]


async def test_the_text_beside_a_recording_that_is_not_there_is_spoken(studio):
    assert await studio.made("Hello", audio="Gone") == await studio.made("Hello")


@pytest.mark.parametrize(
    ("text", "language", "audio", "words"),
    [
        ("", "en", "Gone", "The app has no sound Gone."),
        ("", "en", "https://example.com/a.wav", "not by a URL"),
        ("Hello", "tlh-Klingon-x", "", "no voice for the language tlh"),
        ("x" * 5001, "en", "", "At most 5,000"),
    ],
)
async def test_what_cannot_be_said_is_a_reason(studio, text, language, audio, words):
    assert words in await studio.why(text, language, audio)


async def test_a_text_is_spoken_although_the_process_is_killed_over_it(studio):
    await studio.made("Hello")
    os.kill(studio.prompts._speech._espeak.child.pid, signal.SIGKILL)
    assert await studio.made("Good bye")


async def test_what_everybody_hears_is_made_before_it_is_needed_and_lasts(studio):
    flow = read(document(say("a", "Hello"), say("b", "Hello @contact.name")))
    assert await studio.prompts.prefetch(studio.app.no, flow) == 0
    (made,) = studio.folder.rglob("*.wav")
    assert await studio.made("Hello", "eng") == [made.read_bytes()]
    await studio.made("Hello Asha", "eng")
    kept = Counter(path.parent.name for path in studio.folder.rglob("*.wav"))
    assert kept == {"lasting": 1, "passing": 1}


async def test_what_cannot_be_made_before_is_counted(studio):
    flow = document(say("a", "Hello"))
    flow["flows"][0]["languages"] = [{"id": "x", "iso_639_3": "xxx"}]
    assert await studio.prompts.prefetch(studio.app.no, read(flow)) == 1


async def test_a_service_speaks_for_the_app_that_chose_it_with_the_voice_of_the_language(studio, clock):
    asked = []
    sound = encode(tone(0.3), 44_100, "OGG")

    async def answer(request: web.Request) -> web.Response:
        asked.append(await request.json())
        return web.Response(body=sound)

    async with receiver(answer) as url:
        settings = {"url": f"{url}/say", "body": '{"t": "{{text}}", "v": "{{voice}}", "l": "{{language}}"}'}
        await studio.store.speech_services.create(studio.app.no, "House voice", settings, {}, clock.now())
        voices = {"Hindi": "Asha", "en": "Tom"}
        await change_settings(studio.store, studio.app, AppSettings(speech_service="house VOICE", voices=voices))
        for _ in range(2):
            assert abs(seconds_of((await studio.made("नमस्ते", "hi-IN"))[0]) - 0.3) < 0.1
        assert await studio.made("Hello", "")
    assert asked == [{"t": "नमस्ते", "v": "Asha", "l": "hi-IN"}, {"t": "Hello", "v": "Tom", "l": "en"}]
    assert "gave no answer" in await studio.why("Something else")


async def test_a_service_that_is_gone_is_a_reason(studio):
    await change_settings(studio.store, studio.app, AppSettings(speech_service="Gone"))
    assert await studio.why("Hello") == "The app has no speech service Gone."
