"""Queues, as clients of the documented API list them and order them.

The page of the list shows no parameters. `page` and `limit` are taken all the same, because its answer speaks of pages;
without a limit a page has 100 queues and not the 10 of the sample, so that a client that never asks for a second page
misses none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callsheet.api.compat.call import Call
from callsheet.api.compat.fields import Fields
from callsheet.core.errors import FieldError, Invalid, QueueNotFound
from callsheet.core.names import no_such
from callsheet.store.queues import Queue

LOWEST_PRIORITY, HIGHEST_PRIORITY = 1, 10
_MOST_RESULTS = 100
_MOST_PAGES = 1_000_000
_MOST_PRIORITIES = 1000
_LONGEST_NAME = 256


async def show_all(call: Call) -> dict[str, Any]:
    """Return a page of the queues, in the shape of the page: without an envelope."""
    fields = Fields({name: call.parameter(name) for name in ("page", "limit")}, [])
    page = fields.whole("page", least=1, most=_MOST_PAGES, default=1)
    limit = fields.whole("limit", least=1, most=_MOST_RESULTS, default=_MOST_RESULTS)
    if fields.wrong:
        raise Invalid(fields.wrong)
    queues = call.runtime.store.queues
    total = await queues.count(call.app.no)
    found = await queues.of_app(call.app.no, offset=(page - 1) * limit, limit=limit)
    pages = -(-total // limit)
    return {
        "results": [_view(queue) for queue in found],
        "page": page,
        "limit": limit,
        "hasMore": page < pages,
        "totalPages": pages,
        "totalResults": total,
    }


async def show(call: Call) -> dict[str, Any]:
    """Return one queue, by its id or its name."""
    queues = call.runtime.store.queues
    found = await queues.find(call.app.no, queue_id=call.thing) or await queues.find(call.app.no, name=call.thing)
    if found is None:
        raise QueueNotFound
    return _view(found)


async def set_priorities(call: Call) -> dict[str, Any]:
    """Give queues a priority of 1 to 10: all of them, or none where one element is wrong.

    The documented body is `{"queuePriorityData": [{"queueId", "priority"}]}`. A bare array, one object alone, and `id`
    or `name` in place of `queueId` are taken as well.
    """
    wrong: list[FieldError] = []
    wished: dict[str, int] = {}
    for path, element in _elements(call.body, wrong):
        fields = Fields(element, wrong, path)
        priority = fields.whole("priority", least=LOWEST_PRIORITY, most=HIGHEST_PRIORITY, default=0)
        if priority == 0 and not any(fault.path == fields.at("priority") for fault in wrong):
            fields.blame("priority", "This field is required.")
        found = await _queue(call, fields)
        if found is not None and found.id in wished:
            fields.blame("queueId", "This queue is named twice.")
        elif found is not None:
            wished[found.id] = priority
    if wrong:
        raise Invalid(wrong)
    await call.runtime.store.queues.set_priorities(call.app.no, wished, call.runtime.clock.now())
    return {"updatedCount": len(wished), "updatedQueueIds": list(wished)}


def _elements(body: Any, wrong: list[FieldError]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the objects that name a queue, each with its place in the body."""
    path, given = "", body
    if isinstance(body, dict) and not any(key in body for key in ("queueId", "id", "name")):
        path, given = "queuePriorityData", body.get("queuePriorityData")
    if isinstance(given, dict):
        return [(path, given)]
    if not isinstance(given, list) or not given:
        wrong.append(FieldError("queuePriorityData", "Give an array with a queueId and a priority for each queue."))
        return []
    if len(given) > _MOST_PRIORITIES:
        wrong.append(FieldError("queuePriorityData", f"Give at most {_MOST_PRIORITIES} queues in one call."))
        return []
    objects = [(f"{path}[{index}]", element) for index, element in enumerate(given)]
    wrong.extend(FieldError(at, "This must be an object.") for at, element in objects if not isinstance(element, dict))
    return [(at, element) for at, element in objects if isinstance(element, dict)]


async def _queue(call: Call, fields: Fields) -> Queue | None:
    """Return the queue that an element names; None where it names none that there is, which is then blamed."""
    queues = call.runtime.store.queues
    for key in ("queueId", "id", "name"):
        said = fields.text(key, longest=_LONGEST_NAME).strip()
        if not said:
            continue
        found = await queues.find(call.app.no, **({"name": said} if key == "name" else {"queue_id": said}))
        if found is None:
            fields.blame(key, no_such("queue", said, await queues.names(call.app.no)))
        return found
    if not any(fault.path.startswith(fields.at("")) for fault in fields.wrong):
        fields.blame("queueId", "This field is required.")
    return None


def _view(queue: Queue) -> dict[str, Any]:
    """Show a queue in the documented shape. Agents come with calls; nothing here has hours of its own yet."""
    return {
        "id": queue.id,
        "name": queue.name,
        "isDefault": queue.is_default,
        "isActive": queue.is_active,
        "description": queue.description,
        "priority": queue.priority,
        "isAdvancedRoutingEnabled": False,
        "hoursOfOperation": {"id": "", "name": ""},
        "agents": [],
        "skills": [{"id": "", "name": skill} for skill in queue.skills],
        "agentGroups": [],
    }
