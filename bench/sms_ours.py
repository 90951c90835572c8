"""Our side of `sms.py`, a child of it: the runtime of `callsheet serve` without HTTP, and a trunk to node-smpp.

With a port of 0 it is one more node on the database of another, which has the trunk and starts the campaign.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

import structlog

from callsheet import settings
from callsheet.bootstrap import open_runtime
from callsheet.core.campaign import Campaign
from callsheet.core.condition import State
from callsheet.engine.runtime import Runtime
from callsheet.engine.trunks import Wanted
from callsheet.garbage import collect_seldom
from store import define, fill, start

PATIENCE_SECONDS = 120
FAR, NEAR = 0.25, 0.02
"""Seconds between looks at the counters, until the last tenth and in it: looking costs something too."""


async def _make_campaign(runtime: Runtime, port: int, messages: int, window: int) -> Campaign:
    """Make an app with a trunk to the SMSC, a list and a campaign."""
    store, now = runtime.store, runtime.clock.now()
    app = await store.apps.create(await store.apps.create_account("bench", now), "bench", now)
    account = {"host": "127.0.0.1", "port": port, "system_id": "bench", "password": "secret", "window": window}
    trunk = await runtime.trunks.create(app.no, Wanted("node-smpp", "smpp", account, takes_any_sender=True))
    people = await store.lists.create(
        app.no, name="list", description="", source="passiveApi", allow_duplicates=True, now=now
    )
    await fill(store, app.no, people.no, messages)
    await _until_open(runtime, trunk.no)
    return await store.campaigns.create(app.no, define("bench", people), now, unique_names=True)


async def _until_open(runtime: Runtime, trunk_no: int) -> None:
    while runtime.conductor.lines.standing(trunk_no).condition.state is not State.open:
        runtime.conductor.look_at_trunks()
        await asyncio.sleep(NEAR)


async def _until_delivered(runtime: Runtime, campaign: Campaign, messages: int) -> int:
    """Wait until every receipt is stored, and return how many are."""
    (run,) = [one for one in await runtime.store.runs.active() if one.campaign_id == campaign.id]
    delivered, deadline = 0, time.monotonic() + PATIENCE_SECONDS
    while delivered < messages and time.monotonic() < deadline:
        await asyncio.sleep(NEAR if delivered > 0.9 * messages else FAR)
        delivered = (await runtime.store.reports.counters(campaign.app, run.no)).get("delivered", 0)
    return delivered


async def _follow(runtime: Runtime) -> None:
    """Work for the campaign of another node until nobody needs us any more."""
    for trunk in await runtime.store.apps.trunks():
        if trunk.carrier == "smpp":
            await _until_open(runtime, trunk.no)
    collect_seldom()
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


async def play(data: str, url: str, key: str, port: int, messages: int, window: int, *, profiled: bool) -> None:
    """Say that we are ready, and after the word run a campaign to its last receipt; tell the seconds."""
    given = settings.load(data=Path(data), database_url=url or None, master_key=key, allow_private_addresses=True)
    async with open_runtime(given) as runtime:
        if not port:
            await _follow(runtime)
            return
        campaign = await _make_campaign(runtime, port, messages, window)
        collect_seldom()
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        parts: dict[str, float] = {}
        if profiled:
            from sms_parts import watch  # noqa: PLC0415 (what watches costs time)

            parts = watch()
        began = time.perf_counter()
        await start(runtime.store, campaign)
        runtime.conductor.wake()
        receipts = await _until_delivered(runtime, campaign, messages)
        told: dict[str, Any] = {"seconds": time.perf_counter() - began, "receipts": receipts, "parts": dict(parts)}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    asyncio.run(play(**json.loads(sys.argv[1])))
