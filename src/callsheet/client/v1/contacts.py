"""One person, over all contact lists and campaigns."""

from __future__ import annotations

from datetime import datetime

from msgspec import UNSET

from callsheet.client.call import Call, Given, given
from callsheet.client.method import Mode, Resource, Single
from callsheet.client.record import Record
from callsheet.client.v1.reports import AttemptEvent


class RunReference(Record, frozen=True):
    """The run in which something happened; `campaign_id` is empty when the campaign was deleted."""

    run_id: str
    campaign_id: str
    campaign_name: str


class HistoryItem(Record, frozen=True):
    """One thing that happened. `kind` is attempt, suppression, reply or answer; what it does not have is empty."""

    kind: str
    at: datetime
    run: RunReference | None
    contact_id: str
    attempt_id: str
    n: int
    state: str
    reason: str
    text: str
    word: str
    sender: str
    events: tuple[AttemptEvent, ...]


class HistoryOptOut(Record, frozen=True):
    """What the person opted out of."""

    channel: str
    source: str
    added_at: datetime


class LiftedOptOut(HistoryOptOut, frozen=True):
    """An opt-out that was taken back."""

    lifted_at: datetime
    reason: str


class Membership(Record, frozen=True):
    """A DNC list that the person is on."""

    list_id: str
    list_name: str
    is_global: bool
    source: str
    added_at: datetime


class ListReference(Record, frozen=True):
    """A contact list that the person is in."""

    id: str
    name: str


class WaitingRun(Record, frozen=True):
    """A run that comes back to the person, and when at the earliest."""

    run: RunReference
    due_at: datetime
    reason: str


class History(Record, frozen=True):
    """What holds for a person now, and what happened, newest first; `next` is the cursor of what follows."""

    number: str
    contact_lists: tuple[ListReference, ...]
    dnc_lists: tuple[Membership, ...]
    opt_outs: tuple[HistoryOptOut, ...]
    lifted_opt_outs: tuple[LiftedOptOut, ...]
    waiting: tuple[WaitingRun, ...]
    items: tuple[HistoryItem, ...]
    next: str | None


class Contacts(Resource[Mode]):
    """People, whichever lists they are in. The contacts of one list are with `contact_lists`."""

    @Single
    def history(
        self,
        number: Given[str] = UNSET,
        *,
        contact_id: Given[str] = UNSET,
        after: Given[str | None] = UNSET,
        limit: int = 1000,
    ) -> Call[History]:
        """Return everything about one person, named by a number or by the id of any of their contacts.

        `after` is `next` of the answer before, where there is more than `limit` items.
        """
        body = given(number=number, contact_id=contact_id, after=after, limit=limit)
        return Call("POST", "/v1/apps/{app}/contacts/history", History, body=body)
