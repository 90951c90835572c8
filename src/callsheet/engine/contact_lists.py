"""Contact lists that change, or go."""

from __future__ import annotations

from callsheet.core.errors import ContactListNotFound
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App
from callsheet.store.lists import ContactList


async def find(runtime: Runtime, app: App, thing: str, *, with_uses: bool = False) -> ContactList:
    """Return a contact list by its id or by its name. Raises ContactListNotFound."""
    lists = runtime.store.lists
    found = await lists.find(app.no, list_id=thing, with_uses=with_uses) if thing else None
    found = found or await lists.find(app.no, name=thing, with_uses=with_uses)
    if found is None:
        raise ContactListNotFound
    return found


async def delete(runtime: Runtime, contact_list: ContactList) -> ContactList:
    """Delete a list, and return it as it was. Nobody sees its contacts any more; they are erased in the background.

    Raises ListInUse and ContactListNotFound.
    """
    deleted = await runtime.store.lists.delete(contact_list)
    runtime.conductor.eraser.wake()
    return deleted
