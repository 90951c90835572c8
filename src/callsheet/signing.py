"""Sign: the documented token of an API client, for the header `auth`."""

from __future__ import annotations

from datetime import datetime

import jwt

from callsheet.folder import Credentials

ALGORITHM = "HS256"


def sign(credentials: Credentials, *, until: datetime | None = None) -> str:
    """Return a JWT with the documented claims; `until` is when it expires, by default never, as documented."""
    claims: dict[str, object] = {"sub": "callsheet", "appId": credentials.client_id}
    if until is not None:
        claims["exp"] = int(until.timestamp())
    return jwt.encode(claims, credentials.client_secret, algorithm=ALGORITHM)
