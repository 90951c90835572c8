"""Queues: where agents wait for calls."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import UNSET

from callsheet.client.call import Call, Given, given
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page, Record

_ALL = "/v1/apps/{app}/queues"
_ONE = "/v1/apps/{app}/queues/{queue_id}"


class Queue(Record, frozen=True):
    """A queue."""

    id: str
    name: str
    description: str
    priority: int
    is_default: bool
    is_active: bool
    skills: tuple[str, ...]
    number: str
    created_at: datetime
    updated_at: datetime


class Queues(Resource[Mode]):
    """Queues: where agents wait for calls."""

    @Single
    def create(
        self,
        name: str,
        *,
        description: Given[str] = UNSET,
        priority: Given[int] = UNSET,
        is_default: Given[bool] = UNSET,
        is_active: Given[bool] = UNSET,
        skills: Given[Sequence[str]] = UNSET,
        number: Given[str] = UNSET,
    ) -> Call[Queue]:
        """Create a queue."""
        more = given(description=description, priority=priority, skills=skills, number=number)
        return Call("POST", _ALL, Queue, body=given(name=name, is_default=is_default, is_active=is_active, **more))

    @Paged
    def list(self, *, limit: int = 1000) -> Call[Page[Queue]]:
        """Give all queues."""
        return Call("GET", _ALL, Page[Queue], query={"limit": limit})

    @Single
    def get(self, queue_id: str) -> Call[Queue]:
        """Return a queue."""
        return Call("GET", _ONE, Queue, {"queue_id": queue_id})

    @Single
    def change(
        self,
        queue_id: str,
        *,
        name: Given[str] = UNSET,
        description: Given[str] = UNSET,
        priority: Given[int] = UNSET,
        is_default: Given[bool] = UNSET,
        is_active: Given[bool] = UNSET,
        skills: Given[Sequence[str]] = UNSET,
        number: Given[str] = UNSET,
    ) -> Call[Queue]:
        """Change a queue."""
        more = given(description=description, priority=priority, skills=skills, number=number)
        body = given(name=name, is_default=is_default, is_active=is_active, **more)
        return Call("PATCH", _ONE, Queue, {"queue_id": queue_id}, body=body)

    @Single
    def delete(self, queue_id: str) -> Call[None]:
        """Delete a queue that no campaign names."""
        return Call("DELETE", _ONE, type(None), {"queue_id": queue_id})
