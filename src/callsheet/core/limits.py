"""Limits of volume, which the owner of an app may set: how many lists, contacts and DNC numbers it has at most.

Those of the documented system are 1,000 lists of either kind, 1,000,000 contacts a list and 5,000,000 an app,
1,000,000 DNC numbers a list and 2,000,000 an app. Here none holds until it is set.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from callsheet.core.errors import LimitReached
from callsheet.core.run import AppSettings


class Limit(StrEnum):
    """What is limited: the name of the app setting."""

    contact_lists = "most_contact_lists"
    contacts_per_list = "most_contacts_per_list"
    contacts = "most_contacts"
    dnc_lists = "most_dnc_lists"
    dnc_numbers_per_list = "most_dnc_numbers_per_list"
    dnc_numbers = "most_dnc_numbers"


_SENTENCES: Mapping[Limit, str] = {
    Limit.contact_lists: "This app may have {most:,} contact lists, and has them.",
    Limit.contacts_per_list: "This contact list may have {most:,} contacts; with these it would have {total:,}.",
    Limit.contacts: "All contact lists of this app may have {most:,} contacts together; with these, {total:,}.",
    Limit.dnc_lists: "This app may have {most:,} DNC lists, and has them.",
    Limit.dnc_numbers_per_list: "This DNC list may have {most:,} numbers; with these it would have {total:,}.",
    Limit.dnc_numbers: "All DNC lists of this app may have {most:,} numbers together; with these, {total:,}.",
}


def most_of(settings: AppSettings, limit: Limit) -> int | None:
    """Return what a limit is set to; none where it is not set."""
    most: int | None = getattr(settings, limit)
    return most


def refuse_past(settings: AppSettings, limit: Limit, total: int) -> None:
    """Refuse what would bring a total past its limit. Raises LimitReached."""
    most = most_of(settings, limit)
    if most is not None and total > most:
        raise LimitReached(f"{_SENTENCES[limit].format(most=most, total=total)} The app setting is {limit}.")
