"""Queues by the documented calls."""

from __future__ import annotations

from collections.abc import Mapping

from callsheet.client.call import Call
from callsheet.client.method import Mode, Resource, Single
from callsheet.client.record import Record

_ALL = "/agentassist/api/v1/public/{app}/queues"


class Queue(Record, rename="camel", frozen=True):
    """A queue, with the documented fields that programs use."""

    id: str
    name: str
    description: str
    priority: int
    is_default: bool
    is_active: bool


class QueuePage(Record, rename="camel", frozen=True):
    """A page of queues."""

    results: tuple[Queue, ...]
    page: int
    limit: int
    has_more: bool
    total_pages: int
    total_results: int


class SetPriorities(Record, rename="camel", frozen=True):
    """Which queues have another priority now."""

    updated_count: int
    updated_queue_ids: tuple[str, ...]


class Queues(Resource[Mode]):
    """Queues by the documented calls."""

    @Single
    def list(self, *, page: int = 1, limit: int = 100) -> Call[QueuePage]:
        """Return a page of the queues; pages begin at 1."""
        return Call("GET", _ALL, QueuePage, query={"page": page, "limit": limit})

    @Single
    def set_priorities(self, priorities: Mapping[str, int]) -> Call[SetPriorities]:
        """Give queues, named by their ids, priorities of 1 to 10: all of them, or none where one is wrong."""
        data = [{"queueId": queue_id, "priority": priority} for queue_id, priority in priorities.items()]
        path = f"{_ALL}/dynamicqueues/priorities"
        return Call("PUT", path, SetPriorities, body={"queuePriorityData": data})
