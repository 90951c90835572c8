"""Pages of long lists beside the same pages of short ones: does it cost more to leaf, or to search, in more?

Two servers run side by side, and are asked in turns, by one connection each; the times are medians. A page has 50 items
on both sides, and a search finds as many.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence

from row import Row
from served import Call, Spent, served
from stage import COMPAT, Stage, set_stage

from store import folder

CONTACTS = int(os.environ.get("CALLSHEET_BENCH_CONTACTS", "1000000"))
CAMPAIGNS = int(os.environ.get("CALLSHEET_BENCH_CAMPAIGNS", "10000"))
FEW = 1_000
LIMIT = 50
TURNS, REQUESTS = 10, 20
SECONDS_ENOUGH = 60.0


def calls(stage: Stage) -> Sequence[Call]:
    """Return the pages that are measured."""
    return (*_of_campaigns(stage), *_of_contacts(stage))


def _of_campaigns(stage: Stage) -> Iterator[Call]:
    path, deep = f"{COMPAT}/campaign/getAllCampaignDetails", len(stage.campaign_ids) - LIMIT
    by_name: Mapping[str, object] = {"sortBy": {"name": "asc"}}
    stopped = {"filters": {"status": ["Stopped"]}}
    asked: Mapping[str, Mapping[str, object]] = {
        "campaigns, first page": {},
        "campaigns, last page": {"skip": deep},
        "campaigns, 50 stopped ones": stopped,
        "campaigns by name, first page": by_name,
        "campaigns by name, last page": {**by_name, "skip": deep},
    }
    for name, more in asked.items():
        yield Call(name, "POST", path, {"type": "sms", "limit": LIMIT, **more})
    path = f"/v1/apps/{{app}}/campaigns?limit={LIMIT}"
    yield Call("v1 campaigns, first page", "GET", path)
    yield Call("v1 campaigns, last page", "GET", f"{path}&after={stage.campaign_ids[LIMIT]}")
    yield Call("v1 campaigns, 50 stopped ones", "GET", f"{path}&status=Stopped")
    yield Call("v1 campaigns, search by name", "GET", f"{path}&search=gn%2000077")


def _of_contacts(stage: Stage) -> Iterator[Call]:
    deep, last = stage.contacts - LIMIT, stage.contacts - 1
    path = f"{COMPAT}/campaign/contactList/{stage.list_id}/getAllContacts?limit={LIMIT}"
    yield Call("contacts, first page", "GET", path)
    yield Call("contacts, last page", "GET", f"{path}&skip={deep}")
    path = f"/v1/apps/{{app}}/contact-lists/{stage.list_id}/contacts"
    yield Call("v1 contacts, first page", "GET", f"{path}?limit={LIMIT}")
    yield Call("v1 contacts, last page", "GET", f"{path}?limit={LIMIT}&after={stage.contact_id(deep - 1)}")
    yield Call("v1 contacts, search by number", "POST", f"{path}/find", {"number": stage.number(last)})
    yield Call("v1 contacts, search by unique id", "GET", f"{path}?unique_id={stage.number(last)[1:]}")
    yield Call("v1 contacts, a unique id of nobody", "GET", f"{path}?unique_id=nobody")
    yield Call("v1 contact lists, first page", "GET", f"/v1/apps/{{app}}/contact-lists?limit={LIMIT}")
    yield Call(
        "v1 contact lists, search by name", "GET", f"/v1/apps/{{app}}/contact-lists?limit={LIMIT}&name=st%2000007"
    )


def rows(database: str, urls: tuple[str, str]) -> Iterator[Row]:
    """Measure on a database; the URLs are of two, or empty for SQLite."""
    with folder() as where:
        small, large = where / "small", where / "large"
        few = asyncio.run(set_stage(small, urls[0], contacts=FEW, campaigns=FEW))
        many = asyncio.run(set_stage(large, urls[1], contacts=CONTACTS, campaigns=CAMPAIGNS))
        with served(small, urls[0]) as shorter, served(large, urls[1]) as longer:
            for short, long_ in zip(calls(few), calls(many), strict=True):
                found = Spent(), Spent()
                for _ in range(TURNS):
                    for spent, server, call in zip(found, (shorter, longer), (short, long_), strict=True):
                        spent.add(server.measure(call, seconds=SECONDS_ENOUGH, connections=1, requests=REQUESTS))
                beside, ours = (spent.median_and_p99[0] for spent in found)
                yield Row(f"{database}: {short.name}", f"{ours:.2f} ms", f"{FEW:,}: {beside:.2f} ms", ours / beside)
