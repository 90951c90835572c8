"""Names in a campaign's body: contact lists, the DNC list, the template, the experience flow."""

from __future__ import annotations

from typing import Any, TypeGuard

from callsheet.api.compat.fields import Fields
from callsheet.core.campaign import MAX_CONTACT_LISTS
from callsheet.core.errors import FieldError
from callsheet.core.names import key_of
from callsheet.core.wish import Reference

_LONGEST_NAME = 256
"""Nothing that can be looked up has a longer name or id."""


def read_contact_lists(fields: Fields) -> tuple[Reference, ...]:
    """Read `contactLists`: an array of 1 to 10 names."""
    names = fields.get("contactLists")
    if not isinstance(names, list) or not names:
        fields.blame("contactLists", "Give an array with the name of at least one contact list.")
        return ()
    if len(names) > MAX_CONTACT_LISTS:
        fields.blame("contactLists", f"Give at most {MAX_CONTACT_LISTS} contact lists.")
        return ()
    found: dict[str, Reference] = {}
    for index, name in enumerate(names):
        key = f"contactLists[{index}]"
        if not _is_name(name):
            fields.blame(key, "This must be the name of a contact list.")
        elif key_of(name) in found:
            fields.blame(key, "This contact list is named twice.")
        else:
            found[key_of(name)] = Reference(fields.at(key), name=name.strip())
    return tuple(found.values())


def read_dnc_lists(fields: Fields, *, required: bool) -> tuple[Reference, ...]:
    """Read `dncLists` in every shape that the pages suggest: an object, a name, or an array of one of them.

    The documented API knows one list for a campaign; more are named by our own calls.

    The tables of some pages write `data.dncLists`, so it is looked for there as well. A slip of the pen in its spelling
    must not mean that the people on the list are contacted: any case and the singular are read too.
    """
    places = (fields, fields.inside("data")) if fields.has_object("data") else (fields,)
    said = {
        place.at(key): _read_dnc_list(place, key) for place in places for key in place.spellings("dncLists", "dncList")
    }
    found = {path: reference for path, reference in said.items() if reference is not None}
    if required and not found and not any("dnclist" in fault.path.replace("_", "").lower() for fault in fields.wrong):
        fields.blame("dncLists", "A voice campaign needs a DNC list.")
    if len({(one.id, key_of(one.name or "")) for one in found.values()}) > 1:
        fields.wrong.extend(FieldError(path, "Several fields name different DNC lists; give one.") for path in found)
        return ()
    return tuple(found.values())[:1]


def _read_dnc_list(fields: Fields, key: str) -> Reference | None:
    value = fields.get(key)
    if isinstance(value, list):
        if len(value) > 1:
            fields.blame(key, "Give one DNC list; a campaign has no more.")
            return None
        value = value[0] if value else None
    if value in (None, "", {}):
        return None
    found = _reference(fields.at(key), value)
    if found is None:
        fields.blame(key, 'Give the DNC list as {"name": ...} or {"id": ...}.')
    return found


def _reference(path: str, value: Any) -> Reference | None:
    if _is_name(value):
        return Reference(path, name=value.strip())
    if not isinstance(value, dict):
        return None
    list_id = value.get("id") or value.get("_id")
    if _is_name(list_id):
        return Reference(path, id=list_id.strip())
    name = value.get("name")
    return Reference(f"{path}.name", name=name.strip()) if _is_name(name) else None


def read_template(message: Fields) -> Reference | None:
    """Read the template of a message: by its id, else by its name under either spelling; empty means none."""
    template_id = message.text("templateId", longest=_LONGEST_NAME).strip()
    if template_id:
        return Reference(message.at("templateId"), id=template_id)
    for key in ("template_name", "templateName"):
        name = message.text(key, longest=_LONGEST_NAME).strip()
        if name:
            return Reference(message.at(key), name=name)
    return None


def read_flow(fields: Fields) -> Reference | None:
    """Read the experience flow: its name, or its id as answers give it."""
    name = fields.text("experienceFlowName", longest=_LONGEST_NAME).strip()
    if name:
        return Reference(fields.at("experienceFlowName"), name=name)
    flow_id = fields.text("experienceFlow", longest=_LONGEST_NAME).strip()
    return Reference(fields.at("experienceFlow"), id=flow_id) if flow_id else None


def _is_name(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME and bool(value.strip())
