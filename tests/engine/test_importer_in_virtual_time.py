"""An import in virtual time: its process works in real time, and the clock does not run away from it."""

import asyncio
from pathlib import Path

from callsheet.engine.importer import Importer
from callsheet.engine.virtual_time import VirtualClock, run
from callsheet.store.migrate import migrate
from callsheet.store.sqlite.database import SqliteDatabase
from callsheet.store.sqlite.hot import SqliteHot
from callsheet.store.store import Store
from callsheet.store.vault import KEY_BYTES, Vault
from engine.importing import chunks
from factories import MONDAY_NOON, make_app, make_list
from phone_numbers import numbers


def test_the_clock_does_not_run_away_from_an_import(tmp_path: Path):
    path = tmp_path / "callsheet.db"
    asyncio.run(migrate(path))

    async def main(clock: VirtualClock) -> tuple[str, int, float]:
        database, vault = SqliteDatabase(path, inline=True), Vault(bytes(KEY_BYTES))
        store = Store(database, SqliteHot(database, vault, clock), vault)
        app = await make_app(store, clock)
        target = await make_list(store, app, clock)
        importer = Importer(store, clock, tmp_path / "imports", on_rows=lambda: None)
        body = "phone\n" + "\n".join(numbers("IN", 5_000))
        job = await importer.submit(app, target, chunks(body.encode()), "people.csv")
        importing = asyncio.create_task(importer.run())
        while await store.imports.unfinished():
            await clock.sleep(0.001)
        found = await store.imports.find(app.no, job.id)
        seconds = clock.monotonic()
        importer.stop()
        await importing
        await store.close()
        assert found is not None
        return found.state, found.accepted, seconds

    state, accepted, seconds = run(main, start=MONDAY_NOON)

    assert (state, accepted) == ("done", 5_000)
    assert seconds < 1
