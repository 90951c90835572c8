"""Large files: exact counts, in memory that does not grow with the file."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from callsheet.clock import SystemClock
from callsheet.engine.importer import Importer
from callsheet.store.imports import ImportJob
from databases import Place
from engine.importing import desk
from factories import make_app, make_list

CHILD = Path(__file__).with_name("import_child.py")
TESTS = Path(__file__).parents[1]
MOST_MEGABYTES = 300
MOST_READER_MEGABYTES = 100


def lines(rows: int) -> Iterator[str]:
    """Write a file: of ten rows six are good, one is of a person who came before, three are bad for three reasons."""
    yield "Name,phone,timeZone,Note\n"
    for row in range(rows):
        match row % 10:
            case 3:
                yield f"Ada,+9198{row:08d}x,,\n"
            case 5:
                yield f"Ada,+9198{row:08d},Mars/Olympus,\n"
            case 7:
                yield f"Ada,+9198{row:08d},,a,b\n"
            case 9:
                yield f'"Ada\nagain",+9198{row - 9:08d},,\u017c\u017c\u017c\n'
            case _:
                yield f"Ada,+9198{row:08d},,Caf\u00e9 {row}\n"


class Sent:
    """A file that is made while it is sent, so that the test itself holds little of it."""

    def __init__(self, rows: int) -> None:
        self._lines = lines(rows)

    async def __aiter__(self):
        part = []
        for line in self._lines:
            part.append(line)
            if len(part) == 1_000:
                yield "".join(part).encode()
                part.clear()
        yield "".join(part).encode()


def check(job: ImportJob, rows: int) -> None:
    assert (job.state, job.rows) == ("done", rows)
    assert (job.accepted, job.duplicates, job.rejected) == (rows * 6 // 10, rows // 10, rows * 3 // 10)


@pytest.mark.parametrize("rows", [8_000, pytest.param(50_000, marks=pytest.mark.full)])
async def test_of_many_thousand_rows_all_are_accounted_for(place: Place, clock: SystemClock, tmp_path: Path, rows: int):
    store = await place.open()
    app = await make_app(store, clock)
    target = await make_list(store, app, clock)
    async with desk(store, app, clock, tmp_path / "imports") as work:
        job = await work.ended(await work.importer.submit(app, target, aiter(Sent(rows)), "large.csv"))

        check(job, rows)
        reasons = {3: "not_a_number", 5: "unknown_time_zone", 7: "more_cells_than_columns"}
        expected = [(row + 2, reasons[row % 10]) for row in range(rows) if row % 10 in reasons]
        assert await work.rejects(job) == expected
        good = [f"+9198{row:08d}" for row in range(rows) if row % 10 not in {3, 5, 7, 9}]
        assert await work.numbers(target) == good


@pytest.mark.full
@pytest.mark.timeout(1_500)
async def test_a_million_rows_take_no_more_memory_than_a_few(place: Place, clock: SystemClock, tmp_path: Path):
    rows = 1_000_000
    store = await place.open()
    app = await make_app(store, clock)
    target = await make_list(store, app, clock)
    importer = Importer(store, clock, tmp_path / "imports", on_rows=lambda: None)
    job = await importer.submit(app, target, aiter(Sent(rows)), "large.csv")
    await place.close(store)

    command = [sys.executable, str(CHILD), place.kind, place.address, str(tmp_path / "imports")]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=True)

    peak = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    assert peak["megabytes"] <= MOST_MEGABYTES
    assert peak["reader_megabytes"] <= MOST_READER_MEGABYTES
    found = await (await place.open()).imports.find(app.no, job.id)
    assert found is not None
    check(found, rows)
