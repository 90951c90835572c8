"""Who calls: the JSON Web Token of an API client (RFC 7519), and whether it is for this account and app.

The client is found by the claim `appId`, else `iss`, else `kore_iss`; all that are present must name the same. The
algorithm is the one stored for it, never the token's choice. Tokens without `exp`, `nbf` or `iat` pass, as documented;
those that are present are enforced. A `jti` may come again: one token serves many calls, as documented, unless an app
demands otherwise, and no app can yet. Whether another account or app exists can be learned from no answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import jwt
from jwt.types import Options
from starlette.datastructures import Headers

from callsheet.api.caller import Caller
from callsheet.api.paths import Address, Query
from callsheet.core.audit import ActorKind
from callsheet.core.errors import Forbidden, Unauthenticated
from callsheet.core.permissions import Role
from callsheet.store.clients import Algorithm, Client
from callsheet.store.sessions import Session
from callsheet.store.store import Store

LEEWAY_SECONDS = 60
"""How far the clocks of clients may be off."""

_LATEST_SECONDS = 2**53 - 1
"""The largest whole number that every reader of JSON holds exactly; clients write it for "never"."""
_LONGEST_TOKEN = 8 * 1024
_TOKENS_KEPT = 1024
"""One token serves many calls, and what it says never changes. Whether its client, and the client's secret, are still
the same is looked up for each call; whether it has expired as well."""
_LONGEST_CLIENT_ID = 128
_CLIENT_CLAIMS = ("appId", "iss", "kore_iss")
_BEARER = "bearer "
# Times are checked here, because the clock is an argument; `aud` and `sub` may be anything.
_UNCHECKED: Options = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


class Proof(NamedTuple):
    """Who proved to call, and what he said besides."""

    caller: Caller
    claims: Mapping[str, Any]


async def identify(store: Store, now: datetime, headers: Headers) -> Proof:
    """Return the client that calls. Raises Unauthenticated."""
    token = _token(headers)
    client = await _find_client(store, _unverified(token))
    claims = _verified(token, client.secret, client.algorithm)
    _check_times(claims, now.timestamp())
    return Proof(
        Caller(ActorKind.client, client.id, client.app.account_id, client.app, client.scopes),
        claims,
    )


def brings_token(headers: Headers) -> bool:
    """Tell whether a request says anything about a token, right or wrong."""
    return any(value.strip() for value in (*headers.getlist("auth"), *headers.getlist("authorization")))


def prove(session: Session, address: Address) -> Proof:
    """Return the user of a session as the one who calls, for the app of the path or for his account."""
    if address.app_id is None:
        role: Role | None = Role.highest(role for _, role in session.roles.values())
        app = None
    else:
        app, role = session.roles.get(address.app_id, (None, None))
    return Proof(Caller(ActorKind.user, session.user_id, session.account_id, app, role=role), {})


def refuse_contradictions(proof: Proof, headers: Headers, address: Address, query: Query) -> None:
    """See that everything that names the client, its app or its account names the same. Raises Forbidden.

    A path may name the app, or only the account, or neither.
    """
    caller, claims = proof
    if any(claims[name] != caller.id for name in _CLIENT_CLAIMS if name in claims):
        raise Forbidden
    own_app = caller.tenant.id if caller.tenant is not None else address.app_id
    if not {*_apps_named(headers, claims), address.app_id} - {None} <= {own_app}:
        raise Forbidden
    if not {*_accounts_named(headers, query, claims), address.account_id} - {None} <= {caller.account_id}:
        raise Forbidden


def _token(headers: Headers) -> str:
    """Return the token of the header `auth`, with or without a scheme word, or of `Authorization: Bearer`."""
    tokens = {
        value[len(_BEARER) :].strip() if _is_bearer(value) else value.strip() for value in headers.getlist("auth")
    }
    if not tokens - {""}:
        tokens = {_without_scheme(value) for value in headers.getlist("auth")}
    if not tokens - {""}:
        tokens = {_without_scheme(value) for value in headers.getlist("authorization") if _is_bearer(value)}
    if len(tokens) != 1:
        raise Unauthenticated
    (token,) = tokens
    if not token or len(token) > _LONGEST_TOKEN:
        raise Unauthenticated
    return token


def _without_scheme(value: str) -> str:
    return value[len(_BEARER) :].strip() if _is_bearer(value) else value.strip()


def _is_bearer(value: str) -> bool:
    return value[: len(_BEARER)].lower() == _BEARER


@lru_cache(_TOKENS_KEPT)
def _unverified(token: str) -> Mapping[str, Any]:
    """Read the claims of a token that nothing is believed of but whose it says it is."""
    try:
        claims: Mapping[str, Any] = jwt.decode(token, options={**_UNCHECKED, "verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise Unauthenticated from None
    return claims


async def _find_client(store: Store, claims: Mapping[str, Any]) -> Client:
    client_id = next((claims[name] for name in _CLIENT_CLAIMS if name in claims), None)
    if not isinstance(client_id, str) or len(client_id) > _LONGEST_CLIENT_ID or not client_id.isprintable():
        raise Unauthenticated
    client = await store.clients.find(client_id)
    if client is None or client.algorithm not in Algorithm.__members__:
        raise Unauthenticated
    return client


@lru_cache(_TOKENS_KEPT)
def _verified(token: str, secret: str, algorithm: str) -> Mapping[str, Any]:
    try:
        claims: Mapping[str, Any] = jwt.decode(token, secret, algorithms=[algorithm], options=_UNCHECKED)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise Unauthenticated from None
    return claims


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    if "exp" in claims and _seconds(claims["exp"]) <= now - LEEWAY_SECONDS:
        raise Unauthenticated("The token has expired.")
    for name in ("nbf", "iat"):
        if name in claims and _seconds(claims[name]) > now + LEEWAY_SECONDS:
            raise Unauthenticated("The token is not valid yet.")


def _seconds(value: object) -> float:
    # Compared as it is, so that nothing overflows; what is not a number is in no range.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LATEST_SECONDS:
        raise Unauthenticated
    return value


def _apps_named(headers: Headers, claims: Mapping[str, Any]) -> Iterator[str]:
    yield from _said(headers.getlist("iid"))
    yield from _claimed(claims, "iid")


def _accounts_named(headers: Headers, query: Query, claims: Mapping[str, Any]) -> Iterator[str]:
    yield from _said(headers.getlist("accountid"))
    yield from _said(query.get("accountid", ()))
    yield from _claimed(claims, "accountid")


def _said(values: object) -> Iterator[str]:
    assert isinstance(values, list | tuple)
    yield from (value.strip() for value in values if value.strip())


def _claimed(claims: Mapping[str, Any], name: str) -> Iterator[str]:
    yield from (str(value) for claim, value in claims.items() if claim.lower() == name)
