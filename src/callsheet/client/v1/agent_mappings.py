"""Agent mappings: which agent a customer belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NotRequired, TypedDict

from msgspec import UNSET

from callsheet.client.call import Call, Given, given
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page, Record

_ALL = "/v1/apps/{app}/agent-mappings"
_ONE = "/v1/apps/{app}/agent-mappings/{mapping_id}"


class NewCustomer(TypedDict):
    """A customer, and whose he is."""

    number: str
    agent: str
    priority: NotRequired[int | None]


class AgentMapping(Record, frozen=True):
    """An agent mapping."""

    id: str
    name: str
    description: str
    size: int
    created_at: datetime
    updated_at: datetime


class Customer(Record, frozen=True):
    """A customer on a mapping."""

    person_id: str
    number: str
    agent: str
    priority: int | None


class RejectedCustomer(Record, frozen=True):
    """A row that was not taken, and why."""

    row: int
    number: str
    reason: str


class PutCustomers(Record, frozen=True):
    """What came of customers that were written."""

    added: int
    changed: int
    rejected: tuple[RejectedCustomer, ...]


class RemovedCustomers(Record, frozen=True):
    """How many were on the mapping."""

    removed: int


class AgentMappings(Resource[Mode]):
    """Agent mappings: which agent a customer belongs to."""

    @Single
    def create(self, name: str, *, description: Given[str] = UNSET) -> Call[AgentMapping]:
        """Create an empty agent mapping."""
        return Call("POST", _ALL, AgentMapping, body=given(name=name, description=description))

    @Paged
    def list(self, *, limit: int = 1000) -> Call[Page[AgentMapping]]:
        """Give all agent mappings."""
        return Call("GET", _ALL, Page[AgentMapping], query={"limit": limit})

    @Single
    def get(self, mapping_id: str) -> Call[AgentMapping]:
        """Return an agent mapping."""
        return Call("GET", _ONE, AgentMapping, {"mapping_id": mapping_id})

    @Single
    def change(
        self, mapping_id: str, *, name: Given[str] = UNSET, description: Given[str] = UNSET
    ) -> Call[AgentMapping]:
        """Change name or description."""
        body = given(name=name, description=description)
        return Call("PATCH", _ONE, AgentMapping, {"mapping_id": mapping_id}, body=body)

    @Single
    def delete(self, mapping_id: str) -> Call[None]:
        """Delete an agent mapping that no campaign names."""
        return Call("DELETE", _ONE, type(None), {"mapping_id": mapping_id})

    @Paged
    def customers(self, mapping_id: str, *, limit: int = 1000) -> Call[Page[Customer]]:
        """Give the customers of a mapping."""
        return Call("GET", f"{_ONE}/customers", Page[Customer], {"mapping_id": mapping_id}, {"limit": limit})

    @Single
    def put(
        self,
        mapping_id: str,
        *,
        customers: Given[Sequence[NewCustomer]] = UNSET,
        csv: Given[str] = UNSET,
        replace: Given[bool] = UNSET,
    ) -> Call[PutCustomers]:
        """Write customers, as objects or as a CSV; with `replace` nobody else is on the mapping afterwards."""
        body = given(customers=customers, csv=csv, replace=replace)
        return Call("POST", f"{_ONE}/customers", PutCustomers, {"mapping_id": mapping_id}, body=body)

    @Single
    def remove(self, mapping_id: str, numbers: Sequence[str]) -> Call[RemovedCustomers]:
        """Take customers off a mapping."""
        body = {"numbers": numbers}
        return Call("POST", f"{_ONE}/customers/remove", RemovedCustomers, {"mapping_id": mapping_id}, body=body)
