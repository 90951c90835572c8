"""Decoding: a WAV, MP3 or OGG file becomes 8 kHz, mono, 16 bits. It runs in a child process, as files may be malicious.

Whatever a file is, it is read in pieces of a second, so memory does not grow with it.
"""

from __future__ import annotations

import io
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from callsheet.voice.audio.question import MOST_SECONDS, Converted, Refused
from callsheet.voice.audio.resampling import Resampler
from callsheet.voice.audio.wave import BYTES_PER_SECOND, write_wav

_SOURCES: Final = {"WAV": "wav", "WAVEX": "wav", "RF64": "wav", "MP3": "mp3", "OGG": "ogg"}
_LEAST_RATE: Final = 4000
_MOST_RATE: Final = 384_000
_MOST_CHANNELS: Final = 8
_UNKNOWN: Final = "This is no audio that can be read: give a WAV, MP3 or OGG file that is whole."


def convert(file: bytes) -> Converted | Refused:
    """Return a file as our telephones play it, or why it cannot be."""
    try:
        with soundfile.SoundFile(io.BytesIO(file)) as sound:
            return _refusal(sound) or _read(sound)
    except soundfile.SoundFileError:
        return Refused(_UNKNOWN)


def _refusal(sound: soundfile.SoundFile) -> Refused | None:
    if sound.format not in _SOURCES:
        return Refused(f"This is a file of the kind {sound.format}: give WAV, MP3 or OGG.")
    if not _LEAST_RATE <= sound.samplerate <= _MOST_RATE:
        return Refused(f"It has {sound.samplerate:,} samples in a second; give {_LEAST_RATE:,} to {_MOST_RATE:,}.")
    if sound.channels > _MOST_CHANNELS:
        return Refused(f"It has {sound.channels} channels; give at most {_MOST_CHANNELS}.")
    return None


def _read(sound: soundfile.SoundFile) -> Converted | Refused:
    resampler = Resampler(sound.samplerate)
    samples, is_last = bytearray(), False
    while not is_last:
        block = sound.read(sound.samplerate, dtype="float32", always_2d=True)
        is_last = not len(block)
        samples += resampler.take(_mono(block), is_last=is_last)
        if len(samples) > MOST_SECONDS * BYTES_PER_SECOND:
            return Refused(f"It is longer than {MOST_SECONDS // 60} minutes.")
    if not samples:
        return Refused("There is no sound in it.")
    return Converted(write_wav(bytes(samples)), _SOURCES[sound.format], len(samples) * 1000 // BYTES_PER_SECOND)


def _mono(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mix the channels; what is no number (a broken file of floats says so) is silence."""
    mixed: NDArray[np.float32] = np.nan_to_num(block.mean(axis=1, dtype=np.float32), nan=0.0, posinf=1.0, neginf=-1.0)
    return mixed
