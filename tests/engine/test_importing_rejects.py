"""The file of rejected rows: complete, in order, and harmless in a spreadsheet."""

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from callsheet.core.spreadsheet import FORMULA
from callsheet.engine.importer import Importer
from callsheet.engine.importing import rejects
from callsheet.store.apps import App
from callsheet.store.protocol import Step
from callsheet.store.store import Store
from engine.importing import Desk, chunks, desk
from factories import StillClock


@pytest.fixture
async def work(store: Store, app: App, clock: StillClock, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(store, app, clock, tmp_path / "imports") as found:
        yield found


@pytest.mark.parametrize("sign", FORMULA)
async def test_no_cell_of_the_rejects_is_a_formula_to_a_spreadsheet(
    store: Store, app: App, clock: StillClock, tmp_path: Path, sign: str
):
    importer = Importer(store, clock, tmp_path, on_rows=lambda: None)
    target = await store.dnc_lists.create(app.no, "Never", clock.now())
    job = await importer.submit(app, target, chunks(b"x\n"), "people.csv")
    evil = f'{sign}cmd|" /C calc"!A0,\n'
    await store.hot.forbid(app.no, target.no, [], source="import", step=Step(job.no, 1, 2, [(1, evil, evil)]))

    page = "".join([part async for part in importer.rejects_csv(job)])

    assert list(csv.reader(io.StringIO(page, newline=""))) == [
        ["row", "reason", "message"],
        ["1", f"'{evil}", f"'{evil}"],
    ]


async def test_the_rejects_of_a_large_file_come_in_pages_and_in_order(work: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rejects, "_PAGE_ROWS", 100)
    target = await work.new_list()

    job = await work.bring(target, "phone\n" + "x\n" * 2_450)

    assert await work.rejects(job) == [(row_no, "not_a_number") for row_no in range(2, 2_452)]
    assert len([part async for part in work.importer.rejects_csv(job)]) == 26
