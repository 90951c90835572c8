"""The audit log: what was done, by whom, and whether the log is as it was written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel

from callsheet.api.caller import Caller
from callsheet.api.v1.asked import Calling, Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.shapes import USUAL_LIMIT, Limit, Page, page_of
from callsheet.api.v1.strict import Router
from callsheet.core.audit import ActorKind
from callsheet.core.errors import NotFound
from callsheet.engine.runtime import Runtime
from callsheet.store.audit import Chain, Chained

router = Router(prefix="/v1", tags=["audit log"])

_Before = Annotated[
    int | None,
    Query(ge=1, le=2**62, description="`next` of the page before: lines older than that one. Without it: the newest."),
]


class Actor(BaseModel):
    """Who did something."""

    kind: ActorKind
    id: str


class ShownLine(BaseModel):
    """A line of the audit log."""

    seq: int
    """Its place, from 1 on without a gap."""
    at: str
    """When, in UTC (ISO 8601), with the six decimals that are hashed."""
    actor: Actor
    action: str
    """A route, such as `POST /v1/apps/{app}/templates`, or what the engine did, such as `run.started`."""
    thing: str
    """The ids of what it was done to, with slashes between."""
    details: dict[str, Any]
    """How it ended, and what else there is to say; never a number, a text or a secret."""
    hash: str
    """SHA-256 over the hash of the line before and this line, in hexadecimal digits."""


class Verdict(BaseModel):
    """What came of walking the log from its first line on."""

    intact: bool
    lines: int
    """How many lines there are to be."""
    hash: str
    """The hash of the last. Who keeps it elsewhere can tell later that nothing before it was changed."""
    first_broken: int | None
    """The place of the first line that is not what was written, or is gone."""


@router.get("/apps/{app}/audit")
async def list_lines(
    runtime: Served, app: Tenant, after: _Before = None, limit: Limit = USUAL_LIMIT
) -> Page[ShownLine]:
    """Return the audit log of an app, the newest lines first."""
    return _page(await runtime.store.audit.lines(Chain(app.no), before=after, limit=limit + 1), limit)


@router.get("/apps/{app}/audit/verify")
async def verify_lines(runtime: Served, app: Tenant) -> Verdict:
    """Walk the audit log of an app and say whether it is as it was written."""
    return await _verify(runtime, Chain(app.no))


@router.get("/accounts/{account_id}/audit", responses=problems(NotFound))
async def list_lines_of_account(
    runtime: Served, caller: Calling, account_id: str, after: _Before = None, limit: Limit = USUAL_LIMIT
) -> Page[ShownLine]:
    """Return what was done to the account itself: apps made, sign-ins, the newest lines first."""
    return _page(await runtime.store.audit.lines(_chain(caller, account_id), before=after, limit=limit + 1), limit)


@router.get("/accounts/{account_id}/audit/verify", responses=problems(NotFound))
async def verify_lines_of_account(runtime: Served, caller: Calling, account_id: str) -> Verdict:
    """Walk the audit log of an account and say whether it is as it was written."""
    return await _verify(runtime, _chain(caller, account_id))


def _chain(caller: Caller, account_id: str) -> Chain:
    if account_id != caller.account_id:
        raise NotFound
    return Chain(account_id=account_id)


async def _verify(runtime: Runtime, chain: Chain) -> Verdict:
    found = await runtime.store.audit.verify(chain)
    return Verdict(
        intact=found.first_broken is None,
        lines=found.lines,
        hash=found.hash.hex(),
        first_broken=found.first_broken,
    )


def _page(found: Sequence[Chained], limit: int) -> Page[ShownLine]:
    return page_of([_show(one) for one in found], limit, lambda line: line.seq)


def _show(chained: Chained) -> ShownLine:
    line, deed = chained.line, chained.line.deed
    return ShownLine(
        seq=line.seq,
        at=line.written_at(),
        actor=Actor(kind=deed.actor_kind, id=deed.actor_id),
        action=deed.action,
        thing=deed.thing,
        details=dict(deed.details),
        hash=chained.hash.hex(),
    )
