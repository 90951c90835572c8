"""Agent mappings: which agent a customer belongs to. They are kept for the modes with agents, and steer nobody yet."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, StrictBool, StringConstraints

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.numbers import AnyNumber
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Body, Instant, Limit, Name, Page, no_cursor, page_of
from callsheet.api.v1.strict import Router
from callsheet.core.call_errors import AgentMappingNotFound
from callsheet.core.campaign import MAX_DESCRIPTION_CHARACTERS
from callsheet.core.contacts import HIGHEST_PRIORITY
from callsheet.core.errors import BodyTooLarge, FieldError, InUse, Invalid, NameTaken
from callsheet.core.ids import PERSON_BYTES
from callsheet.core.phone import BadNumber, Number
from callsheet.engine import agent_mappings
from callsheet.engine.agent_mappings import LONGEST_AGENT, MOST_ROWS
from callsheet.engine.runtime import Runtime
from callsheet.store.agent_mappings import AgentMapping, MappedCustomer
from callsheet.store.apps import App

router = Router(prefix="/v1/apps/{app}/agent-mappings", tags=["agent mappings"])

_LONGEST_CSV = 1_000_000

Description = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_DESCRIPTION_CHARACTERS)]


class NewAgentMapping(Body):
    """An agent mapping to be."""

    name: Name
    description: Description = ""
    """What it is for."""


class ChangedAgentMapping(Body):
    """What is to change; what is not named stays as it is."""

    name: Name = ""
    description: Description = ""
    """What it is for."""


class ShownAgentMapping(BaseModel):
    """An agent mapping."""

    id: str
    name: str
    description: str
    size: int
    """How many customers are on it."""
    created_at: Instant
    updated_at: Instant


class NewCustomer(Body):
    """A customer, and whose he is."""

    number: AnyNumber
    """In international form, or local to the app's region."""
    agent: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_AGENT)]
    """Who the agent is, in words of yours: an id, an address, a name."""
    priority: Annotated[int, Field(ge=0, le=HIGHEST_PRIORITY, strict=True)] | None = None
    """How much he matters, the highest first."""


class NewCustomers(Body):
    """Customers to be: as objects, or as a CSV."""

    customers: Annotated[list[NewCustomer], Field(max_length=MOST_ROWS)] = Field(default_factory=list)
    """Of one who is named twice the last counts."""
    csv: Annotated[str, StringConstraints(max_length=_LONGEST_CSV)] | None = None
    """A CSV whose first line names the columns: `number`, `agent` and, where there is one, `priority`."""
    replace: StrictBool = False
    """Whether nobody else is on the mapping afterwards."""


class RejectedCustomer(BaseModel):
    """A row that was not taken."""

    row: int
    """From 1 on; of a CSV the line after the header is the first."""
    number: str
    reason: str


class PutCustomers(BaseModel):
    """What came of customers that were to be written."""

    added: int
    changed: int
    rejected: list[RejectedCustomer]


class ListedCustomer(BaseModel):
    """A customer on a mapping."""

    person_id: str
    number: str
    agent: str
    priority: int | None


class OldCustomers(Body):
    """Customers that are to go."""

    numbers: Annotated[list[AnyNumber], Field(max_length=MOST_ROWS)]


class RemovedCustomers(BaseModel):
    """How many of them were on the mapping."""

    removed: int


@router.get("")
async def list_agent_mappings(
    runtime: Served, app: Tenant, after: After = None, limit: Limit = USUAL_LIMIT
) -> Page[ShownAgentMapping]:
    """Return the agent mappings, oldest first."""
    mappings = runtime.store.agent_mappings
    last = await mappings.find(app.no, mapping_id=after) if after else None
    if after and last is None:
        raise no_cursor()
    found = await mappings.of_app(app.no, after=last.no if last is not None else 0, limit=limit + 1)
    return page_of([_show(one) for one in found], limit, lambda one: one.id)


@router.post("", status_code=201, responses=problems(NameTaken, BodyTooLarge))
async def create_agent_mapping(runtime: Served, app: Tenant, new: NewAgentMapping) -> ShownAgentMapping:
    """Create an empty agent mapping."""
    now = runtime.clock.now()
    return _show(await runtime.store.agent_mappings.create(app.no, new.name, new.description, now))


