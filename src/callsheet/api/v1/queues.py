"""Queues: where a call waits for an agent."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StrictBool, StrictInt, StringConstraints

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.shapes import (
    USUAL_LIMIT,
    After,
    Body,
    Description,
    Instant,
    Limit,
    LongName,
    Page,
    no_cursor,
    page_of,
)
from callsheet.api.v1.strict import Router
from callsheet.core.errors import BodyTooLarge, InUse, NameTaken, QueueNotFound
from callsheet.core.transferring import Target, read_target
from callsheet.store.queues import USUAL_PRIORITY, Queue

router = Router(prefix="/v1/apps/{app}/queues", tags=["queues"])

LOWEST_PRIORITY, HIGHEST_PRIORITY = 1, 10
_MOST_SKILLS = 100
_LONGEST_NUMBER = 200


def _no_twins(skills: list[str]) -> list[str]:
    if len({skill.casefold() for skill in skills}) < len(skills):
        raise ValueError("A skill is named twice")
    return skills


_Priority = Annotated[StrictInt, Field(ge=LOWEST_PRIORITY, le=HIGHEST_PRIORITY)]
_Skills = Annotated[list[LongName], Field(max_length=_MOST_SKILLS), AfterValidator(_no_twins)]


def _can_be_called(number: str) -> str:
    if not number.strip():
        return ""
    match read_target(number, None):
        case Target(to=to):
            return to
        case _:
            raise ValueError("Give a telephone number with its country code, or a SIP address; no emergency number")


_Number = Annotated[str, StringConstraints(max_length=_LONGEST_NUMBER), AfterValidator(_can_be_called)]


class NewQueue(Body):
    """A queue to be."""

    name: LongName
    """What campaigns call it; no two queues of an app have one name."""
    description: Description = ""
    """For those who look at it."""
    priority: _Priority = USUAL_PRIORITY
    """Which queue an agent who serves several takes the next call from: 10 comes before 1."""
    is_default: StrictBool = False
    """Whether it takes what names no queue; the queue that did so before does not any more."""
    is_active: StrictBool = True
    """Whether it takes calls."""
    skills: _Skills = Field(default_factory=list)
    """The names of the skills that its agents need."""
    number: _Number = ""
    """Whom callers are put through to whom a flow hands over to it: a telephone number, or a SIP address."""


class ChangedQueue(Body):
    """What is to change; what is not named stays as it is."""

    name: LongName = ""
    """What campaigns call it."""
    description: Description = ""
    """For those who look at it."""
    priority: _Priority = USUAL_PRIORITY
    """Which queue an agent who serves several takes the next call from: 10 comes before 1."""
    is_default: StrictBool = True
    """True makes it the default. False is refused for the default queue: make another one the default instead."""
    is_active: StrictBool = True
    """Whether it takes calls."""
    skills: _Skills = Field(default_factory=list)
    """The names of the skills that its agents need."""
    number: _Number = ""
    """Whom callers are put through to whom a flow hands over to it: a telephone number, or a SIP address."""


class ShownQueue(BaseModel):
    """A queue."""

    id: str
    name: str
    description: str
    priority: int
    is_default: bool
    is_active: bool
    skills: list[str]
    number: str
    """Whom callers are put through to; empty: nobody."""
    created_at: Instant
    updated_at: Instant


@router.post("", status_code=201, responses=problems(NameTaken, BodyTooLarge))
async def create_queue(runtime: Served, app: Tenant, new: NewQueue) -> ShownQueue:
    """Create a queue."""
    return _show(await runtime.store.queues.create(app.no, new.model_dump(), runtime.clock.now()))


@router.get("")
async def list_queues(
    runtime: Served, app: Tenant, after: After = None, limit: Limit = USUAL_LIMIT
) -> Page[ShownQueue]:
    """Return the queues, oldest first."""
    last = await runtime.store.queues.find(app.no, queue_id=after) if after else None
    if after and last is None:
        raise no_cursor()
    found = await runtime.store.queues.of_app(app.no, after=last.no if last is not None else 0, limit=limit + 1)
    return page_of([_show(one) for one in found], limit, lambda one: one.id)


@router.get("/{queue_id}", responses=problems(QueueNotFound))
async def get_queue(runtime: Served, app: Tenant, queue_id: str) -> ShownQueue:
    """Return a queue."""
    return _show(await runtime.store.queues.find(app.no, queue_id=queue_id))


@router.patch("/{queue_id}", responses=problems(QueueNotFound, NameTaken, BodyTooLarge))
async def change_queue(runtime: Served, app: Tenant, queue_id: str, changed: ChangedQueue) -> ShownQueue:
    """Change a queue."""
    changes = changed.model_dump(include=changed.model_fields_set)
    return _show(await runtime.store.queues.change(app.no, queue_id, changes, runtime.clock.now()))


@router.delete("/{queue_id}", status_code=204, responses=problems(QueueNotFound, InUse))
async def delete_queue(runtime: Served, app: Tenant, queue_id: str) -> None:
    """Delete a queue that no campaign uses; the default one stays."""
    if not await runtime.store.queues.delete(app.no, queue_id):
        raise QueueNotFound


def _show(found: Queue | None) -> ShownQueue:
    if found is None:
        raise QueueNotFound
    return ShownQueue(
        id=found.id,
        name=found.name,
        description=found.description,
        priority=found.priority,
        is_default=found.is_default,
        is_active=found.is_active,
        skills=list(found.skills),
        number=found.number,
        created_at=found.created_at,
        updated_at=found.updated_at,
    )
