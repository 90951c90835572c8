"""Accounts with others: read so that they can be reached, and changed so that their secrets go to nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callsheet.account import AccountT, Place, merge, names_of, read_account, read_places
from callsheet.carriers.sip.account import SCHEME as SIP
from callsheet.core.errors import FieldError, Invalid
from callsheet.core.fence import SCHEMES, Fence

Document = Mapping[str, Any]


def read_reachable(fence: Fence, model: type[AccountT], document: Document) -> AccountT:
    """Read an account that can be reached, as far as its form tells. Raises Invalid."""
    account = read_account(model, document)
    wrong = [
        FieldError(f"settings.{name}", fault)
        for name, place in account.places().items()
        if (fault := _fault_of(fence, place)) is not None
    ]
    if wrong:
        raise Invalid(wrong)
    return account


def change_account(
    fence: Fence, model: type[AccountT], before: Document, secrets: Document, changes: Document
) -> AccountT:
    """Return an account after a change to settings and secrets of before. Raises Invalid."""
    stored = merge(before, secrets)
    account = read_reachable(fence, model, merge(stored, changes))
    if not set(account.places().values()) <= set(read_places(model, stored).values()):
        # Whoever is there would be sent them: only who knows them may point them at another place.
        _ask_again(secrets, changes)
    return account


def _fault_of(fence: Fence, place: Place) -> str | None:
    own = fence.of_sip() if place.scheme == SIP else fence
    port = own.fault_of_port(place.port) if place.scheme in SCHEMES else None
    return port or own.fault_of_host(place.host)


def _ask_again(secrets: Document, changes: Document) -> None:
    """Raise Invalid that names every secret which a change does not."""
    named = tuple(names_of(changes))
    missing = [name for name in sorted(names_of(secrets)) if not any(f"{name}.".startswith(f"{one}.") for one in named)]
    if missing:
        said = "It is at another place now: give this again, or null to take it back."
        raise Invalid([FieldError(f"settings.{name}", said) for name in missing])
