"""An importer at work on a store, and files to give it."""

import asyncio
import contextlib
import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from callsheet.clock import Clock
from callsheet.engine.importer import Importer
from callsheet.store.apps import App
from callsheet.store.dnc import DncList
from callsheet.store.imports import ImportJob
from callsheet.store.lists import ContactList
from callsheet.store.store import Store
from factories import make_list
from phone_numbers import numbers

PEOPLE = numbers("US-Eastern", 1_000, seed=5)
"""Numbers for files that are written by hand."""

ENDED = ("done", "failed")


async def chunks(data: bytes, size: int = 65_536) -> AsyncIterator[bytes]:
    """Give bytes as a client sends them."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


def names(folder: Path) -> list[str]:
    """Return what lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


def write_csv(rows: Iterable[Sequence[str]], delimiter: str = ",") -> str:
    """Write a file as programs do."""
    page = io.StringIO(newline="")
    csv.writer(page, delimiter=delimiter).writerows(rows)
    return page.getvalue()


@dataclass
class Desk:
    """Brings files into lists, and looks at what came of them."""

    store: Store
    app: App
    clock: Clock
    folder: Path
    importer: Importer

    async def submit(self, target: ContactList | DncList, data: bytes | str, name: str = "people.csv") -> ImportJob:
        """Hand in a file."""
        body = data.encode() if isinstance(data, str) else data
        return await self.importer.submit(self.app, target, chunks(body), name)

    async def ended(self, job: ImportJob) -> ImportJob:
        """Wait until an import has ended."""
        async with asyncio.timeout(200):
            while True:
                found = await self.look(job)
                if found.state in ENDED:
                    return found
                await asyncio.sleep(0.01)

    async def look(self, job: ImportJob) -> ImportJob:
        """Return an import as it is now."""
        found = await self.store.imports.find(job.app, job.id)
        assert found is not None
        return found

    async def bring(self, target: ContactList | DncList, data: bytes | str) -> ImportJob:
        """Hand in a file and wait for its end."""
        return await self.ended(await self.submit(target, data))

    async def new_list(self, *, allow_duplicates: bool = False) -> ContactList:
        """Make an empty list."""
        return await make_list(self.store, self.app, self.clock, allow_duplicates=allow_duplicates)

    async def contacts(self, target: ContactList) -> list[tuple[str, dict[str, str]]]:
        """Return number and attributes of everybody in a list, in order."""
        found = await self.store.contacts.page(target, after=0, limit=2_000_000)
        return [(each.number, dict(each.attributes)) for each in found]

    async def numbers(self, target: ContactList) -> list[str]:
        """Return the numbers in a list, in order."""
        return [number for number, _ in await self.contacts(target)]

    async def rejects(self, job: ImportJob) -> list[tuple[int, str]]:
        """Return row number and reason of each rejected row."""
        page = "".join([part async for part in self.importer.rejects_csv(job)])
        header, *rows = csv.reader(io.StringIO(page, newline=""))
        assert header == ["row", "reason", "message"]
        assert all(message for _, _, message in rows)
        found = [(int(row), reason) for row, reason, _ in rows]
        assert all(first < second for (first, _), (second, _) in pairwise(found)), "each row once, in order"
        return found


@contextlib.asynccontextmanager
async def desk(store: Store, app: App, clock: Clock, folder: Path) -> AsyncIterator[Desk]:
    """Run an importer, and stop it as a clean stop does."""
    importer = Importer(store, clock, folder, on_rows=lambda: None, sole_owner=True)
    working = asyncio.create_task(importer.run())
    try:
        yield Desk(store, app, clock, folder, importer)
    finally:
        importer.stop()
        await working
