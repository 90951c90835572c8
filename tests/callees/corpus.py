"""Clips of who answers a call: people and machines, made from a seed, in two halves.

Nothing is shared by the halves: texts but "Hello?", languages but English, voices, seeds. The detector is tuned on
`tuned`; `held_out` is for reports. Noise, codecs, lost packets and levels are drawn alike for people and machines. What
is synthetic says nothing about the street; it finds what breaks.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from callees.espeak import RATE as SPEECH_RATE
from callees.espeak import Sentence, say
from callees.line import CODECS, at_level, band, lose, loudness, mu_law, resample, to_pcm
from callees.sayings import read_sayings
from callees.sounds import RATE, Samples, hiss, music, silence, street, tone


class Half(StrEnum):
    tuned = "tuned"
    held_out = "held_out"


SEEDS = {Half.tuned: 20_261_121, Half.held_out: 8_128}
TEXTS = {half: read_sayings(half) for half in Half}
VARIANTS = {
    Half.tuned: ("", "+f1", "+Annie", "+steph", "+m1", "+m3", "+Mario"),
    Half.held_out: ("+linda", "+f4", "+anika", "+m2", "+m4", "+m7", "+Michael"),
}
"""Voices of eSpeak NG that say the same thing in every process; some do not."""
ENGLISH = {Half.tuned: ("en-us", "en"), Half.held_out: ("en-us", "en-gb-x-rp", "en-gb-scotland")}
ENGLISH_SHARE = 0.6
PEOPLE = {"short": 0.62, "named": 0.26, "business": 0.1, "long": 0.02}
MACHINES = {"greetings": 0.75, "short_greetings": 0.1, "announcements": 0.15}
BEEPS = 0.95
"""So many of the greetings end with one."""
GOLDEN = (5**0.5 - 1) / 2
"""Its multiples, without their whole parts, lie evenly between 0 and 1, however many they are."""
LONGEST_SECONDS = 14.0
CROWD = 5


class Clip(NamedTuple):
    """A call that was answered: its first seconds."""

    name: str
    is_machine: bool
    kind: str
    pcm: bytes
    """8 kHz, mono, 16 bits."""
    speech_at: float
    """Seconds until the first word, or the first note, begins."""
    beep_ends_at: float | None
    noise: str
    codec: str
    beep_hz: float = 0.0


class Answer(NamedTuple):
    """What is said after a call is answered, before the line changes it."""

    sound: Samples
    speech_at: float
    beep_ends_at: float | None = None
    beep_hz: float = 0.0


class Plan(NamedTuple):
    kind: str
    phrases: tuple[tuple[str, bool], ...]
    """Text, and whether a long pause comes before it."""
    voice: str
    words_per_minute: int
    pitch: int


def kind_of(at: int, shares: dict[str, float]) -> str:
    """Return the kind of a clip by its number: of any clips in a row each kind has its share, not more by chance."""
    place = at * GOLDEN % 1
    return next(kind for kind, end in zip(shares, accumulate(shares.values()), strict=True) if place < end + 1e-9)


def plan(rng: Generator, half: Half, kind: str) -> Plan:
    """Choose what is said, and by whom."""
    texts = TEXTS[half]
    others = [language for language in texts if language != "en"]
    language = "en" if rng.random() < ENGLISH_SHARE else str(rng.choice(others))
    text = str(rng.choice(getattr(texts[language], kind)))
    base = str(rng.choice(ENGLISH[half])) if language == "en" else language
    phrases = tuple(
        (part.strip(), is_late and not at)
        for is_late, late in enumerate(text.split("||"))
        for at, part in enumerate(late.split("|"))
    )
    words_per_minute = int(rng.choice([150, 165, 180, 200, 215]))
    return Plan(kind, phrases, base + str(rng.choice(VARIANTS[half])), words_per_minute, int(rng.integers(30, 75)))


def trimmed(sound: Samples) -> Samples:
    loud = np.flatnonzero(np.abs(sound) > 0.01 * np.abs(sound).max(initial=0.0))
    return sound[loud[0] : loud[-1] + 1] if loud.size else sound


def spoken(rng: Generator, chosen: Plan, said: Sequence[Samples]) -> Samples:
    """Return the phrases with the pauses of a speaker between them."""
    parts: list[Samples] = []
    for (_text, is_late), phrase in zip(chosen.phrases, said, strict=True):
        if parts:
            parts.append(silence(float(rng.uniform(1.0, 2.5) if is_late else rng.uniform(0.12, 0.55))))
        parts.append(trimmed(resample(phrase, SPEECH_RATE)))
    return np.concatenate(parts)


def person(rng: Generator, _kind: str, speech: Samples) -> Answer:
    """Return somebody who speaks and then listens, and perhaps asks again."""
    lead = float(rng.uniform(0.1, 1.6))
    after = silence(6.0)
    return Answer(np.concatenate([silence(lead), speech, after]), lead)


def machine(rng: Generator, kind: str, speech: Samples) -> Answer:
    """Return a greeting, most with a beep, or an announcement that goes on; some with music."""
    lead = float(rng.uniform(0.1, 1.6))
    parts = [silence(lead)]
    if rng.random() < 0.08:
        parts.append(music(rng, float(rng.uniform(0.8, 3.0))))
    if rng.random() < 0.08:
        speech = speech + music(rng, len(speech) / RATE + 0.01, 0.03)[: len(speech)]
    parts.append(speech)
    ends, hz = None, 0.0
    if kind == "announcements":
        goes_on = (speech, at_level(music(rng, 5.0), -18), silence(0.0))[int(rng.choice(3, p=[0.6, 0.3, 0.1]))]
        parts += [silence(float(rng.uniform(0.5, 1.8))), goes_on]
    elif rng.random() < BEEPS:
        before, hz, seconds = (float(rng.uniform(*between)) for between in ((0.1, 1.2), (400, 2000), (0.15, 0.9)))
        parts += [silence(before), tone((hz,), seconds, 0.25)]
        ends = sum(map(len, parts)) / RATE
    return Answer(np.concatenate([*parts, silence(4.0)]), lead, ends, hz)


NOISES = ("none", "comfort", "hiss", "crowd", "street", "music")


def noise_of(rng: Generator, kind: str, size: int, crowd: Samples) -> Samples:
    if kind == "crowd":
        return np.resize(np.roll(crowd, int(rng.integers(len(crowd)))), size)
    if kind == "street":
        return street(rng, size)
    if kind == "music":
        return music(rng, size / RATE + 0.01)[:size]
    return hiss(rng, size)


def over_the_line(rng: Generator, sound: Samples, crowd: Samples) -> tuple[Samples, str, str]:
    """Put the sound through a line that is drawn by chance."""
    sound = at_level(sound, float(rng.uniform(-32, -14)))
    kind = str(rng.choice(NOISES, p=[0.25, 0.25, 0.15, 0.13, 0.14, 0.08]))
    if kind != "none":
        below = {"comfort": rng.uniform(32, 45), "music": rng.uniform(15, 25)}.get(kind, rng.uniform(10, 25))
        noise = noise_of(rng, kind, len(sound), crowd)
        sound = sound + noise * (loudness(sound) * 10 ** (-float(below) / 20) / np.sqrt((noise**2).mean()))
    sound = band(sound)
    if rng.random() < 0.08:
        sound = np.clip(sound * 12, -0.7, 0.7) * 0.5
    codec = CODECS[int(rng.choice(len(CODECS), p=[0.5, 0.35, 0.15]))]
    sound = codec(sound, rng)
    share = float(rng.choice([0, 0.01, 0.03, 0.05], p=[0.6, 0.15, 0.15, 0.1]))
    return mu_law(lose(sound, rng, share), rng), kind, codec.__name__


@cache
def crowd_of(half: Half) -> Samples:
    """Return many people who talk at once."""
    rng = np.random.default_rng(SEEDS[half] + 1)
    greetings = TEXTS[half]["en"].greetings
    talk = [
        Sentence(" ".join(rng.permutation(greetings)).replace("|", ""), "en-us" + variant, 190)
        for variant in VARIANTS[half]
    ]
    voices = [resample(sound, SPEECH_RATE)[: RATE * 30] for sound in say(talk[:CROWD])]
    return np.sum([at_level(np.resize(voice, RATE * 30), -20) for voice in voices], axis=0)


def clips(half: Half, people: int, machines: int) -> list[Clip]:
    """Return a half of the corpus: always the same for the same numbers."""
    kinds = [(is_machine, at) for is_machine, count in ((False, people), (True, machines)) for at in range(count)]
    rngs = [np.random.default_rng((SEEDS[half], is_machine, at)) for is_machine, at in kinds]
    plans = [
        plan(rng, half, kind_of(at, MACHINES if is_machine else PEOPLE))
        for rng, (is_machine, at) in zip(rngs, kinds, strict=True)
    ]
    said = iter(say([Sentence(text, p.voice, p.words_per_minute, p.pitch) for p in plans for text, _ in p.phrases]))
    crowd = crowd_of(half)
    made = []
    for rng, chosen, (is_machine, at) in zip(rngs, plans, kinds, strict=True):
        speech = at_level(spoken(rng, chosen, [next(said) for _ in chosen.phrases]), -16)
        answer = (machine if is_machine else person)(rng, chosen.kind, speech)
        heard, noise, codec = over_the_line(rng, answer.sound[: round(LONGEST_SECONDS * RATE)], crowd)
        name = f"{half}-{'machine' if is_machine else 'person'}-{at:03}"
        _, lead, beep_ends_at, beep_hz = answer
        made.append(Clip(name, is_machine, chosen.kind, to_pcm(heard), lead, beep_ends_at, noise, codec, beep_hz))
    return made
