"""Senders: the caller IDs that contacts see, and how fast each may speak."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import Responses, problems
from callsheet.api.v1.shapes import Body
from callsheet.core.errors import BodyTooLarge, Conflict
from callsheet.core.run import Sender

router = APIRouter(prefix="/v1/apps/{app}/senders", tags=["senders"])

_FASTEST = 100_000


def _caller_id(text: str) -> str:
    shown = text.strip()
    if not shown or not shown.isprintable():
        raise ValueError("Give the number or the name that contacts see")
    return shown


class NewSender(Body):
    """A sender, and how many segments of messages it may send in a second; none: as fast as its carrier takes them."""

    number: Annotated[str, StringConstraints(max_length=64), AfterValidator(_caller_id)]
    segments_per_second: Annotated[float, Field(gt=0, le=_FASTEST, allow_inf_nan=False, strict=True)] | None = None


class ShownSender(BaseModel):
    """A sender."""

    id: str
    number: str
    segments_per_second: float | None


class Senders(BaseModel):
    """The senders of an app."""

    items: list[ShownSender]
    next: None = None


@router.get("")
async def list_senders(runtime: Served, app: Tenant) -> Senders:
    """Return the senders, oldest first. A sandbox trunk makes a caller ID known when a campaign starts with it."""
    return Senders(items=[_show(sender) for sender in await runtime.store.apps.senders(app.no)])


_CHANGED: Responses = {200: {"description": "The sender was there, and was changed.", "model": ShownSender}}


@router.post("", status_code=201, responses=_CHANGED | problems(Conflict, BodyTooLarge))
async def put_sender(runtime: Served, app: Tenant, new: NewSender, response: Response) -> ShownSender:
    """Create a sender, or change how fast one may speak."""
    known = {sender.label: sender for sender in await runtime.store.apps.senders(app.no)}
    trunks = await runtime.store.apps.trunks(app.no)
    if not trunks:
        raise Conflict("This app has no trunk that could carry a sender's messages.")
    present = known.get(new.number)
    trunk_no = present.trunk_no if present is not None else trunks[0].no
    sender = await runtime.store.apps.set_sender(
        app.no, trunk_no, new.number, new.segments_per_second, runtime.clock.now()
    )
    if present is not None:
        response.status_code = 200
    runtime.conductor.wake()
    return _show(sender)


def _show(sender: Sender) -> ShownSender:
    return ShownSender(id=sender.id, number=sender.label, segments_per_second=sender.segments_per_second)
