"""Trunks: configured accounts with carriers."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, StrictBool, StringConstraints

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.shapes import Body, LongName
from callsheet.api.v1.strict import Router
from callsheet.core.errors import BodyTooLarge, InUse, TrunkNotFound
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import Trunk

router = Router(prefix="/v1/apps/{app}/trunks", tags=["trunks"])

CARRIERS = ("sandbox",)
"""What this release can speak to."""


def _carrier(text: str) -> str:
    if text not in CARRIERS:
        raise ValueError(f"This release has the carrier {', '.join(CARRIERS)} and no other")
    return text


class State(StrEnum):
    """Whether a node can send through a trunk now."""

    open = "open"
    closed = "closed"


class NewTrunk(Body):
    """A trunk to be."""

    name: LongName
    """For those who look at it."""
    carrier: Annotated[str, StringConstraints(max_length=64), AfterValidator(_carrier)]
    """With whom the account is: sandbox."""
    takes_any_sender: StrictBool = False
    """Whether a caller ID that nobody configured is made known when a campaign starts with it."""


class ChangedTrunk(Body):
    """What is to change; what is not named stays as it is."""

    name: LongName = ""
    """For those who look at it."""
    takes_any_sender: StrictBool = False
    """Whether a caller ID that nobody configured is made known when a campaign starts with it."""


class ShownTrunk(BaseModel):
    """A trunk."""

    id: str
    name: str
    carrier: str
    takes_any_sender: bool
    state: State
    """Of the node that answers. A trunk that no run has asked for since it was made is closed until one does."""


class Trunks(BaseModel):
    """The trunks of an app."""

    items: list[ShownTrunk]
    next: None = None


@router.get("")
async def list_trunks(runtime: Served, app: Tenant) -> Trunks:
    """Return the trunks, oldest first."""
    return Trunks(items=[_show(runtime, trunk) for trunk in await runtime.store.apps.trunks(app.no)])


@router.post("", status_code=201, responses=problems(BodyTooLarge))
async def create_trunk(runtime: Served, app: Tenant, new: NewTrunk) -> ShownTrunk:
    """Create a trunk."""
    created = await runtime.store.apps.create_trunk(
        app.no,
        name=new.name,
        carrier=new.carrier,
        takes_any_sender=new.takes_any_sender,
        now=runtime.clock.now(),
    )
    return _show(runtime, created)


@router.get("/{trunk_id}", responses=problems(TrunkNotFound))
async def get_trunk(runtime: Served, app: Tenant, trunk_id: str) -> ShownTrunk:
    """Return a trunk."""
    return _show(runtime, await runtime.store.trunks.find(app.no, trunk_id))


@router.patch("/{trunk_id}", responses=problems(TrunkNotFound, BodyTooLarge))
async def change_trunk(runtime: Served, app: Tenant, trunk_id: str, changed: ChangedTrunk) -> ShownTrunk:
    """Change a trunk."""
    changes = changed.model_dump(include=changed.model_fields_set)
    return _show(runtime, await runtime.store.trunks.change(app.no, trunk_id, changes))


@router.delete("/{trunk_id}", status_code=204, responses=problems(TrunkNotFound, InUse))
async def delete_trunk(runtime: Served, app: Tenant, trunk_id: str) -> None:
    """Delete a trunk that no sender belongs to."""
    if not await runtime.store.trunks.delete(app.no, trunk_id):
        raise TrunkNotFound


def _show(runtime: Runtime, found: Trunk | None) -> ShownTrunk:
    if found is None:
        raise TrunkNotFound
    return ShownTrunk(
        id=found.id,
        name=found.name,
        carrier=found.carrier,
        takes_any_sender=found.takes_any_sender,
        state=State.open if runtime.conductor.is_open(found.no) else State.closed,
    )
