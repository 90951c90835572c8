"""Reach a server: the one that runs on the data folder, or one of our own for the time being."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, replace

from callsheet.client import AsyncClient
from callsheet.folder import DataFolder
from callsheet.settings import Settings


@asynccontextmanager
async def reached(settings: Settings, *, start_engine: bool) -> AsyncIterator[AsyncClient]:
    """Give a client of the default app.

    Where no server runs, one starts on a free port that only this machine reaches, and stops at the end; without
    `start_engine` it contacts nobody. Raises FolderInUse when a process without a server owns the folder.
    """
    folder = DataFolder(settings.data)
    address = folder.server()
    if address is not None:
        async with AsyncClient(**asdict(replace(folder.credentials(), base_url=address))) as client:
            yield client
        return
    folder.refuse_if_owned()
    from callsheet.cli.serving import serving  # the whole program, which a server of another process spares us

    async with (
        serving(settings, passing=True, start_engine=start_engine) as server,
        AsyncClient(**asdict(server.known)) as client,
    ):
        yield client
