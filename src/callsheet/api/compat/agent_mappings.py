"""Agent mappings, in the envelope of the documented API. The product has them; its API does not show their shapes.

So bodies are read generously: `name`, `description`, and customers as `data`, `customers` or `csv`, whose fields have
any of the usual names.
"""

from __future__ import annotations

from typing import Any

from callsheet.api.compat.call import Call
from callsheet.api.compat.fields import Fields
from callsheet.api.instants import write_instant
from callsheet.core.call_errors import AgentMappingNotFound
from callsheet.core.campaign import MAX_DESCRIPTION_CHARACTERS, MAX_NAME_CHARACTERS
from callsheet.core.errors import Invalid
from callsheet.engine import agent_mappings
from callsheet.engine.agent_mappings import MOST_ROWS
from callsheet.store.agent_mappings import AgentMapping

_MOST_SHOWN = 1000
_LONGEST_CSV = 1_000_000


async def show_all(call: Call) -> dict[str, Any]:
    """Return the mappings of the app: as with contact lists, a plain array."""
    found = await call.runtime.store.agent_mappings.of_app(call.app.no, limit=_MOST_SHOWN)
    return {"status": "success", "message": "", "data": [_view(one) for one in found]}


async def show(call: Call) -> dict[str, Any]:
    """Return one mapping with some of its customers, by its id or its name."""
    mapping = await _find(call)
    customers = await call.runtime.store.agent_mappings.customers(mapping, limit=_MOST_SHOWN)
    listed = [
        {"phoneNumber": one.number.removeprefix("+"), "agentId": one.agent, "priority": one.priority}
        for one in customers
    ]
    return {"status": "success", "message": "", "data": {**_view(mapping), "data": listed}}


async def create(call: Call) -> dict[str, Any]:
    """Create a mapping, with the customers that the body has."""
    fields = Fields(call.document, [])
    name = fields.name("name", longest=MAX_NAME_CHARACTERS)
    description = fields.text("description", longest=MAX_DESCRIPTION_CHARACTERS)
    rows = _read_rows(fields)
    if fields.wrong:
        raise Invalid(fields.wrong)
    mapping = await call.runtime.store.agent_mappings.create(call.app.no, name, description, call.runtime.clock.now())
    return await _put(call, mapping, rows, f"Agent mapping {name} created successfully")


async def update(call: Call) -> dict[str, Any]:
    """Change a mapping; customers in the body take the place of all that were there."""
    mapping = await _find(call)
    fields = Fields(call.document, [])
    changes: dict[str, str] = {}
    if fields.get("name") is not None:
        changes["name"] = fields.name("name", longest=MAX_NAME_CHARACTERS)
    if fields.get("description") is not None:
        changes["description"] = fields.text("description", longest=MAX_DESCRIPTION_CHARACTERS)
    rows = _read_rows(fields)
    if fields.wrong:
        raise Invalid(fields.wrong)
    if changes:
        mapping = await call.runtime.store.agent_mappings.change(mapping, changes, call.runtime.clock.now())
    return await _put(call, mapping, rows, f"Agent mapping {mapping.name} updated successfully")


async def delete(call: Call) -> dict[str, Any]:
    """Delete a mapping. Raises InUse when a campaign names it."""
    mapping = await _find(call)
    await call.runtime.store.agent_mappings.delete(mapping)
    said = f"Agent mapping {mapping.name} deleted successfully"
    return {"status": "success", "message": said, "data": _view(mapping)}


async def _put(call: Call, mapping: AgentMapping, rows: list[dict[str, Any]] | None, said: str) -> dict[str, Any]:
    rejected: list[dict[str, Any]] = []
    if rows is not None:
        came = await agent_mappings.put(call.runtime, call.app, mapping, rows, anew=True)
        rejected = [one._asdict() for one in came.rejected]
        mapping = await _again(call, mapping)
    return {"status": "success", "message": said, "data": {**_view(mapping), "rejected": rejected}}


async def _again(call: Call, mapping: AgentMapping) -> AgentMapping:
    return await call.runtime.store.agent_mappings.find(call.app.no, mapping_id=mapping.id) or mapping


def _read_rows(fields: Fields) -> list[dict[str, Any]] | None:
    """Return the customers of a body; None: it has none."""
    text = fields.text("csv", longest=_LONGEST_CSV)
    key = next((key for key in ("data", "customers") if fields.get(key) is not None), None)
    if text:
        rows: Any = agent_mappings.read_csv(text)
    elif key is None:
        return None
    else:
        rows = fields.get(key)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        fields.blame(key or "csv", "This must be an array of objects.")
        return []
    if len(rows) > MOST_ROWS:
        fields.blame(key or "csv", f"Give at most {MOST_ROWS} customers in one call.")
    return rows


async def _find(call: Call) -> AgentMapping:
    mappings = call.runtime.store.agent_mappings
    found = await mappings.find(call.app.no, mapping_id=call.thing) or await mappings.find(call.app.no, name=call.thing)
    if found is None:
        raise AgentMappingNotFound
    return found


def _view(mapping: AgentMapping) -> dict[str, Any]:
    return {
        "_id": mapping.id,
        "id": mapping.id,
        "name": mapping.name,
        "description": mapping.description,
        "totalRecordCount": mapping.size,
        "status": "Ready",
        "createdAt": write_instant(mapping.created_at),
        "updatedAt": write_instant(mapping.updated_at),
    }
