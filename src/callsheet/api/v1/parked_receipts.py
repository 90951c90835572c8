"""Parked receipts: what carriers told of messages that nobody knows yet."""

from __future__ import annotations

from pydantic import BaseModel

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Instant, Limit, Page, no_cursor, page_of
from callsheet.api.v1.strict import Router
from callsheet.core.attempt import Kind
from callsheet.store.parked_receipts import ParkedReceipt

router = Router(prefix="/v1/apps/{app}/parked-receipts", tags=["trunks"])

_LONGEST = 19
"""Digits of a number that the database can hold."""


class ShownParkedReceipt(BaseModel):
    """A receipt whose message nobody knows yet. It is looked for again, ever more rarely, for 73 hours."""

    id: str
    trunk_id: str
    """Whose carrier told it; empty: that trunk was deleted."""
    carrier_id: str
    """The carrier's id of the message."""
    kind: Kind
    """What the carrier says of the message."""
    code: str
    """Why, in the carrier's words; empty when it gave none."""
    heard_at: Instant
    tries: int
    """How often its message was looked for again."""
    next_at: Instant
    """When it is looked for next."""


@router.get("")
async def list_parked_receipts(
    runtime: Served, app: Tenant, after: After = None, limit: Limit = USUAL_LIMIT
) -> Page[ShownParkedReceipt]:
    """Return receipts whose message nobody knows, in the order in which they came.

    A few that go soon are usual: their answers were on the way. Many that stay mean that somebody else sends through
    the same account, or that the trunk reads the carrier's ids wrongly.
    """
    if after is not None and not (after.isascii() and after.isdecimal() and len(after) < _LONGEST):
        raise no_cursor()
    found = await runtime.store.parked_receipts.of_app(app.no, after=int(after or 0), limit=limit + 1)
    return page_of([_show(one) for one in found], limit, lambda one: one.id)


def _show(one: ParkedReceipt) -> ShownParkedReceipt:
    return ShownParkedReceipt(
        id=str(one.no),
        trunk_id=one.trunk_id,
        carrier_id=one.carrier_id,
        kind=Kind(one.kind),
        code=one.code,
        heard_at=one.heard_at,
        tries=one.tries,
        next_at=one.due,
    )
