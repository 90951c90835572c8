"""Accounts: whose apps they are. Each caller sees its own."""

from __future__ import annotations

from pydantic import BaseModel

from callsheet.api.caller import Caller
from callsheet.api.v1.asked import Calling, Served
from callsheet.api.v1.contract import problems
from callsheet.api.v1.shapes import Body, Instant, LongName
from callsheet.api.v1.strict import Router
from callsheet.core.errors import BodyTooLarge, NotFound
from callsheet.engine.runtime import Runtime

router = Router(prefix="/v1/accounts", tags=["accounts"])


class ShownAccount(BaseModel):
    """An account."""

    id: str
    name: str
    created_at: Instant


class Accounts(BaseModel):
    """The accounts that a caller belongs to: one."""

    items: list[ShownAccount]
    next: None = None


class ChangedAccount(Body):
    """What an account is to be called."""

    name: LongName
    """For those who look at it; two accounts may have the same."""


@router.get("")
async def list_accounts(runtime: Served, caller: Calling) -> Accounts:
    """Return the caller's account."""
    return Accounts(items=[await _find(runtime, caller, caller.account_id)])


@router.get("/{account_id}", responses=problems(NotFound))
async def get_account(runtime: Served, caller: Calling, account_id: str) -> ShownAccount:
    """Return an account."""
    return await _find(runtime, caller, account_id)


@router.patch("/{account_id}", responses=problems(NotFound, BodyTooLarge))
async def rename_account(runtime: Served, caller: Calling, account_id: str, changed: ChangedAccount) -> ShownAccount:
    """Rename an account."""
    await _find(runtime, caller, account_id)
    await runtime.store.apps.rename_account(account_id, changed.name)
    return await _find(runtime, caller, account_id)


async def _find(runtime: Runtime, caller: Caller, account_id: str) -> ShownAccount:
    found = await runtime.store.apps.account(account_id) if account_id == caller.account_id else None
    if found is None:
        raise NotFound
    return ShownAccount(id=found.id, name=found.name, created_at=found.created_at)
