"""A process of its own in virtual time, called over HTTP on either database: days pass in moments."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import httpx2

from api.callers import HASTY, Caller, Server, make_client
from callsheet import settings
from callsheet.api.app import build
from callsheet.bootstrap import open_runtime
from callsheet.engine.tuning import Tuning
from callsheet.engine.virtual_time import VirtualClock, run
from postgres import create_database, drop_database

T = TypeVar("T")

Scenario = Callable[[Caller, VirtualClock], Awaitable[T]]
_RARELY = Tuning(tick_seconds=60.0)


async def leap(clock: VirtualClock, at: datetime) -> None:
    """Set the wall clock to a minute and a half before an instant, and let every loop look once.

    To live through the hours instead, tick by tick, takes minutes.
    """
    clock.step_wall((at - timedelta(seconds=90) - clock.now()).total_seconds())
    await clock.sleep(61)


async def pass_by(clock: VirtualClock) -> None:
    """Live from there to a minute and a half after the instant."""
    await clock.sleep(119)


def live(database: str, folder: Path, start: datetime, scenario: Scenario[T]) -> T:
    """Run a scenario from an instant on, and return what it returns; `database` is sqlite or postgres."""
    url = asyncio.run(create_database()) if database == "postgres" else ""

    async def main(clock: VirtualClock) -> T:
        with clock.loop.real_work("start"):
            opened = open_runtime(
                settings.load(data=folder / "data", database_url=url),
                clock=clock,
                tuning=_RARELY,
                timings=HASTY,
                inline=True,
            )
            runtime = await opened.__aenter__()
        try:
            transport = httpx2.ASGITransport(build(runtime))
            async with httpx2.AsyncClient(transport=transport, base_url="http://callsheet.test") as http:
                server = Server(runtime, http)
                return await scenario(Caller(server, await make_client(server)), clock)
        finally:
            # What is on its way arrives in virtual time; what is closed then, closes in real time.
            await runtime.conductor.stop()
            with clock.loop.real_work("end"):
                await opened.__aexit__(None, None, None)

    try:
        return run(main, start=start)
    finally:
        if url:
            asyncio.run(drop_database(url))
