"""What a type checker knows of a program that uses the client. This file is checked, and never run."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import assert_type

from callsheet.client import AsyncClient, Client, Import, Kind
from callsheet.client.compat.campaigns import Triggered
from callsheet.client.v1.reports import Attempt
from callsheet.client.v1.settings import AppSettings
from callsheet.client.v1.templates import ShownTemplate, Template


def waits(client: Client) -> None:
    assert_type(client.templates.get("cmt-1"), ShownTemplate)
    assert_type(client.templates.list(search="a"), Iterator[Template])
    assert_type(client.templates.delete("cmt-1"), None)
    assert_type(client.compat.campaigns.start("cmp-1"), Triggered)
    assert_type(client.settings.change(region="US", cap=None), AppSettings)
    assert_type([one.at for one in client.runs.attempts("cid-1")], list[datetime])
    with client as same:
        assert_type(same, Client)


async def awaits(client: AsyncClient) -> None:
    assert_type(await client.imports.get(Kind.dnc_lists, "dnc-1", "im-1"), Import)
    assert_type(client.runs.attempts("cid-1", since=datetime.now()), AsyncIterator[Attempt])  # noqa: DTZ005 (never run)
    assert_type(await client.compat.campaigns.start("cmp-1"), Triggered)
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
    for _ in client.templates.list(serach="x"):  # type: ignore[call-arg]
        pass


async def is_not_awaited(client: AsyncClient) -> None:
    client.templates.get("cmt-1").name  # type: ignore[attr-defined]  # noqa: B018 (never run)
