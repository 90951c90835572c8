"""What a type checker knows of a program that uses the client. This file is checked, and never run."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import assert_type

from callsheet.client import AsyncClient, Client, Import, Kind
from callsheet.client.compat.campaigns import Triggered
from callsheet.client.compat.interactions import CampaignInfo
from callsheet.client.compat.queues import QueuePage
from callsheet.client.v1.accounts import App
from callsheet.client.v1.api_clients import ClientSecret
from callsheet.client.v1.audit import AuditLine
from callsheet.client.v1.contacts import History
from callsheet.client.v1.pulls import PullEntry
from callsheet.client.v1.reports import Attempt
from callsheet.client.v1.schedules import Dates, NewSchedule, Schedule
from callsheet.client.v1.settings import AppSettings
from callsheet.client.v1.templates import ShownTemplate, Template
from callsheet.client.v1.trunks import Trunk
from callsheet.client.v1.users import User
from callsheet.client.v1.why import Why


def waits(client: Client) -> None:
    assert_type(client.templates.get("cmt-1"), ShownTemplate)
    assert_type(client.templates.list(search="a"), Iterator[Template])
    assert_type(client.templates.delete("cmt-1"), None)
    assert_type(client.compat.campaigns.start("cmp-1"), Triggered)
    assert_type(client.settings.change(region="US", cap=None), AppSettings)
    assert_type([one.at for one in client.runs.attempts("cid-1")], list[datetime])
    yearly: NewSchedule = {
        "zone": "UTC",
        "start": "2099-01-05T09:00",
        "repeat": {"every": "year", "month": 1, "day": 5},
    }
    assert_type(client.schedules.put("cmp-1", **yearly), Schedule)
    assert_type(client.schedules.preview(count=3, zone="UTC", start="2099-01-05T09:00", rule="FREQ=DAILY"), Dates)
    assert_type(client.pulls.log("cl-1"), Iterator[PullEntry])
    assert_type(client.contacts.history("+12125550123"), History)
    assert_type(client.campaigns.why("cmp-1", "+12125550123"), Why)
    assert_type(client.audit.list(), Iterator[AuditLine])
    assert_type(client.users.let_in("usr-1", "viewer"), User)
    assert_type(client.users.set_password("usr-1", "x"), None)
    assert_type(client.api_clients.renew_secret("cs-1"), ClientSecret)
    assert_type(client.compat.queues.list(), QueuePage)
    conversations = client.compat.interactions.list("acc-1", startDate="2099-01-01", endDate="2099-01-02")
    assert_type(conversations.data[0].campaign_info, CampaignInfo | None)
    with client as same:
        assert_type(same, Client)


async def awaits(client: AsyncClient) -> None:
    assert_type(await client.imports.get(Kind.dnc_lists, "dnc-1", "im-1"), Import)
    assert_type(client.runs.attempts("cid-1", since=datetime.now()), AsyncIterator[Attempt])  # noqa: DTZ005 (never run)
    assert_type(await client.compat.campaigns.start("cmp-1"), Triggered)
    assert_type(await client.apps.rename("Shop"), App)
    assert_type([one async for one in client.trunks.list()], list[Trunk])
    async with client as same:
        assert_type(same, AsyncClient)


def is_wrong(client: Client) -> None:
    client.templates.get(1)  # type: ignore[arg-type]
    client.templates.create("Hello")  # type: ignore[call-arg]
    client.templates.change("cmt-1", text="x")  # type: ignore[call-arg]
    client.settings.change(regoin="US")  # type: ignore[call-arg]
    client.campaigns.create(name="Hello")  # type: ignore[call-arg]
    client.templates.get("cmt-1").nam  # type: ignore[attr-defined]  # noqa: B018 (never run)
    client.templates.get("cmt-1").name = "x"  # type: ignore[misc]
    client.schedules.put("cmp-1", zone="UTC")  # type: ignore[call-arg]
    client.schedules.preview(zone="UTC", start="x", repeat={"every": "year"})  # type: ignore[arg-type]
    for _ in client.templates.list(serach="x"):  # type: ignore[call-arg]
        pass


async def is_not_awaited(client: AsyncClient) -> None:
    client.templates.get("cmt-1").name  # type: ignore[attr-defined]  # noqa: B018 (never run)
