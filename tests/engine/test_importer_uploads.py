"""Uploads: when the client hears yes, file and job are durable; otherwise nothing is left of them."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from callsheet.engine.importer import Importer, file_name
from callsheet.store.apps import App
from callsheet.store.store import Store
from databases import rows
from engine.importing import PEOPLE, Desk, chunks, desk, names
from factories import StillClock

A = PEOPLE[0]


@pytest.fixture
async def work(store: Store, app: App, clock: StillClock, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(store, app, clock, tmp_path / "imports") as found:
        yield found


async def test_a_client_that_goes_away_leaves_neither_file_nor_job(work: Desk):
    async def half() -> AsyncIterator[bytes]:
        yield b"phone\n" * 1_000_000
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await work.importer.submit(work.app, await work.new_list(), half(), "people.csv")

    assert not names(work.folder)
    assert await rows(work.store, "select * from import_job") == []


async def test_a_caller_that_is_cancelled_leaves_all_or_nothing(work: Desk):
    work.importer.stop()
    target = await work.new_list()
    for turns in range(0, 60, 3):
        before = len(await rows(work.store, "select * from import_job"))
        others = asyncio.all_tasks()
        submitting = asyncio.create_task(work.submit(target, f"phone\n{A}\n"))
        for _ in range(turns):
            await asyncio.sleep(0.0003)
        submitting.cancel()
        # What it was writing down comes to its end without it.
        while going_on := asyncio.all_tasks() - others:
            await asyncio.wait(going_on)
        jobs = await rows(work.store, "select * from import_job")
        assert len(jobs) - before in {0, 1}
        assert len(jobs) - before or submitting.cancelled()

    spooled = set(names(work.folder))
    assert {job.file.partition("/")[0] for job in await rows(work.store, "select file from import_job")} <= spooled


async def test_a_caller_that_is_cancelled_while_the_disk_is_slow_leaves_nothing(
    work: Desk, monkeypatch: pytest.MonkeyPatch
):
    begun, go_on = threading.Event(), threading.Event()
    real = os.open

    def slow(path: Path, *rest: int) -> int:
        if str(path).endswith(".part"):
            begun.set()
            go_on.wait(60)
        return real(path, *rest)

    monkeypatch.setattr(os, "open", slow)
    submitting = asyncio.create_task(work.submit(await work.new_list(), f"phone\n{A}\n"))
    await asyncio.to_thread(begun.wait, 60)
    submitting.cancel()
    await asyncio.sleep(0.01)
    go_on.set()
    await asyncio.wait([submitting])

    assert submitting.cancelled()
    assert not names(work.folder)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("people.csv", "people.csv"),
        ("../../etc/pass\nwd", "passwd"),
        ("C:\\lists\\M\u00e4rz.csv", "M\u00e4rz.csv"),
        ("", "import.csv"),
        ("/", "import.csv"),
        ("x" * 999, "x" * 200),
    ],
)
async def test_a_files_name_is_shown_and_nothing_else(
    store: Store, app: App, clock: StillClock, tmp_path: Path, given: str, shown: str
):
    importer = Importer(store, clock, tmp_path / "imports", on_rows=lambda: None)
    target = await store.dnc_lists.create(app.no, "Never", clock.now())

    job = await importer.submit(app, target, chunks(b"x"), given)

    assert file_name(job) == shown
    assert names(tmp_path / "imports") == [job.file.partition("/")[0]]
