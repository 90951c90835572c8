"""Create and get a contact list."""

from __future__ import annotations

from typing import Any

from callsheet.api.compat.answers import success
from callsheet.api.compat.call import Call
from callsheet.api.compat.fields import Fields
from callsheet.api.instants import write_instant
from callsheet.core.campaign import MAX_DESCRIPTION_CHARACTERS, MAX_NAME_CHARACTERS
from callsheet.core.contacts import columns_of, mapping_of
from callsheet.core.errors import ContactListNotFound, Invalid
from callsheet.core.ids import Prefix
from callsheet.store.apps import App
from callsheet.store.lists import ContactList

PASSIVE = "passiveApi"
# The tables write the first word, samples of the older generation the second.
_SOURCES = (PASSIVE, "passiveApiIntegration")
_LONGEST_SOURCE = 64


async def create(call: Call) -> dict[str, Any]:
    """Create an empty list, to which contacts are added by calls."""
    fields = Fields(call.document, [])
    # One page's sample says name1 where its table says name.
    name_key = "name1" if fields.get("name") is None and fields.get("name1") is not None else "name"
    name = fields.name(name_key, longest=MAX_NAME_CHARACTERS)
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
    lists = call.runtime.store.lists
    found = await lists.find(call.app.no, list_id=call.thing) or await lists.find(call.app.no, name=call.thing)
    if found is None:
        raise ContactListNotFound
    return success("", view(call.app, found))


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
