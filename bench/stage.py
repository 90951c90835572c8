"""A stage for the benchmarks of the API: campaigns, lists and people in the default app of a data folder."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from callsheet import settings
from callsheet.bootstrap import opened_store
from callsheet.clock import SystemClock
from callsheet.core.campaign import Move
from callsheet.folder import DataFolder
from callsheet.store.lists import ContactList, contact_id
from callsheet.store.store import Store
from store import TEXT, define, fill, number_of, vacuum

COMPAT = "/agentassist/api/v1/public/{app}"
STOPPED = 50
"""So many of the campaigns were started and stopped, however many there are."""
PER_LIST = 10
"""So many campaigns name each of the lists without people; the list of the people is named by as many parts of all."""
AT_ONCE = 64
COLUMNS = ("uniqueId", "firstName", "parcel", "day", "city")


@dataclass(frozen=True, slots=True)
class Stage:
    """What can be asked for."""

    campaign_ids: tuple[str, ...]
    """The oldest first; their names are in this order too."""
    list_id: str
    """Of the list with the people, which is the last."""
    list_no: int
    list_name: str
    contacts: int

    def contact_id(self, pos: int) -> str:
        """Return the id of a contact by its position."""
        return contact_id(self.list_no, pos)

    def number(self, pos: int) -> str:
        """Return the phone number of a contact; without + it is his unique id."""
        return number_of(pos)


async def set_stage(data: Path, url: str, *, contacts: int, campaigns: int) -> Stage:
    """Fill a data folder, or the database beside it."""
    data_folder, clock = DataFolder(data), SystemClock()
    data_folder.create()
    with data_folder.owned():
        async with opened_store(settings.load(data=data, database_url=url), data_folder, clock) as store:
            stage = await _fill(store, contacts, campaigns)
    if url:
        await vacuum(url)
    return stage


async def _fill(store: Store, contacts: int, campaigns: int) -> Stage:
    app = await store.apps.by_no(1)
    assert app is not None, "opening made the default app"
    lists = [await _make_list(store, app.no, f"List {index:06}") for index in range(max(1, campaigns // PER_LIST))]
    people = await _make_list(store, app.no, "People")
    await store.lists.add_columns(app.no, people.no, COLUMNS)
    await fill(store, app.no, people.no, contacts, unique_ids=True)
    ids: list[str] = []
    for first in range(0, campaigns, AT_ONCE):
        some = range(first, min(first + AT_ONCE, campaigns))
        both = [[lists[index // PER_LIST % len(lists)], *([people] if index % PER_LIST == 0 else [])] for index in some]
        made = (_make_campaign(store, app.no, f"Campaign {i:06}", named) for i, named in zip(some, both, strict=True))
        ids += await asyncio.gather(*made)
    for campaign_id in ids[:: max(1, campaigns // STOPPED)][:STOPPED]:
        await _start_and_stop(store, app.no, campaign_id)
    return Stage(tuple(ids), people.id, people.no, people.name, contacts)


async def _make_list(store: Store, app: int, name: str) -> ContactList:
    now = SystemClock().now()
    return await store.lists.create(
        app, name=name, description="", source="passiveApi", allow_duplicates=False, now=now
    )


async def _make_campaign(store: Store, app: int, name: str, lists: list[ContactList]) -> str:
    made = await store.campaigns.create(app, define(name, *lists), SystemClock().now(), unique_names=True)
    return made.id


async def _start_and_stop(store: Store, app: int, campaign_id: str) -> None:
    now = SystemClock().now()
    campaign = await store.campaigns.find(app, campaign_id=campaign_id)
    assert campaign is not None
    sender = await store.apps.find_sender(app, campaign.definition.sender, now)
    assert sender is not None, "the sandbox takes any caller ID"
    started = await store.campaigns.start(campaign, text=TEXT, sender_no=sender.no, one_run_per_list=False, now=now)
    await store.campaigns.move(started, Move.stop, now)
