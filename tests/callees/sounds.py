"""Sounds that are no speech: beeps, signals of the network, music, noise. Samples between -1 and 1 at 8 kHz."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

RATE = 8000
Samples = NDArray[np.float64]

SIT = ((985.2, 0.38), (1428.5, 0.38), (1776.7, 0.38))
"""Special information tones, before an announcement of the network (ITU-T E.180): frequency, seconds."""


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE))


def tone(frequencies: Sequence[float], seconds: float, level: float = 0.2) -> Samples:
    """Return tones at once, with soft edges of 5 ms."""
    at = np.arange(round(seconds * RATE)) / RATE
    sound = sum(np.sin(2 * np.pi * frequency * at) for frequency in frequencies) * level / len(frequencies)
    edge = min(40, len(at) // 2)
    ramp = np.ones(len(at))
    ramp[:edge] = np.linspace(0, 1, edge)
    ramp[len(at) - edge :] = np.linspace(1, 0, edge)
    return np.asarray(sound * ramp)


def special_information() -> Samples:
    return np.concatenate([tone((frequency,), seconds) for frequency, seconds in SIT])


def ringback(seconds: float) -> Samples:
    return np.concatenate([tone((440, 480), 2.0), silence(4.0)] * 3)[: round(seconds * RATE)]


def dtmf(keys: Sequence[tuple[int, int]]) -> Samples:
    return np.concatenate([part for key in keys for part in (tone(key, 0.15), silence(0.1))])


def music(rng: Generator, seconds: float, level: float = 0.1) -> Samples:
    """Return chords with overtones and a beat, as a machine on hold plays them."""
    beat = float(rng.uniform(0.25, 0.5))
    root = float(rng.uniform(180, 330))
    parts: list[Samples] = []
    while sum(map(len, parts)) < seconds * RATE:
        step = float(2 ** (rng.choice([0, 2, 4, 5, 7, 9, 12]) / 12))
        chord = [root * step * ratio for ratio in (1, 1.26, 1.5, 2, 3, 4)]
        note = tone(chord, beat, level * 2)
        parts.append(note * np.exp(-np.arange(len(note)) / (beat * RATE)))
    return np.concatenate(parts)[: round(seconds * RATE)]


def hiss(rng: Generator, size: int) -> Samples:
    return rng.standard_normal(size)


def street(rng: Generator, size: int) -> Samples:
    """Return traffic: low noise that comes and goes."""
    whole = 1 << size.bit_length()
    spectrum = np.fft.rfft(rng.standard_normal(whole))
    frequencies = np.fft.rfftfreq(whole, 1 / RATE)
    noise = np.fft.irfft(spectrum / (1 + (frequencies / 300) ** 1.2), whole)[:size]
    slow = np.interp(
        np.arange(size), np.linspace(0, size, 2 + size // (RATE // 2)), rng.uniform(0.3, 1.0, 2 + size // (RATE // 2))
    )
    return np.asarray(noise * slow)
