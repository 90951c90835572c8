"""Calls of both dialects to a real `callsheet serve`, on both databases; and pages of short and of long lists.

`beside` of a call is an empty route of the same server, `GET /healthz`, and the least that a call with a token does,
`GET /v1/apps/{app}/settings`, which asks the database for nothing but who calls. All of them take turns, so that other
work on the machine falls on all alike, and every request of every turn counts. The ratio is that to the empty route.

CPU is that of the server's process with all its threads; what PostgreSQL uses is not in it. The load comes from another
process over connections that stay open. How busy that process was at most is a row of its own, beside the server at the
same time: while it is well below the server, and below 100 %, the server is what is measured.

`CALLSHEET_BENCH_SECONDS` is how long each call is made in each of three turns (3); `CALLSHEET_BENCH_CONTACTS` and
`CALLSHEET_BENCH_CAMPAIGNS` are the sizes of the long lists (1,000,000 and 10,000), beside 1,000 of each. Filling them
takes a few minutes, and half a gigabyte at a time; the rest about ten minutes.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence

import pages
from row import Row
from served import Call, Served, Spent, served
from stage import COMPAT, Stage, set_stage

from store import ALL_DAY, folder, fresh_database, postgres

SECONDS = float(os.environ.get("CALLSHEET_BENCH_SECONDS", "3"))
TURNS = 3
FEW_CAMPAIGNS, FEW_CONTACTS = 50, 100

EMPTY = Call("empty", "GET", "/healthz", has_token=False)
TOKEN = Call("token", "GET", "/v1/apps/{app}/settings")


def reading_calls(stage: Stage) -> Sequence[Call]:
    """Return the calls that change nothing, on a stage of few campaigns and one list of people."""
    campaign = stage.campaign_ids[0]
    return (
        Call("get campaign", "GET", f"{COMPAT}/campaign/{campaign}"),
        Call("status", "POST", f"{COMPAT}/campaign/{campaign}/status?view=status", {}),
        Call("list campaigns", "POST", f"{COMPAT}/campaign/getAllCampaignDetails", {"type": "sms", "limit": 10}),
        Call("list contact lists", "GET", f"{COMPAT}/campaign/contactList/getAllListDetails"),
        Call("v1 get campaign", "GET", f"/v1/apps/{{app}}/campaigns/{campaign}"),
        Call("v1 list campaigns", "GET", "/v1/apps/{app}/campaigns?limit=10"),
        Call("v1 list contact lists", "GET", "/v1/apps/{app}/contact-lists?limit=10"),
        Call("v1 get contact list", "GET", f"/v1/apps/{{app}}/contact-lists/{stage.list_id}"),
    )


def creating_calls(stage: Stage) -> Sequence[Call]:
    """Return the calls that create a campaign. They come last: how many there are then is a matter of speed."""
    return (
        Call("create campaign", "POST", f"{COMPAT}/campaign?campaignType=sms", _compat_campaign(stage.list_name)),
        Call("v1 create campaign", "POST", "/v1/apps/{app}/campaigns", _v1_campaign(stage.list_id)),
    )


def _compat_campaign(list_name: str) -> Mapping[str, object]:
    return {
        "name": "Created {serial}",
        "description": "A campaign",
        "contactLists": [list_name],
        "campaignType": "sms",
        "priority": "5",
        "format": "simple",
        "message": {"message": "Hello {{firstName}}"},
        "dialingStrategy": {"callerId": {"phoneNumber": "+12025550100"}, "callingHours": ALL_DAY},
        "schedule": {"isSchedulingEnabled": False},
    }


def _v1_campaign(list_id: str) -> Mapping[str, object]:
    window = {"days": ["MO", "TU", "WE", "TH", "FR", "SA", "SU"], "start": "00:00", "end": "24:00"}
    return {
        "name": "Made {serial}",
        "channel": "sms",
        "contact_list_ids": [list_id],
        "sender": "+12025550100",
        "calling_hours": {"timezone": "UTC", "windows": [window]},
        "message": {"text": "Hello {{firstName}}"},
    }


def measure(server: Served, stage: Stage) -> tuple[dict[str, Spent], Spent]:
    """Let all calls take turns; return what each took, and the one during which the generator was busiest."""
    found: dict[str, Spent] = {}
    busiest = Spent()
    for some in (reading_calls(stage), creating_calls(stage)):
        for call in (EMPTY, TOKEN, *some) * TURNS:
            spent = server.measure(call, seconds=SECONDS)
            found.setdefault(call.name, Spent()).add(spent)
            busiest = max(busiest, spent, key=lambda one: one.load_share)
    return found, busiest


def show(database: str, found: Mapping[str, Spent], busiest: Spent) -> Iterator[Row]:
    """Put each call beside the empty route."""
    empty, token = found[EMPTY.name], found[TOKEN.name]
    yield Row(
        f"{database}: load generator, at its busiest",
        f"{busiest.load_share:.0%}",
        f"server {busiest.server_share:.0%} of a core",
        busiest.load_share / busiest.server_share,
    )
    for name, spent in found.items():
        if spent is empty:
            continue
        title, median, p99 = f"{database}: {name}", *spent.median_and_p99
        beside = f"empty {empty.rate:.0f}/s, token {token.rate:.0f}/s"
        yield Row(title, f"{spent.rate:.0f}/s", beside, spent.rate / empty.rate)
        least = empty.median_and_p99
        beside = f"empty {least[0]:.1f} / {least[1]:.1f} ms"
        yield Row(f"{title}, p50 / p99", f"{median:.1f} / {p99:.1f} ms", beside, p99 / least[1])
        beside = f"empty {empty.cpu_micros:.0f} µs, token {token.cpu_micros:.0f} µs"
        yield Row(f"{title}, CPU", f"{spent.cpu_micros:.0f} µs", beside, spent.cpu_micros / empty.cpu_micros)


def _calls(database: str, url: str = "") -> Iterator[Row]:
    with folder() as where:
        stage = asyncio.run(set_stage(where / "data", url, contacts=FEW_CONTACTS, campaigns=FEW_CAMPAIGNS))
        with served(where / "data", url) as server:
            measured = measure(server, stage)
        yield from show(database, *measured)


def rows() -> Iterator[Row]:
    """Measure both databases."""
    yield from _calls("SQLite")
    yield from pages.rows("SQLite", ("", ""))
    with postgres() as address:
        yield from _calls("PostgreSQL", asyncio.run(fresh_database(address)))
        urls = asyncio.run(fresh_database(address)), asyncio.run(fresh_database(address))
        yield from pages.rows("PostgreSQL", urls)
