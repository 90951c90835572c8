"""What people and machines say when a call reaches them, in many languages: both halves have texts of their own."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple


class Sayings(NamedTuple):
    """What may be said, by kind, in one language."""

    short: tuple[str, ...]
    named: tuple[str, ...]
    business: tuple[str, ...]
    long: tuple[str, ...]
    greetings: tuple[str, ...]
    short_greetings: tuple[str, ...]
    announcements: tuple[str, ...]
    """Nobody is asked to speak after them, so no beep comes."""


def read_sayings(half: str) -> dict[str, Sayings]:
    """Return the sayings of a half, by language."""
    read = tomllib.loads(Path(__file__).with_name(f"{half}.toml").read_text("utf-8"))
    return {
        language: Sayings(**{kind: tuple(texts) for kind, texts in said.items()}) for language, said in read.items()
    }
