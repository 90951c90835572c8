"""The opening of a flow: what it says to a contact until it waits for the first time. A campaign sends it.

It has what a compiled message text has (`core/template.py`), so whoever renders messages need not ask which it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final

from callsheet.core.flow.document import Container, Content
from callsheet.core.flow.effects import Say, Step
from callsheet.core.flow.reach import find_message
from callsheet.core.flow.session import Ending, Mode
from callsheet.core.flow.step import beginning
from callsheet.core.flow.turn import MakingTurn
from callsheet.core.flow.wording import read_placeholders, with_merge_tags
from callsheet.core.placeholders import Headers, normalise
from callsheet.core.template import Compiled, EmptyMessage, Unrenderable

# What shows a column as it is: `@contact.first_name`, and as the compatible system calls it.
_SHOWN: Final = re.compile(
    r"(?<![\w.+-])@\(?(?:contact|(?:context\.)?(?:session\.)?(?:UserSession\.)?campaignUserInfo)\."
    r"(?:properties\.)?(?P<name>[^\W\d]\w*)(?!\w|\.\w|\[)",
    re.IGNORECASE,
)
_OWN: Final = frozenset(
    map(normalise, ("phone", "phone_number", "active_urn", "preferred_urn", "groups", "properties"))
)
"""What every contact has, whatever its list."""


class Opening:
    """What a flow says first, ready for any contact."""

    def __init__(
        self,
        container: Container,
        now: Callable[[], datetime],
        mode: Mode = Mode.sms,
        zone: str = "",
        answered_by: str = "",
    ) -> None:
        """`now`: the instant that NOW() and TODAY() mean, by the clocks of a contact, else of the campaign: `zone`.

        `answered_by`: who answers, where it is a call.
        """
        self._container = container
        self._now = now
        self._mode = mode
        self._zone = zone
        self._answered_by = answered_by

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the columns that it shows to a contact of whom nothing is known, as it writes them."""
        return _names(self._begin({}, "").said, lambda message: message.fields, lambda _: True)

    def render(self, attributes: Mapping[str, str], number: str, at: datetime | None = None, zone: str = "") -> str:
        """Return what is said to a contact, given its columns by the headers of its list, and its number in E.164.

        `at`: the instant that NOW() means instead: whoever says it again for the same contact says the same.
        `zone`: of a contact whose columns say none. Raises EmptyMessage where nothing is said, and Unrenderable where
        something was amiss before.
        """
        begun = self._begin(attributes, number, at, zone).finish()
        text = "\n".join(effect.text for effect in begun.effects if isinstance(effect, Say) and effect.text)
        if text and not text.isspace():
            return text
        if begun.session.ending is Ending.failed:
            raise Unrenderable(f"The flow says nothing to this contact. {begun.session.why}")
        raise EmptyMessage

    def begin(self, attributes: Mapping[str, str], number: str, zone: str = "") -> Step:
        """Return all that follows from the beginning with a contact, up to where it waits for the first time."""
        return self._begin(attributes, number, zone=zone).finish()

    def missing(self, headers: Sequence[str]) -> tuple[str, ...]:
        """Return the fields that no header of a list fits, to be shown before a run."""
        known = Headers(headers)
        said = self._begin(dict.fromkeys(headers, ""), "").said
        return _names(said, lambda message: message.missing(headers), lambda name: known.find(name) is None)

    def blanks(self, attributes: Mapping[str, str]) -> tuple[str, ...]:
        """Return the fields that stay blank for a contact: it has no such column, or no value there."""
        known = Headers(tuple(attributes))

        def is_blank(name: str) -> bool:
            header = known.find(name)
            return header != known.phone_number and not attributes.get(header or "", "").strip()

        return _names(self._begin(attributes, "").said, lambda message: message.blanks(attributes), is_blank)

    def as_written(self) -> str | None:
        """Return what it says to a contact of whom nothing is known, with its placeholders.

        Where that is nothing: what it says first to some other contact. None: it says nothing to anybody.
        """
        for said in (self._begin({}, "").said, find_message(self._container, self._mode, self._now())):
            text = "\n".join(with_merge_tags(content.source) for content in said if content.source)
            if text and not text.isspace():
                return text
        return None

    def _begin(
        self, attributes: Mapping[str, str], number: str, at: datetime | None = None, zone: str = ""
    ) -> MakingTurn:
        return beginning(
            self._container,
            contact=attributes,
            number=number,
            mode=self._mode,
            at=at or self._now(),
            zone=zone or self._zone,
            answered_by=self._answered_by,
        )


def _names(
    said: Iterable[Content], of_message: Callable[[Compiled], Sequence[str]], wanted: Callable[[str], bool]
) -> tuple[str, ...]:
    """Return the columns of which something is true, each once, as texts spell them first."""
    spellings: dict[str, str] = {}
    for content in said:
        message = read_placeholders(content.source)
        found = _shown(content.source) if message is None else of_message(message)
        for name in found if message is not None else filter(wanted, found):
            spellings.setdefault(normalise(name), name)
    return tuple(spellings.values())


@lru_cache(maxsize=1024)
def _shown(source: str) -> tuple[str, ...]:
    names = (found["name"] for found in _SHOWN.finditer(source))
    return tuple(name for name in names if normalise(name) not in _OWN)