@router.get("/{mapping_id}", responses=problems(AgentMappingNotFound))
async def get_agent_mapping(runtime: Served, app: Tenant, mapping_id: str) -> ShownAgentMapping:
    """Return an agent mapping."""
    return _show(await _find(runtime, app, mapping_id))


@router.patch("/{mapping_id}", responses=problems(AgentMappingNotFound, NameTaken, BodyTooLarge))
async def change_agent_mapping(
    runtime: Served, app: Tenant, mapping_id: str, changed: ChangedAgentMapping
) -> ShownAgentMapping:
    """Change name or description of an agent mapping."""
    mapping = await _find(runtime, app, mapping_id)
    changes = changed.model_dump(include=changed.model_fields_set)
    return _show(await runtime.store.agent_mappings.change(mapping, changes, runtime.clock.now()))


@router.delete("/{mapping_id}", status_code=204, responses=problems(AgentMappingNotFound, InUse))
async def delete_agent_mapping(runtime: Served, app: Tenant, mapping_id: str) -> None:
    """Delete an agent mapping with its customers. One that a campaign names stays."""
    await runtime.store.agent_mappings.delete(await _find(runtime, app, mapping_id))


@router.get("/{mapping_id}/customers", responses=problems(AgentMappingNotFound))
async def list_customers(
    runtime: Served, app: Tenant, mapping_id: str, after: After = None, limit: Limit = USUAL_LIMIT
) -> Page[ListedCustomer]:
    """Return the customers of a mapping, in no order that means anything."""
    mapping = await _find(runtime, app, mapping_id)
    last = _read_id(after) if after else None
    found = await runtime.store.agent_mappings.customers(mapping, after=last, limit=limit + 1)
    return page_of([_show_customer(one) for one in found], limit, lambda one: one.person_id)


@router.post("/{mapping_id}/customers", responses=problems(AgentMappingNotFound, BodyTooLarge))
async def put_customers(runtime: Served, app: Tenant, mapping_id: str, new: NewCustomers) -> PutCustomers:
    """Write customers, in place of what stood of them before. Rows that are wrong are named, and the others taken."""
    mapping = await _find(runtime, app, mapping_id)
    if new.customers and new.csv is not None:
        raise Invalid([FieldError("customers", "Give customers, or a csv, and not both.")])
    rows: list[dict[str, Any]] = [one.model_dump() for one in new.customers]
    if new.csv is not None:
        rows = agent_mappings.read_csv(new.csv)
    if len(rows) > MOST_ROWS:
        raise Invalid([FieldError("csv", f"Give at most {MOST_ROWS} rows in one call.")])
    came = await agent_mappings.put(runtime, app, mapping, rows, anew=new.replace)
    rejected = [RejectedCustomer(**one._asdict()) for one in came.rejected]
    return PutCustomers(added=came.added, changed=came.changed, rejected=rejected)


@router.post("/{mapping_id}/customers/remove", responses=problems(AgentMappingNotFound, BodyTooLarge))
async def remove_customers(runtime: Served, app: Tenant, mapping_id: str, old: OldCustomers) -> RemovedCustomers:
    """Take customers off a mapping."""
    mapping = await _find(runtime, app, mapping_id)
    key = runtime.store.vault.app(app.no)
    assert key is not None, "the app was opened when its token was read"
    persons = {key.person(e164) for number in old.numbers if (e164 := _e164(number, app)) is not None}
    return RemovedCustomers(removed=await runtime.store.agent_mappings.remove(mapping, persons))


def _e164(number: str, app: App) -> str | None:
    try:
        return Number.parse(number, app.settings.region).e164
    except BadNumber:
        return None


async def _find(runtime: Runtime, app: App, mapping_id: str) -> AgentMapping:
    found = await runtime.store.agent_mappings.find(app.no, mapping_id=mapping_id)
    if found is None:
        raise AgentMappingNotFound
    return found


def _read_id(text: str) -> bytes:
    try:
        person = bytes.fromhex(text)
    except ValueError:
        raise no_cursor() from None
    if len(person) != PERSON_BYTES:
        raise no_cursor()
    return person


def _show(one: AgentMapping) -> ShownAgentMapping:
    return ShownAgentMapping(
        id=one.id, name=one.name, description=one.description, size=one.size, created_at=one.created_at,
        updated_at=one.updated_at,
    )  # fmt: skip


def _show_customer(one: MappedCustomer) -> ListedCustomer:
    return ListedCustomer(person_id=one.person.hex(), number=one.number, agent=one.agent, priority=one.priority)
