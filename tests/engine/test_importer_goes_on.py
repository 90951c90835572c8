"""Stops, deaths and faults in the middle of an import: it goes on with the very next row."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from callsheet import meters
from callsheet.core.errors import Unavailable
from callsheet.engine import importer as module
from callsheet.engine.holds import Scope
from callsheet.engine.importer import Importer
from callsheet.engine.importing.blocks import Block, Source
from callsheet.engine.importing.reader import Reader
from callsheet.store.apps import App
from callsheet.store.imports import ImportJob
from callsheet.store.protocol import NewContact, Step
from callsheet.store.store import Store
from databases import change
from engine.importing import PEOPLE, Desk, chunks, desk, names
from factories import StillClock, make_list
from phone_numbers import numbers

A = PEOPLE[0]


@pytest.fixture
async def work(store: Store, app: App, clock: StillClock, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(store, app, clock, tmp_path / "imports") as found:
        yield found


async def import_one_block(store: Store, clock: StillClock, folder: Path) -> None:
    importer = Importer(store, clock, folder, on_rows=lambda: importer.stop())  # noqa: PLW0108 - it is not there yet
    await importer.run()


async def test_a_stop_ends_after_the_block_and_the_next_start_goes_on(
    store: Store, app: App, clock: StillClock, tmp_path: Path
):
    people = numbers("IN", 5_000, seed=2)
    importer = Importer(store, clock, tmp_path, on_rows=lambda: None)
    async with desk(store, app, clock, tmp_path) as work:
        target = await work.new_list(allow_duplicates=True)
    job = await importer.submit(app, target, chunks(("phone\n" + "\n".join(people)).encode()), "people.csv")
    found = []
    for _ in range(3):
        await import_one_block(store, clock, tmp_path)
        found.append((await work.look(job)).rows)

    assert found == [2_000, 4_000, 5_000]
    assert (await work.look(job)).state == "done"
    assert await work.numbers(target) == people
    assert not [name for name in names(tmp_path) if name.endswith(".csv")]


async def test_a_reader_that_dies_is_started_again_and_nothing_is_read_twice(
    work: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    people = numbers("IN", 5_000, seed=2)
    target = await work.new_list(allow_duplicates=True)
    take, seen = Reader.take, []

    async def take_and_die(self: Reader) -> Block:
        block = await take(self)
        seen.append(block)
        if len(seen) in {1, 2}:
            assert self.pid is not None
            os.kill(self.pid, signal.SIGKILL)
        return block

    monkeypatch.setattr(Reader, "take", take_and_die)
    job = await work.bring(target, "phone\n" + "\n".join(people))

    assert (job.state, job.rows, job.accepted) == ("done", 5_000, 5_000)
    assert await work.numbers(target) == people
    assert len(seen) == 3


async def test_a_job_that_breaks_again_and_again_fails_and_the_next_one_has_its_turn(
    work: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    target = await work.new_list()
    append = work.store.hot.append

    async def refuse(app: int, list_no: int, contacts: list[NewContact], *, step: Step | None = None) -> object:
        if step is not None and step.rows == 2_500:
            raise RuntimeError("out of luck")
        return await append(app, list_no, contacts, step=step)

    monkeypatch.setattr(work.store.hot, "append", refuse, raising=True)
    bad = await work.submit(target, "phone\n" + "\n".join(numbers("IN", 2_500)))
    good = await work.bring(target, f"phone\n{A}\n")

    failed = await work.look(bad)
    assert (failed.state, failed.rows, failed.accepted) == ("failed", 2_000, 2_000)
    assert "broke off" in failed.problem
    assert good.state == "done"


async def test_files_that_no_job_wants_are_deleted_at_the_start(
    store: Store, app: App, clock: StillClock, tmp_path: Path
):
    for name in ("a.csv", "b.csv.part", "keep.txt"):
        (tmp_path / name).touch()
    importer = Importer(store, clock, tmp_path, on_rows=lambda: None)
    target = await store.dnc_lists.create(app.no, "Never", clock.now())
    wanted = await importer.submit(app, target, chunks(b"x\n"), "people.csv")

    await importer._sweep()

    assert {name for name in names(tmp_path) if "." in name and ".db" not in name} == {
        "keep.txt",
        wanted.file.partition("/")[0],
    }


@pytest.mark.parametrize(("sole_owner", "state"), [(True, "failed"), (False, "waiting")])
async def test_a_job_whose_file_is_not_here_is_lost_or_another_nodes(
    store: Store, app: App, clock: StillClock, tmp_path: Path, sole_owner: bool, state: str
):
    elsewhere = Importer(store, clock, tmp_path / "elsewhere", on_rows=lambda: None)
    target = await store.dnc_lists.create(app.no, "Never", clock.now())
    theirs = await elsewhere.submit(app, target, chunks(f"{A}\n".encode()), "people.csv")
    here = Importer(store, clock, tmp_path / "here", on_rows=lambda: here.stop(), sole_owner=sole_owner)  # noqa: PLW0108
    mine = await here.submit(app, target, chunks(f"{A}\n".encode()), "people.csv")

    await here.run()

    found = {job.id: await store.imports.find(app.no, job.id) for job in (theirs, mine)}
    assert [job.state for job in found.values() if job] == [state, "done"]


async def test_whoever_waits_for_rows_is_told_after_each_block(
    store: Store, app: App, clock: StillClock, tmp_path: Path
):
    told = []
    importer = Importer(store, clock, tmp_path, on_rows=lambda: told.append(1))
    target = await store.dnc_lists.create(app.no, "Never", clock.now())
    before = [counted(outcome) for outcome in ("accepted", "duplicate", "rejected")]
    job = await importer.submit(app, target, chunks("\n".join([*PEOPLE, *PEOPLE, *PEOPLE, "x"]).encode()), "p.csv")
    await end(importer, Desk(store, app, clock, tmp_path, importer), job)

    assert len(told) == 2
    after = [counted(outcome) for outcome in ("accepted", "duplicate", "rejected")]
    assert [new - old for new, old in zip(after, before, strict=True)] == [1_000, 2_000, 1]


def counted(outcome: str) -> float:
    return meters.registry.get_sample_value("callsheet_imported_rows_total", {"outcome": outcome}) or 0.0


async def test_a_dnc_import_is_done_only_when_nobody_in_it_can_be_contacted_any_more(
    store: Store, app: App, clock: StillClock, tmp_path: Path
):
    people = numbers("IN", 3_000, seed=2)
    target = await store.dnc_lists.create(app.no, "Never", clock.now())
    states: list[tuple[str, int]] = []

    async def settle(scope: Scope) -> None:
        found = await store.imports.find(app.no, job.id)
        assert found is not None
        states.append((found.state, len(scope.persons or ())))

    importer = Importer(store, clock, tmp_path, on_rows=lambda: None, forbid=settle)
    job = await importer.submit(app, target, chunks("\n".join(people).encode()), "never.csv")
    await end(importer, Desk(store, app, clock, tmp_path, importer), job)

    assert states == [("running", 2_000), ("running", 1_000)]


async def test_who_was_forbidden_before_the_store_went_away_is_waited_for_after_it(
    store: Store, app: App, clock: StillClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    target = await store.dnc_lists.create(app.no, "Never", clock.now())
    waited: list[int] = []

    async def settle(scope: Scope) -> None:
        waited.append(len(scope.persons or ()))
        if len(waited) == 1:
            raise Unavailable

    importer = Importer(store, clock, tmp_path, on_rows=lambda: None, forbid=settle)
    job = await importer.submit(app, target, chunks("\n".join(PEOPLE).encode()), "never.csv")
    found = await end(importer, Desk(store, app, clock, tmp_path, importer), job)

    assert waited == [1_000, 1_000]
    assert (found.state, found.rows, found.accepted) == ("done", 1_000, 1_000)


async def test_an_import_that_died_before_its_last_step_waits_again_and_counts_nothing_twice(
    store: Store, app: App, clock: StillClock, tmp_path: Path
):
    target = await store.dnc_lists.create(app.no, "Never", clock.now())

    async def die(_: Scope) -> None:
        raise asyncio.CancelledError

    waited: list[Scope] = []

    async def settle(scope: Scope) -> None:
        waited.append(scope)

    dead = Importer(store, clock, tmp_path, on_rows=lambda: None, forbid=die)
    job = await dead.submit(app, target, chunks(("x\n" + "\n".join(PEOPLE)).encode()), "never.csv")
    with pytest.raises(asyncio.CancelledError):
        await dead.run()
    heir = Importer(store, clock, tmp_path, on_rows=lambda: None, forbid=settle)
    work = Desk(store, app, clock, tmp_path, heir)
    before = await work.look(job)
    found = await end(heir, work, job)

    assert (before.state, before.rows) == ("running", 1_000)
    assert (found.state, found.rows, found.accepted, found.duplicates) == ("done", 1_000, 1_000, 0)
    assert len(waited) == 1


async def end(importer: Importer, work: Desk, job: ImportJob) -> ImportJob:
    """Run an importer until a job has ended."""
    running = asyncio.create_task(importer.run())
    found = await work.ended(job)
    importer.stop()
    await running
    return found


@pytest.mark.parametrize("file", ["", "../precious.csv/people.csv", f"{'x' * 300}/people.csv", "..//people.csv"])
async def test_a_job_whose_file_cannot_be_named_fails_alone_and_touches_no_other_file(
    store: Store, app: App, clock: StillClock, tmp_path: Path, file: str
):
    precious = tmp_path / "precious.csv"
    precious.write_text(f"phone\n{PEOPLE[1]}\n")
    importer = Importer(store, clock, tmp_path / "imports", on_rows=lambda: None, sole_owner=True)
    (tmp_path / "imports").mkdir()
    target = await make_list(store, app, clock)
    torn, sound = [await importer.submit(app, target, chunks(f"phone\n{A}\n".encode()), "people.csv") for _ in range(2)]
    await change(store, "update import_job set file = :file where no = :no", file=file, no=torn.no)

    task = asyncio.create_task(importer.run())
    async with asyncio.timeout(60):
        while (done := await store.imports.find(app.no, sound.id)) is None or done.state != "done":
            await asyncio.sleep(0.01)
    importer.stop()
    await task

    failed = await store.imports.find(app.no, torn.id)
    assert failed is not None
    assert (failed.state, failed.rows, "not there" in failed.problem) == ("failed", 0, True)
    assert precious.exists()


async def test_a_reader_whose_block_nobody_takes_can_be_closed(tmp_path: Path):
    file = tmp_path / "people.csv"
    file.write_text("phone,note\n" + "\n".join(f"{number},{'x' * 500}" for number in numbers("IN", 2_000)))
    reader = Reader()
    await reader.open(Source(str(file), numbers_only=False, app_key=bytes(32), region=None, rows=0))
    reader.ask()
    assert reader._process is not None
    assert reader._process.stdout is not None
    async with asyncio.timeout(60):
        while not reader._process.stdout._paused:  # type: ignore[attr-defined]
            await asyncio.sleep(0.01)
        await reader.close()
