"""What of a call is written down: who made it, by which route, to what, and how it ended; never what it brought."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from starlette.types import Scope

from callsheet.api.caller import CALLER, NOTED, Caller
from callsheet.api.paths import Address
from callsheet.core.audit import Deed
from callsheet.core.permissions import Area, find_needs, only_reads
from callsheet.core.phone import without_numbers
from callsheet.store.audit import Chain

_BASES: Final[Mapping[Area, str]] = {Area.compat: "/{app}", Area.app: "/v1/apps/{app}", Area.account: "/v1"}
_ID: Final = re.compile(r"[a-z]{1,4}-[0-9a-f-]{20,60}|[0-9a-f]{24,64}|\d{1,6}")
"""What an id of ours looks like. Names may stand in a path as well, and whatever a caller put there by mistake."""
_FORBIDDEN = 403


def deed_of(address: Address, scope: Scope, status: int) -> tuple[Chain, Deed] | None:
    """Return what is written down about a call, and where: what changed something, and what was forbidden."""
    caller: Caller | None = scope.get(CALLER)
    if caller is None or not _counts(address, scope, status):
        return None
    route = scope.get("route")
    action = f"{scope['method']} {_path(address, route.path) if route is not None else _attempted(address)}"
    ids = [str(value) for name, value in scope.get("path_params", {}).items() if name not in ("app", "kind")]
    thing = "/".join(value for value in ids if _ID.fullmatch(value))
    details: dict[str, Any] = {"status": status, **scope[NOTED]}
    if "reason" in details:
        # What people write as they like may hold a number.
        details["reason"] = without_numbers(details["reason"])
    return chain_of(caller, address), Deed(caller.kind, caller.id, action, thing, details)


def chain_of(caller: Caller, address: Address) -> Chain:
    """Return where a call is written down: with its app, or with the account when it is for no app."""
    if address.area is Area.account or caller.tenant is None:
        return Chain(account_id=caller.account_id)
    return Chain(caller.tenant.no)


def _counts(address: Address, scope: Scope, status: int) -> bool:
    if status == _FORBIDDEN:
        return True
    # What was not routed was answered before: an answer that is given again changes nothing.
    is_success = status < 400 and "route" in scope
    return is_success and not only_reads(address.area, address.words, scope["method"])


def _path(address: Address, path: str) -> str:
    return _BASES[Area.compat] + path if address.area is Area.compat else path


def _attempted(address: Address) -> str:
    """Return as much of a path as is known to be a word of ours."""
    word = address.words[0] if address.words and find_needs(address.area, address.words) is not None else ""
    return f"{_BASES[address.area]}/{word}".rstrip("/")
