"""The address of a webhook: a URL whose scheme and host stand fixed in the document, with expressions after them.

What an expression says is percent-encoded, so that it stays the piece of the path or of the query that it is: nobody
who replies, and no column of a list, chooses where a request goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, urlsplit

from callsheet.core.fence import LONGEST_URL, Fence
from callsheet.core.flow.amiss import Amiss
from callsheet.core.flow.blocks.kind import Finding, Look
from callsheet.core.flow.expression.reading import read_quoted
from callsheet.core.flow.expression.scope import Scope, Text

_FIXED: Final = re.compile(r"https?://[^/?#@\s\\]+(?=[/?#]|$)", re.IGNORECASE)
_WRITTEN: Final = "%/:?#[]@!$&'()*+,;=~"
"""Signs of a URL that stay as the document has them."""
_ANY_HOST: Final = Fence(allow_private=True)
"""Whether a host may be called is decided where it is called: documents go from one owner to another. Only a warning
says so before."""
_NO_HOST: Final = "Give a URL that begins with https:// or http:// and a host, with expressions only after the host."


def read_address(said: object) -> Text:
    """Return a URL with expressions in it. Raises BadExpression."""
    return read_quoted(said if isinstance(said, str) else "", _quoted)


def write_address(address: Text, scope: Scope) -> str:
    """Return the URL that is called. Raises Amiss."""
    url = quote(address(scope), safe=_WRITTEN)
    if any(step in {".", ".."} for step in urlsplit(url).path.split("/")):
        raise Amiss("The URL has a step that leads out of its path.")
    fault = _ANY_HOST.fault_of(url)
    if fault is not None:
        raise Amiss(f"The URL is not right: {fault}")
    return url


def find_address(said: object, at: str, look: Look) -> Iterator[Finding]:
    """Find what is wrong with a URL."""
    if not isinstance(said, str) or not _FIXED.match(said):
        yield Finding(at, _NO_HOST)
        return
    if len(said) > LONGEST_URL:
        yield Finding(at, f"A URL has at most {LONGEST_URL} characters.")
        return
    host = _FIXED.match(said)[0]  # type: ignore[index]
    fault = _ANY_HOST.fault_of(host)
    if fault is not None:
        yield Finding(at, fault)
    elif (why := look.shut(host)) is not None:
        yield Finding(at, f"This server does not call it. {why}", is_warning=True)
    yield from look.text(said, at)


def _quoted(value: str) -> str:
    return quote(value, safe="")
