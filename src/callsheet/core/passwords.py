"""Passwords: what one must be. How they are kept is not decided here."""

from __future__ import annotations

from unicodedata import normalize

LEAST_CHARACTERS = 12
MOST_CHARACTERS = 1024


def spelled(password: str) -> str:
    """Return a password in one spelling, so that every keyboard writes the same (RFC 8265: NFC, and nothing else)."""
    return normalize("NFC", password)


def fault_of(password: str, login: str) -> str | None:
    """Return what is wrong with a new password of this login, as a sentence; None when nothing is."""
    if not LEAST_CHARACTERS <= len(spelled(password)) <= MOST_CHARACTERS:
        return f"Give a password of {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters."
    if spelled(password).strip().casefold() == spelled(login).strip().casefold():
        return "The password must not be the login name."
    return None
