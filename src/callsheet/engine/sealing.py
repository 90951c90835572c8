"""Seal: what the store may keep of a person, made from what was read."""

from __future__ import annotations

import msgspec

from callsheet.core.contacts import Contact
from callsheet.core.phone import Number
from callsheet.store.protocol import NewContact, NewEntry
from callsheet.store.vault import AppKey


def seal(key: AppKey, contact: Contact) -> NewContact:
    """Make a contact ready to be stored: its number sealed, its person key beside it."""
    number = contact.number.e164
    person = key.person(number)
    return NewContact(
        next(iter(contact.zones), ""),
        " ".join(sorted(contact.candidate_zones)),
        contact.priority,
        person,
        key.close_number(number, person),
        msgspec.json.encode(contact.attributes).decode(),
        contact.unique_id,
    )


def seal_entry(key: AppKey, number: Number) -> NewEntry:
    """Make a number ready to go on a DNC list."""
    person = key.person(number.e164)
    return NewEntry(person, key.close_number(number.e164, person))
