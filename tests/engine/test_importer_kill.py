"""An import is killed again and again: in the end every row is there once, or has its reason once."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from callsheet.engine.importer import Importer
from databases import Place
from engine.importing import Desk, chunks, names, write_csv
from factories import StillClock, make_app, make_list
from phone_numbers import numbers

CHILD = Path(__file__).with_name("import_child.py")
TESTS = Path(__file__).parents[1]


@dataclass
class File:
    """A file of which it is known what has to come of it."""

    data: bytes
    numbers: list[str]
    rejects: list[tuple[int, str]]


def make_file(rows: int) -> File:
    """Write a file with texts over several lines, stray quotation marks, blank lines and bad numbers in it."""
    chance = random.Random(7)
    good, rejects, parts = [], [], ["phone,Name\n"]
    row_no = 1
    for number in numbers("IN", rows, seed=4):
        row_no += 1
        kind = chance.randrange(10)
        if kind == 0:
            rejects.append((row_no, "not_a_number"))
            parts.append("nobody,x\r\n")
        elif kind == 1:
            rejects.append((row_no, "unclosed_quote"))
            parts.append(f'{number},"x\n')
        else:
            good.append(number)
            name = "Ada\nLovelace" if kind == 2 else "\u0141ucja" if kind == 3 else "Bob"
            parts.append(write_csv([[number, name]]) + "\n" * (kind == 4))
            row_no += kind == 4
    parts.append("+910,\n")
    rejects.append((row_no + 1, "invalid_number"))
    return File("".join(parts).encode(), good, rejects)


def run_child(place: Place, folder: Path, chance: random.Random | None) -> bool:
    """Import in a process of its own, and kill it at some moment; tell whether it came to the end before."""
    command = [sys.executable, str(CHILD), place.kind, place.address, str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdout is not None
        kill_at, readers = chance.randint(1, 4) if chance else 0, []
        for line in child.stdout:
            word, _, rest = line.rstrip("\n").partition(" ")
            if word == "block":
                readers.append(int(rest))
            if chance and len(readers) == kill_at:
                time.sleep(chance.random() * 0.1)
                child.kill()
        done = child.wait() == 0
    for reader in set(readers):
        wait_until_gone(reader)
    return done


def wait_until_gone(pid: int) -> None:
    """Wait until a process is gone: nobody may be left of an importer that was killed."""
    for _ in range(2_000):
        stat = Path(f"/proc/{pid}/stat")
        try:
            if stat.read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except (FileNotFoundError, ProcessLookupError):
            return
        time.sleep(0.01)
    pytest.fail("the process that reads files outlived its importer")


async def kill_again_and_again(place: Place, folder: Path, clock: StillClock, *, rows: int, kills: int) -> int:
    """Kill an import so many times or until it ends, let it end, and compare; return how often it was killed."""
    store = await place.open()
    app = await make_app(store, clock)
    target = await make_list(store, app, clock, allow_duplicates=True)
    file = make_file(rows)
    job = await Importer(store, clock, folder, on_rows=lambda: None).submit(app, target, chunks(file.data), "f.csv")
    await place.close(store)

    chance, killed = random.Random(rows), 0
    while killed < kills and not run_child(place, folder, chance):
        killed += 1
    assert run_child(place, folder, None)

    store = await place.open()
    work = Desk(store, app, clock, folder, Importer(store, clock, folder, on_rows=lambda: None))
    found = await work.look(job)
    assert found.state == "done"
    assert (found.rows, found.accepted, found.rejected, found.duplicates) == (
        len(file.numbers) + len(file.rejects),
        len(file.numbers),
        len(file.rejects),
        0,
    )
    in_list = await work.numbers(target)
    assert not Counter(in_list) - Counter(file.numbers), "a row came twice"
    assert in_list == file.numbers
    assert await work.rejects(job) == file.rejects
    assert not [name for name in names(folder) if ".csv" in name]
    return killed


async def test_an_import_that_is_killed_again_and_again_has_each_row_once(
    place: Place, clock: StillClock, tmp_path: Path
):
    await kill_again_and_again(place, tmp_path / "imports", clock, rows=6_000, kills=2 if place.kind == "sqlite" else 1)


@pytest.mark.full
async def test_twenty_kills(place: Place, clock: StillClock, tmp_path: Path):
    assert await kill_again_and_again(place, tmp_path / "imports", clock, rows=160_000, kills=20) == 20
