"""Asterisk's configuration files: sections of options, written so that no value can become a line of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,80}")
_MOST_LETTERS = 4000
"""Asterisk cuts lines at 8,191 octets."""


class NotWritable(ValueError):
    """A value cannot stand in a configuration file. The sentence names the option, never the value."""


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a file; options without a value are left out."""

    name: str
    options: Mapping[str, str | int | bool] = field(default_factory=dict)
    more: tuple[tuple[str, str], ...] = ()
    """Options that come more than once."""

    def __str__(self) -> str:
        if not _NAME.fullmatch(self.name):
            raise NotWritable(f"{self.name!r} is no name of a section")
        options = [(name, value) for name, value in self.options.items() if value != ""]
        return "\n".join((f"[{self.name}]", *(_line(name, value) for name, value in (*options, *self.more)))) + "\n"


def write_sections(sections: Iterable[Section]) -> str:
    """Return the text of a file. Raises NotWritable."""
    return "\n".join(str(section) for section in sections)


def _line(name: str, value: str | int | bool) -> str:
    # With the space, a value that begins with `>` is one, and not half of `=>`.
    return f"{name} = {escape(name, value)}"


def escape(name: str, value: str | int | bool) -> str:
    """Return a value as a file has to say it. Raises NotWritable with the name of its option."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    if not text.isprintable() or len(text) > _MOST_LETTERS:
        raise NotWritable(f"{name} has signs that cannot be printed, or too many")
    if text != text.strip():
        raise NotWritable(f"{name} begins or ends with a space")
    # Nothing else ends a value: `#` and `[` mean something only at the beginning of a line.
    return text.replace(";", "\\;")
