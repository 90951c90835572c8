"""The URL of a carrier, as an account names it, and how we show who we are there."""

from __future__ import annotations

from base64 import b64encode
from typing import Annotated

from pydantic import AfterValidator

from callsheet.core.fence import Fence

# Of the form only: which addresses are called is decided where the socket connects.
_ANYWHERE = Fence(allow_private=True)


def _check(url: str) -> str:
    fault = _ANYWHERE.fault_of(url)
    if fault is not None:
        raise ValueError(fault)
    if "?" in url or "#" in url:
        raise ValueError("Give a URL without a query.")
    return url.rstrip("/")


WebUrl = Annotated[str, AfterValidator(_check)]
"""A URL to which a path is added."""


def basic(user: str, password: str) -> str:
    """Return the value of an Authorization header (RFC 7617)."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()
