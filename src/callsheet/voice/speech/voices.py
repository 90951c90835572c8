"""Voices of languages: which of those that a library has speaks what a flow calls its language."""

from __future__ import annotations

from collections.abc import Mapping

from callsheet.core.flow.languages import NAMES, plain_name

_VARIANT = "+"


def find_voice(voices: Mapping[str, str], language: str) -> str | None:
    """Return the voice of a language, named in any of its ways; None: nobody speaks it.

    `voices` are by language, in small letters as BCP 47 writes them. A country that nobody speaks for is passed over.
    """
    exact, plain = language.strip().casefold().replace("_", "-"), plain_name(language)
    others = {name for names in NAMES.values() if plain in names for name in names}
    for name in (exact, plain, *sorted(others)):
        if name in voices:
            return voices[name]
    return None


def named_voice(voices: Mapping[str, str], name: str) -> str:
    """Return what the library calls a voice that somebody named: a language stands for its voice, `hi+f3` for `hi`."""
    base, plus, variant = name.strip().partition(_VARIANT)
    return (find_voice(voices, base) or base) + plus + variant
