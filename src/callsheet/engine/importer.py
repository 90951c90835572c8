"""Import: bring files of contacts and of DNC numbers into the store, one after the other, oldest first.

A file is spooled, then written down as a job, then read in a process of its own and stored block by block. How far a
job has come is stored with the rows of the same block, so that after a crash it goes on with the very next row. While
one block is being stored, the next one is being read.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path, PurePath

import structlog

from callsheet import meters
from callsheet.clock import Clock
from callsheet.core.contacts import TooManyColumns
from callsheet.core.errors import LimitReached, NotFound, Unavailable
from callsheet.engine.holds import Scope
from callsheet.engine.importing import rejects, spool
from callsheet.engine.importing.blocks import Block, Source
from callsheet.engine.importing.layout import UnreadableFile
from callsheet.engine.importing.opening import usual_name
from callsheet.engine.importing.reader import Reader
from callsheet.store.apps import App
from callsheet.store.dnc import DncList
from callsheet.store.imports import ImportJob
from callsheet.store.lists import ContactList
from callsheet.store.protocol import Appended, Step
from callsheet.store.store import Store

log = structlog.get_logger()

TICK_SECONDS = 5.0
RETRY_SECONDS = 1.0
MOST_BREAKS = 3
"""So often a job may break at one and the same place; then it fails, and those behind it have their turn."""

CONTACT_LIST = "contact_list"
DNC_LIST = "dnc_list"

_SPOOLED = re.compile(r"[0-9a-f]{32}\.csv")
_LONGEST_NAME = 200
_BROKE_OFF = "The import broke off for a reason of our own, which the log tells. Rows before it are in the list."
_ROWS_BEFORE = "Nothing of the block of 2,000 rows that goes past it is in the list; the rows before are."
_GONE = "The uploaded file is not there any more; upload it again. Rows before this are in the list."


Forbid = Callable[[Scope], Awaitable[None]]


class Importer:
    """Works off the import jobs of this node."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        folder: Path,
        *,
        on_rows: Callable[[], None],
        forbid: Forbid | None = None,
        sole_owner: bool = False,
    ) -> None:
        """Spool to `folder`, which is this process's alone; `on_rows` is called after each block that was stored.

        `forbid` is called with the people of each block that went on a DNC list.

        `sole_owner` says that no other node imports into this store (SQLite): a job without its file is then lost,
        and fails; otherwise it is left to the node that has the file.
        """
        self._store = store
        self._clock = clock
        self._folder = folder
        self._on_rows = on_rows
        self._forbid = forbid
        self._sole_owner = sole_owner
        self._reader = Reader()
        self._spooling: set[str] = set()
        self._breaks: dict[int, tuple[int, int]] = {}
        self._unsettled: dict[int, set[bytes]] = {}
        """By job: people who are on a DNC list, or may be after an answer that was lost, and not yet effectively."""
        self._wake = asyncio.Event()
        self._stopping = False

    # -- taking a file -----------------------------------------------------------------------------------------------

    async def submit(
        self, app: App, target: ContactList | DncList, chunks: AsyncIterator[bytes], filename: str
    ) -> ImportJob:
        """Take a file; when this returns, file and job are durable. When it raises, nothing is left of them.

        Raises BodyTooLarge, Unavailable, and what `chunks` raises when the client goes away.
        """
        spooled = f"{secrets.token_hex(16)}.csv"
        self._spooling.add(spooled)
        try:
            size = await spool.spool(self._folder, spooled, chunks)
            name = _plain(filename) or await asyncio.to_thread(usual_name, self._folder / spooled)
            job = await self._write_down(app, target, f"{spooled}/{name}", size)
        finally:
            self._spooling.discard(spooled)
        self.wake()
        return job

    async def _write_down(self, app: App, target: ContactList | DncList, file: str, size: int) -> ImportJob:
        """Write down the job of a file that is spooled; whoever waits for it may go away, but not in between."""
        creating = asyncio.ensure_future(
            self._store.imports.create(
                app.no,
                list_no=target.no,
                target=CONTACT_LIST if isinstance(target, ContactList) else DNC_LIST,
                file=file,
                bytes_total=size,
                now=self._clock.now(),
            )
        )
        try:
            return await asyncio.shield(creating)
        except Exception:
            spool.remove(self._folder / file.partition("/")[0])
            raise

    def rejects_csv(self, job: ImportJob) -> AsyncIterator[str]:
        """Write the rejected rows of an import as CSV (`row`, `reason`, `message`), a page at a time."""
        return rejects.rejects_csv(self._store.imports, job)

    # -- working off -------------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Look for jobs now."""
        self._wake.set()

    def stop(self) -> None:
        """End after the block in work."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Import until `stop`, beginning with what was interrupted."""
        swept = False
        try:
            while not self._stopping:
                self._wake.clear()
                try:
                    if not swept:
                        await self._sweep()
                        swept = True
                    await self._work()
                except Unavailable:
                    log.warning("importer.store_away")
                    await self._reader.close()
                    await self._rest(RETRY_SECONDS)
        finally:
            await self._reader.close()

    async def _sweep(self) -> None:
        """Delete spooled files that no job wants: their upload, or their deletion, was interrupted."""
        found = await asyncio.to_thread(lambda: list(self._folder.glob("*.csv*")))
        # Noted before the jobs are read: an upload that ends in between is in one of the two.
        wanted = set(self._spooling)
        wanted.update(_spooled(job) for job in await self._store.imports.unfinished())
        spool.remove(*(path for path in found if path.name.removesuffix(".part") not in wanted))

    async def _work(self) -> None:
        """Work on the oldest job, or wait for one."""
        job = await self._next()
        if job is not None:
            await self._attempt(job)
        elif not await self._rest(TICK_SECONDS):
            # Nobody came for a while, and an idle process keeps some forty megabytes.
            await self._reader.close()

    async def _rest(self, seconds: float) -> bool:
        """Wait for so long, or until woken; tell which."""
        try:
            async with asyncio.timeout(0 if self._stopping else seconds):
                return await self._wake.wait()
        except TimeoutError:
            return False

    async def _next(self) -> ImportJob | None:
        """Return the oldest job whose file is here."""
        for job in await self._store.imports.unfinished():
            if (self._folder / _spooled(job)).exists():
                return job
            if self._sole_owner:
                await self._fail(job, _GONE)
        return None

    async def _attempt(self, job: ImportJob) -> None:
        """Import a file as far as it goes; what breaks is tried again from where it broke."""
        try:
            await self._import(job)
        except UnreadableFile as refused:
            await self._fail(job, str(refused))
        except (NotFound, TooManyColumns) as error:
            await self._refuse(job, error.message)
        except LimitReached as error:
            await self._refuse(job, f"{error.message} {_ROWS_BEFORE}")
        except Unavailable:
            raise
        except Exception:
            log.exception("import.broke", job=job.id)
            await self._reader.close()
            await self._break(job)

    async def _refuse(self, job: ImportJob, problem: str) -> None:
        """Fail a job whose rows the store does not take. The reader is at the next block, which nobody wants."""
        await self._reader.close()
        await self._fail(job, problem)

    async def _break(self, job: ImportJob) -> None:
        """Fail a job that broke too often at one and the same place."""
        at, breaks = self._breaks.get(job.no, (job.bytes_done, 0))
        breaks = breaks + 1 if at == job.bytes_done else 1
        self._breaks[job.no] = (job.bytes_done, breaks)
        if breaks >= MOST_BREAKS:
            await self._fail(job, _BROKE_OFF)
        else:
            await self._rest(RETRY_SECONDS)

    async def _import(self, job: ImportJob) -> None:
        """Store a file's rows from where its job has come to."""
        source = await self._source(job)
        columns = await self._reader.open(source)
        log.info("import.started", job=job.id, rows=job.rows, bytes=job.bytes_total)
        if not source.numbers_only:
            await self._store.lists.add_columns(job.app, job.list_no, columns)
        self._reader.ask()
        done = False
        while not done and not self._stopping:
            block = await self._reader.take()
            done = block.done
            if not done:
                self._reader.ask()
            await self._keep(job, block)
        if done:
            spool.remove(self._folder / _spooled(job))
            self._breaks.pop(job.no, None)
            log.info("import.done", job=job.id, rows=block.rows)

    async def _source(self, job: ImportJob) -> Source:
        app = await self._store.apps.by_no(job.app)
        key = self._store.vault.app(job.app)
        assert app is not None, "a job of an app that is gone"
        assert key is not None, "finding an app opens its key"
        return Source(
            path=str(self._folder / _spooled(job)),
            numbers_only=job.target == DNC_LIST,
            app_key=key.reveal(),
            region=app.settings.region,
            rows=job.rows,
        )

    async def _keep(self, job: ImportJob, block: Block) -> None:
        """Store a block and how far it brings the job, in one transaction."""
        step = Step(job.no, block.rows, block.bytes_done, block.rejects, block.done)
        if job.target == DNC_LIST:
            appended = await self._forbid_block(job, block, step)
        else:
            appended = await self._store.hot.append(job.app, job.list_no, block.contacts, step=step)
        meters.imported_rows.labels("accepted").inc(appended.added)
        meters.imported_rows.labels("duplicate").inc(appended.duplicates)
        meters.imported_rows.labels("rejected").inc(len(block.rejects))
        self._on_rows()

    async def _forbid_block(self, job: ImportJob, block: Block, step: Step) -> Appended:
        """Put a block on a DNC list. The job is done by a step of its own, when nothing more leaves for anybody in it.

        After a crash in between, the file is read from its end: no entries, one more wait, and that step.
        """
        hot = self._store.hot
        unsettled = self._unsettled.setdefault(job.no, set())
        unsettled.update(entry.person for entry in block.entries)
        appended = await hot.forbid(
            job.app, job.list_no, block.entries, source="import", step=step._replace(done=False)
        )
        if self._forbid is not None:
            await self._forbid(Scope(job.app, persons=frozenset(unsettled)))
        del self._unsettled[job.no]
        if block.done:
            await hot.forbid(job.app, job.list_no, (), source="import", step=step._replace(rejects=()))
        return appended

    async def _fail(self, job: ImportJob, problem: str) -> None:
        await self._store.imports.fail(job, problem, self._clock.now())
        spool.remove(self._folder / _spooled(job))
        self._breaks.pop(job.no, None)
        self._unsettled.pop(job.no, None)
        log.warning("import.failed", job=job.id, rows=job.rows)


def file_name(job: ImportJob) -> str:
    """Return the name of a job's file as its owner knows it."""
    return job.file.partition("/")[2]


def _spooled(job: ImportJob) -> str:
    """Return the name of a job's file in the folder; what no upload was ever called is not there, wherever it leads."""
    name = job.file.partition("/")[0]
    return name if _SPOOLED.fullmatch(name) else "gone.csv"


def _plain(filename: str) -> str:
    """Return the last part of a file's name, without what cannot be shown or stored."""
    last = PurePath(filename.replace("\\", "/")).name
    return "".join(character for character in last if character.isprintable())[:_LONGEST_NAME]
