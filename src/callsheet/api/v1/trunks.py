"""Trunks: configured accounts with carriers."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, StrictBool, StringConstraints

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.shapes import Body, LongName
from callsheet.api.v1.strict import Router
from callsheet.carriers.known import KNOWN
from callsheet.core.errors import BodyTooLarge, InUse, TrunkNotFound
from callsheet.engine.runtime import Runtime
from callsheet.engine.trunks import Wanted
from callsheet.store.apps import Trunk

router = Router(prefix="/v1/apps/{app}/trunks", tags=["trunks"])


def _carrier(text: str) -> str:
    if text not in KNOWN:
        raise ValueError(f"This release has these carriers and no other: {', '.join(KNOWN)}")
    return text


Settings = dict[str, Any]
"""What a carrier wants to know: its room's account says which fields there are."""


class State(StrEnum):
    """Whether a node can send through a trunk now."""

    open = "open"
    closed = "closed"


class NewTrunk(Body):
    """A trunk to be."""

    name: LongName
    """For those who look at it."""
    carrier: Annotated[str, StringConstraints(max_length=64), AfterValidator(_carrier)]
    """With whom the account is. It cannot change."""
    settings: Settings = Field(default_factory=dict)
    """How to reach the carrier, and as whom, as the carrier's own page says; secrets too, which are not shown again."""
    takes_any_sender: StrictBool = False
    """Whether a caller ID that nobody configured is made known when a campaign starts with it."""


class ChangedTrunk(Body):
    """What is to change; what is not named stays as it is."""

    name: LongName = ""
    """For those who look at it."""
    settings: Settings = Field(default_factory=dict)
    """What is to change of them, merged into what is there (RFC 7396): null takes a field back to its default, and a
    secret that is not named stays."""
    takes_any_sender: StrictBool = False
    """Whether a caller ID that nobody configured is made known when a campaign starts with it."""


class ShownTrunk(BaseModel):
    """A trunk."""

    id: str
    name: str
    carrier: str
    settings: Settings
    """How to reach the carrier, without the secrets."""
    secrets_set: list[str]
    """Which secrets there are, by their path in the settings."""
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
    return _show(runtime, await runtime.trunks.create(app.no, Wanted(**new.model_dump())))


@router.get("/{trunk_id}", responses=problems(TrunkNotFound))
async def get_trunk(runtime: Served, app: Tenant, trunk_id: str) -> ShownTrunk:
    """Return a trunk."""
    return _show(runtime, await runtime.store.trunks.find(app.no, trunk_id))


@router.patch("/{trunk_id}", responses=problems(TrunkNotFound, BodyTooLarge))
async def change_trunk(runtime: Served, app: Tenant, trunk_id: str, changed: ChangedTrunk) -> ShownTrunk:
    """Change a trunk. When its settings change every node opens its line anew; what the old one has is answered."""
    changes = changed.model_dump(include=changed.model_fields_set)
    settings = changes.pop("settings", None)
    return _show(runtime, await runtime.trunks.change(app.no, trunk_id, changes, settings))


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
        settings=dict(found.settings),
        secrets_set=runtime.trunks.secrets_set(found),
        takes_any_sender=found.takes_any_sender,
        state=State.open if runtime.conductor.is_open(found.no) else State.closed,
    )
