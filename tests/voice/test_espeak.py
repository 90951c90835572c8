"""The built-in speech: the real library, in its process, in English and Hindi."""

import asyncio
import os
import signal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.core.flow.languages import NAMES
from callsheet.voice.audio.wave import seconds_of
from callsheet.voice.speech.base import CannotSpeak, Manner
from callsheet.voice.speech.voices import find_voice, named_voice
from voice.audio_files import decode

VOICES = {"en": "gmw/en", "en-gb": "gmw/en", "en-us": "gmw/en-US", "hi": "inc/hi", "zh": "sit/cmn"}


@pytest.mark.parametrize(("language", "text"), [("en", "Your order is on its way."), ("hi-IN", "आपका ऑर्डर रास्ते में है।")])
async def test_a_text_is_spoken_in_its_language(espeak, language, text):
    wav = await espeak.say(text, Manner(language))
    assert 0.8 < seconds_of(wav) < 4
    assert np.abs(decode(wav)).max() > 0.1


def alike(one: bytes, other: bytes) -> bool:
    """Tell whether two sounds are of one text and voice: the library makes each a little different."""
    return abs(seconds_of(one) - seconds_of(other)) < 0.02


async def test_a_voice_stays_the_same_whatever_was_spoken_before(espeak):
    first = await espeak.say("Hello", Manner("en"))
    hindi = await espeak.say("Hello", Manner("Hindi"))
    assert not alike(first, hindi)
    with pytest.raises(CannotSpeak):
        await espeak.say("Hello", Manner("en", "nobody"))
    assert alike(await espeak.say("Hello", Manner("en")), first)
    assert alike(await espeak.say("Hello", Manner("hin", "hi")), hindi)


async def test_a_voice_may_be_named_by_its_language_even_where_the_library_does_not_know_it(espeak):
    # The library itself answers 2 to `en-gb`, and goes on with the voice of before.
    await espeak.say("नमस्ते", Manner("hi"))
    assert alike(await espeak.say("Hello", Manner("hi", "en-gb")), await espeak.say("Hello", Manner("en-GB")))


@pytest.mark.parametrize(
    ("text", "manner", "words"),
    [
        ("Hello", Manner("xx"), "no voice for the language xx"),
        ("Hello", Manner(""), "no voice for the language"),
        ("Hello", Manner("en", "nobody"), "no voice nobody"),
        ("", Manner("en"), "nothing in the text"),
        ("x" * 5001, Manner("en"), "At most 5,000 characters"),
    ],
)
async def test_what_cannot_be_spoken_is_said(espeak, text, manner, words):
    with pytest.raises(CannotSpeak, match=words):
        await espeak.say(text, manner)


@pytest.mark.parametrize("text", ["<b>Hi</b> & bye", "[[h@l'oU]]", "a\0b", "\ud83d", "½ 😀 \u200d", "a\r\nb"])
async def test_odd_texts_are_spoken(espeak, text):
    assert seconds_of(await espeak.say(text, Manner("en"))) > 0


async def test_many_at_once_are_spoken_each_its_own(espeak):
    texts = ["Hello " * number for number in range(1, 15)]
    spoken = await asyncio.gather(*(espeak.say(text, Manner("en")) for text in texts))
    lengths = [seconds_of(wav) for wav in spoken]
    assert lengths == sorted(lengths)


async def test_a_process_that_is_killed_again_and_again_costs_no_request(espeak):
    wanted = await espeak.say("Hello", Manner("en"))
    asked = [asyncio.create_task(espeak.say("Hello", Manner("en"))) for _ in range(40)]
    for _ in range(3):
        await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        asked_before = [one for one in asked if not one.done()]
        if espeak.child.pid is not None and asked_before:
            os.kill(espeak.child.pid, signal.SIGKILL)
            await asyncio.wait(asked_before, return_when=asyncio.FIRST_COMPLETED)
    assert all(alike(wav, wanted) for wav in await asyncio.gather(*asked))


def test_every_name_of_a_language_finds_its_voice():
    for written in ("hi", "HI", "hi-IN", "hi_IN", "hin", "Hindi", " hindi "):
        assert find_voice(VOICES, written) == "inc/hi"
    assert find_voice(VOICES, "en-us") == "gmw/en-US"
    assert find_voice(VOICES, "en-AU") == "gmw/en"
    assert find_voice(VOICES, "chi") == "sit/cmn"
    assert named_voice(VOICES, "en-GB+f3") == "gmw/en+f3"
    assert named_voice(VOICES, "Someone") == "Someone"


@given(st.text(max_size=20) | st.sampled_from([name for names in NAMES.values() for name in names]))
def test_no_name_of_a_language_breaks_anything(name):
    assert find_voice(VOICES, name) in {None, *VOICES.values()}
    assert isinstance(named_voice(VOICES, name), str)
