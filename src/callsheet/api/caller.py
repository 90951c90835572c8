"""What the front found out about a request before its route is known, and where the routes find it."""

from __future__ import annotations

from typing import Final

from starlette.types import Scope

from callsheet.store.apps import Client

CALLER: Final = "callsheet.caller"
"""Key of the scope: the API client that calls."""
DOCUMENT: Final = "callsheet.document"
"""Key of the scope: the value of the JSON body; None when there was no body."""


def caller_of(scope: Scope) -> Client:
    """Return who calls. Every route below an app has a caller, or the front would have refused."""
    caller: Client = scope[CALLER]
    return caller
