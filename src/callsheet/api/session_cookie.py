"""The cookie of a session, and whether a request that brings it comes from a page of ours.

Browsers send a cookie along whoever wrote the page; so with a cookie everything but a look has to come from our own
origin (RFC 6454), as the browser says. Programs have no cookie, and are not asked.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import Response

from callsheet.core.errors import Forbidden

COOKIE: Final = "callsheet_session"
_PATH: Final = "/v1"
_LOOKS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_STRANGER: Final = "This request does not come from a page of this server."


def read_cookie(headers: Headers) -> str:
    """Return the token of the session that a request brings; empty when it brings none."""
    return cookie_parser("; ".join(headers.getlist("cookie"))).get(COOKIE, "")


def give_cookie(response: Response, token: str, *, is_secure: bool) -> None:
    """Give a browser a session. The server knows when it ends; a browser that is closed forgets it."""
    response.set_cookie(COOKIE, token, path=_PATH, secure=is_secure, httponly=True, samesite="strict")


def take_cookie(response: Response, *, is_secure: bool) -> None:
    """Take the session from a browser."""
    response.delete_cookie(COOKIE, path=_PATH, secure=is_secure, httponly=True, samesite="strict")


def refuse_strangers(method: str, headers: Headers) -> None:
    """See that what changes something comes from our own origin. Raises Forbidden."""
    if method not in _LOOKS and _is_own(headers) is not True:
        raise Forbidden(_STRANGER)


def refuse_known_strangers(headers: Headers) -> None:
    """See that what needs no cookie does not come from a page of somebody else. Raises Forbidden."""
    if _is_own(headers) is False:
        raise Forbidden(_STRANGER)


def _is_own(headers: Headers) -> bool | None:
    """Tell whether a request comes from our own origin; None when it does not say where from."""
    origins, site = headers.getlist("origin"), headers.get("sec-fetch-site")
    if not origins:
        return None if site is None else site == "same-origin"
    # Behind a proxy we do not know our own scheme, so host and port decide.
    parts = [urlsplit(origin) for origin in origins]
    ours = headers.get("host", "").lower()
    own = all(part.scheme in ("http", "https") and part.netloc.lower() == ours for part in parts)
    return bool(ours) and own and site in (None, "same-origin")
