"""Reach a server: the one that runs on the data folder, or one of our own for the time being."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from callsheet.client import Client, open_client
from callsheet.folder import DataFolder
from callsheet.settings import Settings


@asynccontextmanager
async def reached(settings: Settings, *, start_engine: bool) -> AsyncIterator[Client]:
    """Give a client of the default app.

    Where no server runs, one starts on a free port that only this machine reaches, and stops at the end; without
    `start_engine` it contacts nobody. Raises FolderInUse when a process without a server owns the folder.
    """
    folder = DataFolder(settings.data)
    address = folder.server()
    if address is not None:
        async with open_client(replace(folder.credentials(), base_url=address)) as client:
            yield client
        return
    folder.refuse_if_owned()
    from callsheet.cli.serving import serving  # the whole program, which a server of another process spares us

    async with (
        serving(settings, passing=True, start_engine=start_engine) as server,
        open_client(server.known) as client,
    ):
        yield client
