"""What a telephone line does to a voice: level, noise, clipping, codecs, lost packets."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from callees.sounds import RATE, Samples

FRAME = 160
MU = 255.0
FULL = 32767


def resample(sound: Samples, rate: int) -> Samples:
    """Return it at 8 kHz, by the frequencies that fit."""
    common = math.gcd(rate, RATE)
    # Sizes that are products of small numbers are transformed many times faster.
    times = 1 << math.ceil(math.log2(len(sound) * common / rate + 1))
    spectrum = np.fft.rfft(sound, times * rate // common)
    size = times * RATE // common
    resampled = np.fft.irfft(spectrum[: size // 2 + 1], size) * RATE / rate
    return np.asarray(resampled[: round(len(sound) * RATE / rate)])


def loudness(sound: Samples) -> float:
    """Return the level (RMS) of what is loud in it."""
    frames = sound[: len(sound) // FRAME * FRAME].reshape(-1, FRAME)
    powers = (frames**2).mean(axis=1)
    loud = powers[powers > 0.01 * powers.max(initial=0.0)]
    return float(np.sqrt(loud.mean())) if loud.size else 0.0


def at_level(sound: Samples, db: float) -> Samples:
    """Return it with its loud parts at a level, in dB of full scale."""
    present = loudness(sound)
    return sound * (10 ** (db / 20) / present) if present else sound


def band(sound: Samples, low: float = 300.0, high: float = 3400.0) -> Samples:
    """Return what a telephone lets through."""
    size = 1 << math.ceil(math.log2(len(sound) + 1))
    frequencies = np.fft.rfftfreq(size, 1 / RATE)
    shape = 1 / (1 + (low / np.maximum(frequencies, 1)) ** 6) / (1 + (frequencies / high) ** 12)
    return np.asarray(np.fft.irfft(np.fft.rfft(sound, size) * shape, size)[: len(sound)])


def mu_law(sound: Samples, _rng: Generator) -> Samples:
    small = np.sign(sound) * np.log1p(MU * np.abs(sound)) / np.log1p(MU)
    kept = np.round(small * 127) / 127
    return np.sign(kept) * np.expm1(np.abs(kept) * np.log1p(MU)) / MU


def blocks_of(sound: Samples) -> Samples:
    """Return its blocks of 20 ms, one a row, the last one filled up."""
    return np.pad(sound, (0, -len(sound) % FRAME)).reshape(-1, FRAME)


def mobile(sound: Samples, rng: Generator) -> Samples:
    """Do what a mobile codec does to the ear: a narrow band, and noise that follows the voice, block by block."""
    blocks = blocks_of(band(sound, 250, 3000))
    noise = rng.standard_normal(blocks.shape) * np.sqrt((blocks**2).mean(axis=1, keepdims=True)) * 0.18
    return (blocks + noise).ravel()[: len(sound)]


def coarse(sound: Samples, _rng: Generator) -> Samples:
    """Do what a codec of few bits does: steps that are as coarse as each block is loud."""
    blocks = blocks_of(sound)
    step = np.maximum(np.abs(blocks).max(axis=1, keepdims=True), 1e-4) / 8
    return np.asarray((np.round(blocks / step) * step).ravel()[: len(sound)])


CODECS: tuple[Callable[[Samples, Generator], Samples], ...] = (mu_law, mobile, coarse)


def lose(sound: Samples, rng: Generator, share: float) -> Samples:
    """Lose packets of 20 ms, in bursts of one to three: half are silent, half repeat what was before, fainter."""
    out = sound.copy()
    count = len(out) // FRAME
    for first in np.flatnonzero(rng.random(count) < share / 2):
        for at in range(first, min(count, first + int(rng.integers(1, 4)))):
            here = slice(at * FRAME, (at + 1) * FRAME)
            repeats = at > 0 and rng.random() < 0.5
            out[here] = out[(at - 1) * FRAME : at * FRAME] * 0.6 if repeats else 0.0
    return out


def to_pcm(sound: Samples) -> bytes:
    """Return 16-bit samples; what is too loud is clipped."""
    return (np.clip(sound, -1, 1) * FULL).astype("<i2").tobytes()
