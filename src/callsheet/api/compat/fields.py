"""The fields of one JSON object. What is wrong with any of them is collected, so that one answer names it all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from callsheet.core.errors import FieldError
from callsheet.core.names import is_one_line

T = TypeVar("T")

_WORDS_OF_TRUTH: Mapping[str, bool] = {"true": True, "false": False}


class Fields:
    """Reads the fields of an object; `wrong` is shared with the objects inside and around it."""

    def __init__(self, document: Mapping[str, Any], wrong: list[FieldError], path: str = "") -> None:
        self._document = document
        self._path = path
        self.wrong = wrong

    def at(self, key: str) -> str:
        """Return where a field stands in the request."""
        return f"{self._path}.{key}" if self._path else key

    def blame(self, key: str, message: str) -> None:
        """Say what is wrong with a field."""
        self.wrong.append(FieldError(self.at(key), message))

    def get(self, key: str) -> Any:
        """Return a field as it came; None where it is missing."""
        return self._document.get(key)

    def spellings(self, *names: str) -> list[str]:
        """Return the fields that have one of these names, in any case and with or without `_`."""
        wanted = {name.lower() for name in names}
        return [key for key in self._document if key.replace("_", "").lower() in wanted]

    def text(self, key: str, *, longest: int, required: bool = False) -> str:
        """Return a text, unchanged; empty where it is missing or wrong."""
        value = self.get(key)
        if value is None or value == "":
            if required:
                self.blame(key, "This field is required.")
            return ""
        if not isinstance(value, str):
            self.blame(key, "This must be a text.")
        elif len(value) > longest:
            self.blame(key, f"This must have at most {longest} characters; it has {len(value)}.")
        elif required and not value.strip():
            self.blame(key, "This must not be blank.")
        else:
            return value
        return ""

    def name(self, key: str, *, longest: int) -> str:
        """Return the name of a thing to be, without blanks at its ends; empty where it is missing or wrong."""
        name = self.text(key, longest=longest, required=True)
        if is_one_line(name):
            return name.strip()
        self.blame(key, "A name is one line, without control characters.")
        return ""

    def inside(self, key: str, *, required: bool = False) -> Fields:
        """Return the fields of an object inside; of an empty one where it is missing or wrong."""
        value = self.get(key)
        if value is None and not required:
            value = {}
        if not isinstance(value, dict):
            self.blame(key, "This must be an object." if value is not None else "This field is required.")
            value = {}
        return Fields(value, self.wrong, self.at(key))

    def has_object(self, key: str) -> bool:
        """Tell whether a field holds an object, so that what is missing inside it can be named."""
        return isinstance(self.get(key), dict)

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false; the words are taken as well."""
        value = self.get(key)
        if value is None or value == "":
            return default
        if isinstance(value, str):
            value = _WORDS_OF_TRUTH.get(value.strip().lower(), value)
        if not isinstance(value, bool):
            self.blame(key, "This must be true or false.")
            return default
        return value

    def word(self, key: str, words: Mapping[str, T], default: T, *, required: bool = False) -> T:
        """Return what a word stands for, in any case; true and false are words too. The default where it is missing."""
        value = self.get(key)
        if value is None or value == "":
            if required:
                self.blame(key, "This field is required.")
            return default
        said = str(value).strip().lower() if isinstance(value, str | bool) else ""
        if said not in words:
            self.blame(key, f"This is one of {', '.join(words)}.")
        return words.get(said, default)

    def whole(self, key: str, *, least: int, most: int, default: int, required: bool = False) -> int:
        """Return a whole number, written as one or as a text; the default where it is missing or empty."""
        value = self.get(key)
        if value is None or value == "":
            if required:
                self.blame(key, "This field is required.")
            return default
        if isinstance(value, str) and value.strip().isascii() and value.strip().isdecimal():
            value = int(value.strip()[:20])
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.blame(key, f"This must be a whole number from {least} to {most}.")
            return default
        return value
