"""What the front found out about a request before its route is known, and where the routes find it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from starlette.types import Scope

from callsheet.core.audit import ActorKind
from callsheet.core.permissions import Need, Role
from callsheet.store.apps import App

CALLER: Final = "callsheet.caller"
"""Key of the scope: who calls."""
DOCUMENT: Final = "callsheet.document"
"""Key of the scope: the value of the JSON body; None when there was no body."""
GENERATION: Final = "callsheet.generation"
"""Key of the scope: which generation of the documented API the path names, 1 or 2."""
NOTED: Final = "callsheet.noted"
"""Key of the scope: what a route has to say about its call in the audit log, by name."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, for which app of which account, and what he may do there."""

    kind: ActorKind
    id: str
    account_id: str
    tenant: App | None
    """None: the call is for the account, and its caller belongs to no one app."""
    scopes: frozenset[str] = frozenset()
    role: Role | None = None
    """Of a user, in the app of the call; None for a client."""

    @property
    def app(self) -> App:
        """The app of a call that is for one."""
        assert self.tenant is not None, "the front lets nobody below an app without one"
        return self.tenant

    def may(self, need: Need) -> bool:
        """Tell whether he may do what needs this."""
        return need.is_met(scopes=self.scopes, role=self.role)


def caller_of(scope: Scope) -> Caller:
    """Return who calls. Every route below an app has a caller, or the front would have refused."""
    caller: Caller = scope[CALLER]
    return caller


def note(scope: Scope, **details: Any) -> None:
    """Add to what the audit log says about this call: JSON values, and no number, text or secret.

    What looks like a number in a `reason` is masked when the line is written.
    """
    scope[NOTED].update(details)
