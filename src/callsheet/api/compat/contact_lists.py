"""Create, get, update and delete a contact list, and get all."""

from __future__ import annotations

from typing import Any

from callsheet.api.compat.answers import success
from callsheet.api.compat.call import Call
from callsheet.api.compat.fields import Fields
from callsheet.api.instants import write_instant
from callsheet.core.campaign import MAX_DESCRIPTION_CHARACTERS, MAX_NAME_CHARACTERS
from callsheet.core.contacts import columns_of, mapping_of
from callsheet.core.errors import FieldError, Invalid
from callsheet.core.ids import Prefix
from callsheet.engine import contact_lists
from callsheet.store.apps import App
from callsheet.store.lists import ContactList

PASSIVE = "passiveApi"
# The tables write the first word, samples of the older generation the second.
_SOURCES = (PASSIVE, "passiveApiIntegration")
_LONGEST_SOURCE = 64
_TYPES = ("", "call", "sms")
"""One kind of list serves both channels; the tables know both words."""


async def create(call: Call) -> dict[str, Any]:
    """Create an empty list, to which contacts are added by calls."""
    fields = Fields(call.document, [])
    name = fields.name(_name_key(fields), longest=MAX_NAME_CHARACTERS)
    description = fields.text("description", longest=MAX_DESCRIPTION_CHARACTERS)
    source = fields.text("source", longest=_LONGEST_SOURCE) or PASSIVE
    if source not in _SOURCES:
        fields.blame("source", f"A list that is made by a call has the source {PASSIVE}.")
    allow_duplicates = fields.flag("allowDuplicates", default=False)
    if fields.wrong:
        raise Invalid(fields.wrong)
    created = await call.runtime.store.lists.create(
        call.app.no,
        name=name,
        description=description,
        source=source,
        allow_duplicates=allow_duplicates,
        now=call.runtime.clock.now(),
    )
    return success(f"Contact list {name} created successfully", view(call.app, created))


async def show(call: Call) -> dict[str, Any]:
    """Return a list, by its id or by its name. The documented message is empty."""
    found = await contact_lists.find(call.runtime, call.app, call.thing, with_uses=True)
    return success("", view(call.app, found))


async def show_all(call: Call) -> dict[str, Any]:
    """Return all lists, the one that changed last first. The documented message is empty, and there are no pages."""
    kind = call.parameter("type").lower()
    if kind not in _TYPES:
        raise Invalid([FieldError("type", "The type of a contact list is call.")])
    found = await call.runtime.store.lists.latest(call.app.no)
    return success("", [view(call.app, one) for one in found])


async def update(call: Call) -> dict[str, Any]:
    """Change what the body names, of name, description and allowDuplicates; the rest stays."""
    contact_list = await contact_lists.find(call.runtime, call.app, call.thing)
    fields = Fields(call.document, [])
    key = _name_key(fields)
    name = fields.name(key, longest=MAX_NAME_CHARACTERS) if fields.get(key) is not None else None
    description = fields.text("description", longest=MAX_DESCRIPTION_CHARACTERS)
    allow_duplicates = fields.flag("allowDuplicates", default=contact_list.allow_duplicates)
    if fields.wrong:
        raise Invalid(fields.wrong)
    changed = await call.runtime.store.lists.change(
        contact_list,
        name=name,
        description=description if fields.get("description") is not None else None,
        allow_duplicates=allow_duplicates,
        now=call.runtime.clock.now(),
    )
    return success(f"Contact list {changed.name} updated successfully", _told(call.app, changed, fields))


async def delete(call: Call) -> dict[str, Any]:
    """Delete a list with its contacts, and return it as it was."""
    contact_list = await contact_lists.find(call.runtime, call.app, call.thing)
    deleted = await contact_lists.delete(call.runtime, contact_list)
    return success(f"Contact list {deleted.name} deleted successfully", view(call.app, deleted))


def _name_key(fields: Fields) -> str:
    """Return where the name stands: one page's sample says name1 where its table says name."""
    return "name1" if fields.get("name") is None and fields.get("name1") is not None else "name"


def _told(app: App, changed: ContactList, fields: Fields) -> dict[str, Any]:
    """Return `data` of an update: not the list, but what became of the body."""
    shown = view(app, changed)
    kept = ("name", *(key for key in ("description", "allowDuplicates") if fields.get(key) is not None))
    body = {
        **{key: shown[key] for key in kept},
        "scope": ["campaign_management"],
        **{key: shown[key] for key in ("orgId", "iId", "listType", "accountId", "updatedBy")},
    }
    return {"contactListId": changed.id, "body": body}


def view(app: App, contact_list: ContactList) -> dict[str, Any]:
    """Return a list as the documented answers show it."""
    user_id = _user_of(app)
    return {
        "_id": contact_list.id,
        "id": contact_list.id,
        "name": contact_list.name,
        "lname": contact_list.name.lower(),
        "description": contact_list.description,
        "orgId": f"{Prefix.organisation}{app.account_id}",
        "iId": app.id,
        "accountId": app.account_id,
        "isActive": True,
        "totalRecordCount": contact_list.size,
        "status": "Ready",
        "createdBy": user_id,
        "updatedBy": user_id,
        "mapping": mapping_of(columns_of(contact_list.columns)),
        "isListInUse": contact_list.in_use,
        "listType": "call",
        "isGlobalDNC": False,
        "isDefault": False,
        "campaignInUse": [{"id": campaign.id, "name": campaign.name} for campaign in contact_list.linked],
        "source": contact_list.source,
        "apiConfigurations": {
            "dataSyncMode": "allowDuplicates" if contact_list.allow_duplicates else "removeDuplicates",
        },
        "columns": list(contact_list.columns),
        "files": [],
        "createdAt": write_instant(contact_list.created_at),
        "updatedAt": write_instant(contact_list.updated_at),
        "allowDuplicates": contact_list.allow_duplicates,
    }


def _user_of(app: App) -> str:
    """Name the user behind an app's calls: lists are made by programs, and the wire wants a user."""
    return app.id.replace(Prefix.app, Prefix.user, 1)
