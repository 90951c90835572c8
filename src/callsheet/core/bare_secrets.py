"""Secrets that stand where they would be shown: what has one in the clear is not taken."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from callsheet.core.filling import names_in, without_names

_TELLING: Final = re.compile(
    "authori[sz]ation|api-?key|secret|password|passwd|passphrase|pwd|token|credential|(access|auth|private)-?key|cookie"
)
_WHOLE_NAMES: Final = frozenset({"auth", "pass", "key", "pw"})
_PAIR: Final = re.compile(r"""([A-Za-z0-9_-]{2,60})["']?\s{0,9}[:=>]\s{0,9}["']?(\{\{.*?\}\}|[^"'&<\s,}]{1,200})""")
"""A name and its value, as JSON, forms and XML write them."""


def refuse_secret(name: str, value: object) -> None:
    """Raise ValueError where a name says that its value is a secret, and the value is written out."""
    small = name.lower().replace("_", "-")
    if small not in _WHOLE_NAMES and _TELLING.search(small) is None:
        return
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return
    text = str(value)
    if any(one in ("key", "secret") or one.startswith("secret.") for one in names_in(text)):
        return
    if without_names(text).strip():
        raise ValueError(
            f"{name[:60]} looks like a secret, and would be shown: give it in secret (or in secrets, where there "
            "is that field), and write {{secret}} or {{secret.name}} here."
        )


def check_tree(tree: Any) -> None:
    """Look at every name of a JSON value. Raises ValueError."""
    if isinstance(tree, Mapping):
        for name, value in tree.items():
            refuse_secret(str(name), value)
            check_tree(value)
    elif isinstance(tree, Sequence) and not isinstance(tree, str):
        for value in tree:
            check_tree(value)


def check_raw(text: str) -> None:
    """Look at every name in a body that is a text. Raises ValueError."""
    for name, value in _PAIR.findall(text):
        refuse_secret(name, value)


def check_url(url: str) -> None:
    """Look at every name in the query of a URL. Raises ValueError."""
    for name, value in parse_qsl(urlsplit(url).query):
        refuse_secret(name, value)
