"""The template of a request to somebody else's API: where it goes, and which headers it may have."""

from __future__ import annotations

import re
from typing import Final

from callsheet.core.bare_secrets import check_url, refuse_secret
from callsheet.core.fence import Fence
from callsheet.core.filling import names_in, without_names

_ANYWHERE: Final = Fence(allow_private=True)
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_OURS: Final = frozenset({"host", "content-length", "transfer-encoding", "connection", "content-type"})


def check_target(url: str) -> str:
    """Return a URL with placeholders in it, which stand behind the host and hide no secret. Raises ValueError."""
    fault = _ANYWHERE.fault_of(without_names(url, "x"))
    if fault is not None:
        raise ValueError(fault)
    if "{{" in url.split("/")[2] or "#" in url:
        raise ValueError("A placeholder stands behind the host, and no # is in it.")
    check_url(url)
    return url


def check_headers(headers: dict[str, str]) -> dict[str, str]:
    """Return headers that somebody may give, without a text or a bare secret. Raises ValueError."""
    for name, value in headers.items():
        if not _HEADER.fullmatch(name) or name.lower() in _OURS:
            raise ValueError(f"{name[:40]!a} is no header that can be given.")
        if not (value.isascii() and value.isprintable()):
            raise ValueError(f"{name} holds a character that no header can.")
        if "text" in names_in(value):
            raise ValueError(f"{name}: A text has no place in a header.")
        refuse_secret(name, value)
    return headers
