"""What a prompt says: a text with expressions, or with the placeholders that messages have.

`@contact.first_name` is how a flow says it; `<First Name>` and `{{ first_name | default: 'there' }}` are how the
message of a campaign says it (`core/template.py`), and texts move from one to the other.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from callsheet.core.errors import Invalid
from callsheet.core.flow.amiss import Amiss, BadExpression
from callsheet.core.flow.expression.reading import read_text
from callsheet.core.flow.expression.scope import Scope, Text
from callsheet.core.flow.names import Contact
from callsheet.core.template import Compiled, EmptyMessage, Unrenderable, compile_text

# `@contact.first_name`, `@(contact.first_name)`, and `@@` for an `@`. After a letter it is an e-mail address.
_SIMPLE: Final = re.compile(
    r"@@|(?<![\w.+-])@(?P<open>\()?contact\.(?:properties\.)?(?P<name>[a-z]\w*)(?(open)\))(?!\w|\.\w|\[)", re.IGNORECASE
)
_PLACEHOLDER: Final = re.compile(r"\{\{|\{%|<[^<>]+>")


def with_merge_tags(text: str) -> str:
    """Rewrite the simple expressions of a flow, `@contact.first_name`, as merge tags; all other text stays."""
    return _SIMPLE.sub(lambda found: f"{{{{ contact.{found['name']} }}}}" if found["name"] else "@", text)


@lru_cache(maxsize=4096)
def read_wording(source: str) -> Text:
    """Return what a prompt says. Raises BadExpression.

    Placeholders of messages count where its expressions are simple ones; beside greater ones they are only text.
    """
    text = read_text(source)
    message = read_placeholders(source)
    return text if message is None else _Personal(message)


@lru_cache(maxsize=4096)
def read_placeholders(source: str) -> Compiled | None:
    """Return a text as the message that it is; None where it has no placeholders of messages. Raises BadExpression."""
    if not _PLACEHOLDER.search(source) or not read_text(_SIMPLE.sub("", source)).is_plain:
        return None
    try:
        return compile_text(with_merge_tags(source))
    except Invalid as error:
        raise BadExpression(" ".join(fault.message for fault in error.fields)) from error


class _Personal:
    """A text with the placeholders of messages."""

    __slots__ = ("_message",)
    is_plain = False

    def __init__(self, message: Compiled) -> None:
        self._message = message

    def __call__(self, scope: Scope) -> str:
        contact = scope.names["contact"]
        assert isinstance(contact, Contact), "every scope has the contact"
        try:
            return self._message.render(contact.columns, contact.number)
        except EmptyMessage:
            return ""
        except Unrenderable as error:
            raise Amiss(error.message) from None
