"""Audio that people upload becomes 8 kHz, mono, 16 bits; what cannot is refused in a sentence, and breaks nothing."""

import io
import os
import random
import signal
import wave

import numpy as np
import pytest

from callsheet.voice.audio.question import MOST_SECONDS, Converted, Refused
from callsheet.voice.audio.wave import HEADER_BYTES, seconds_of
from voice.audio_files import decode, encode, loudest_hertz, tone

KINDS = [
    ("WAV", "PCM_16", 44_100, 2),
    ("WAV", "PCM_24", 48_000, 1),
    ("WAV", "FLOAT", 22_050, 1),
    ("WAV", "ULAW", 8_000, 1),
    ("WAV", "PCM_U8", 11_025, 1),
    ("MP3", None, 44_100, 2),
    ("MP3", None, 16_000, 1),
    ("OGG", "VORBIS", 44_100, 2),
    ("OGG", "OPUS", 48_000, 1),
]


@pytest.mark.parametrize(("kind", "subtype", "rate", "channels"), KINDS)
async def test_what_people_have_becomes_what_telephones_play(converter, kind, subtype, rate, channels):
    made = await converter.convert(encode(tone(1.5, rate=rate, channels=channels), rate, kind, subtype))

    assert isinstance(made, Converted)
    assert made.source == kind.lower()
    assert abs(made.milliseconds - 1500) < 120
    with wave.open(io.BytesIO(made.wav)) as read:
        assert read.getparams()[:3] == (1, 2, 8000)
        assert read.getnframes() == (len(made.wav) - HEADER_BYTES) // 2
    samples = decode(made.wav)
    assert abs(loudest_hertz(samples[1000:-1000]) - 440) < 3
    assert 0.4 < np.abs(samples).max() < 0.6
    assert seconds_of(made.wav) == len(samples) / 8000


async def test_what_is_too_high_to_be_heard_over_a_telephone_does_not_come_back_as_a_lower_tone(converter):
    made = await converter.convert(encode(tone(1.0, rate=44_100, hertz=7000), 44_100, "WAV"))
    assert np.abs(decode(made.wav)[500:-500]).max() < 0.01


async def test_two_channels_are_mixed(converter):
    left = tone(0.5)
    both = np.column_stack([left[:, 0], np.zeros(len(left))])
    made = await converter.convert(encode(both, 44_100, "WAV"))
    assert 0.2 < np.abs(decode(made.wav)).max() < 0.3


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (b"", "The file is empty."),
        (b"<html>not found</html>", "give a WAV, MP3 or OGG file"),
        (b"RIFF" + b"\xff" * 100, "give a WAV, MP3 or OGG file"),
        (b"OggS" + bytes(2000), "give a WAV, MP3 or OGG file"),
        (encode(tone(0.2), 44_100, "FLAC"), "of the kind FLAC"),
        (encode(tone(0.2), 44_100, "AIFF"), "of the kind AIFF"),
        (encode(np.zeros((0, 1)), 8000, "WAV"), "There is no sound in it."),
        (encode(tone(0.1, rate=1000), 1000, "WAV"), "1,000 samples in a second"),
        (encode(tone(0.1, channels=12), 44_100, "WAV"), "12 channels"),
        (bytes(25 * 1024 * 1024 + 1), "larger than 25 MiB"),
    ],
)
async def test_what_cannot_be_played_is_refused_in_a_sentence(converter, file, words):
    refused = await converter.convert(file)
    assert isinstance(refused, Refused)
    assert words in refused.why


async def test_what_is_longer_than_anybody_listens_is_refused(converter):
    refused = await converter.convert(encode(np.zeros((8000 * (MOST_SECONDS + 1), 1)), 8000, "MP3"))
    assert refused == Refused("It is longer than 10 minutes.")


async def test_files_that_lie_or_break_off_break_nothing(converter):
    rng = random.Random(7)
    whole = [encode(tone(0.3), 44_100, kind) for kind in ("WAV", "MP3", "OGG")]
    for _ in range(60):
        file = bytearray(rng.choice(whole))
        for _ in range(rng.randint(1, 20)):
            file[rng.randrange(min(len(file), 200) if rng.random() < 0.5 else len(file))] = rng.randrange(256)
        answer = await converter.convert(bytes(file[: rng.randint(1, len(file))]))
        assert isinstance(answer, Converted | Refused)
    assert isinstance(await converter.convert(whole[0]), Converted)


async def test_a_float_that_is_no_number_is_silence(converter):
    sound = tone(0.2)
    sound[100:200] = np.nan
    made = await converter.convert(encode(sound, 44_100, "WAV", "FLOAT"))
    assert isinstance(made, Converted)


async def test_a_file_is_converted_although_the_process_was_killed_before(converter):
    file = encode(tone(0.2), 44_100, "OGG")
    before = await converter.convert(file)
    os.kill(converter.child.pid, signal.SIGKILL)
    assert await converter.convert(file) == before
