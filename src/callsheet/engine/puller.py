"""Pull: fetch the contacts of lists from their URLs, when their schedules say so or somebody asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog

from callsheet.clock import Clock
from callsheet.core.asking import Answer, NotReached, Request
from callsheet.core.contacts import Contact, RowError
from callsheet.core.errors import CallsheetError, Unavailable
from callsheet.core.pull import MOST_BYTES, Mode, PullPlan
from callsheet.engine.crew import TICK_SECONDS, Crew
from callsheet.engine.importing.layout import UnreadableFile
from callsheet.engine.outside import Outside
from callsheet.engine.pulling import Pulled
from callsheet.engine.sealing import seal
from callsheet.store.apps import App
from callsheet.store.protocol import NewContact
from callsheet.store.pulls import Outcome, Pull, State
from callsheet.store.store import Store

log = structlog.get_logger()

TIMEOUT_SECONDS = 120.0
TEST_SECONDS = 30.0
LEASE_SECONDS = 300.0
"""Longer than an answer may take; renewed with each block of it that is stored."""
MOST_AT_ONCE = 4
MOST_HOPS = 5
MOST_SHOWN = 5
"""Rows and rejects in the answer of a test."""
MOST_TESTED = 1_000
KEPT = timedelta(days=90)
PRUNE_EVERY = timedelta(hours=1)

_UNREADABLE = "What is stored of this pull cannot be read, so nothing was asked. Write it anew with PUT."
_BROKE = "The pull broke off for a reason of our own, which the log tells."


class Sample(NamedTuple):
    """What a pull would bring: its first contacts and rejects, or why there are none."""

    contacts: Sequence[Contact] = ()
    rejects: Sequence[tuple[int, RowError]] = ()
    problem: str = ""


class Puller:
    """Pulls the contacts of all lists that have a plan for it."""

    def __init__(
        self,
        store: Store,
        outside: Outside,
        clock: Clock,
        *,
        on_rows: Callable[[], None],
        sole_owner: bool = False,
        tick_seconds: float = TICK_SECONDS,
    ) -> None:
        """`on_rows` is called after each block that was stored. `sole_owner`: no other node works on this store."""
        self._store = store
        self._outside = outside
        self._on_rows = on_rows
        self._unreleased = sole_owner
        self._pruned_at: datetime | None = None
        self._crew: Crew[Pull] = Crew(
            "puller", self._look, self._work, clock, most=MOST_AT_ONCE, tick_seconds=tick_seconds
        )
        self.wake = self._crew.wake
        self.stop = self._crew.stop
        self.run = self._crew.run

    async def test(self, app: App, plan: PullPlan | None) -> Sample:
        """Fetch what a plan asks for, and return its first contacts. Nothing is stored. None: it cannot be read."""
        if plan is None:
            return Sample(problem=_UNREADABLE)
        try:
            answer = await self._fetch(plan, TEST_SECONDS)
            pulled = Pulled(plan, answer.body, answer.headers.get("content-type", ""), app.settings.region)
            block = await asyncio.to_thread(pulled.take, MOST_TESTED)
        except (NotReached, UnreadableFile) as error:
            return Sample(problem=str(error))
        return Sample(block.contacts[:MOST_SHOWN], block.rejects[:MOST_SHOWN])

    # -- working -----------------------------------------------------------------------------------------------------

    async def _look(self, room: int) -> tuple[Sequence[Pull], datetime | None]:
        if self._unreleased:
            await self._store.pulls.release_all()
            self._unreleased = False
        now = await self._store.hot.now()
        if self._pruned_at is None or now - self._pruned_at >= PRUNE_EVERY:
            self._pruned_at = now
            await self._store.pulls.prune(now - KEPT)
        return await self._store.pulls.take(now, most=room, lease_seconds=LEASE_SECONDS)

    async def _work(self, pull: Pull) -> None:
        """Pull a list, and write down what came of it."""
        try:
            outcome = await self._pull(pull)
        except Unavailable:
            raise
        except Exception:
            log.exception("pull.broke", contact_list=pull.list_no)
            outcome = Outcome(State.failed, problem=_BROKE)
        if outcome is None:
            return  # another node has it
        await self._store.pulls.finish(pull, outcome, await self._store.hot.now())
        state, rows = outcome.state.lower(), outcome.rows
        log.info("pull.done", contact_list=pull.list_no, state=state, rows=rows, added=outcome.added)

    async def _pull(self, pull: Pull) -> Outcome | None:
        if pull.plan is None:
            log.error("pull.unreadable", contact_list=pull.list_no)
            return Outcome(State.failed, problem=_UNREADABLE)
        app = await self._store.apps.by_no(pull.app)
        assert app is not None, "a pull of an app that is gone"
        try:
            answer = await self._fetch(pull.plan, TIMEOUT_SECONDS)
        except NotReached as error:
            return Outcome(State.failed, problem=str(error))
        pulled = Pulled(pull.plan, answer.body, answer.headers.get("content-type", ""), app.settings.region)
        return await self._store_all(pull, pulled)

    async def _fetch(self, plan: PullPlan, seconds: float) -> Answer:
        """Ask the URL. Raises NotReached also when the answer is no success."""
        headers = dict(plan.headers)
        body = plan.body.encode() if plan.body else None
        if body is not None:
            headers["content-type"] = plan.content_type or "application/json"
        request = Request(plan.method.value, plan.url, headers, body)
        answer = await self._outside.ask(request, seconds=seconds, most_bytes=MOST_BYTES, most_hops=MOST_HOPS)
        if not 200 <= answer.status < 300:
            raise NotReached(f"The source answered {answer.status}.")
        return answer

    async def _store_all(self, pull: Pull, pulled: Pulled) -> Outcome | None:
        """Store the rows of an answer, block by block; None when another node took the pull over."""
        outcome, kept, first = Outcome(State.completed), 0, ""
        try:
            while (block := await asyncio.to_thread(pulled.take)).rows:
                until = await self._store.hot.now() + timedelta(seconds=LEASE_SECONDS)
                if not await self._store.pulls.renew(pull, until):
                    return None
                if block.rejects and not first:
                    row_no, wrong = block.rejects[0]
                    first = f"Rejected first: row {row_no}. {wrong.message}"
                added, updated, keeping = await self._keep(pull, pulled.mode, block.contacts)
                kept += keeping
                outcome = replace(
                    outcome,
                    rows=outcome.rows + block.rows,
                    added=outcome.added + added,
                    updated=outcome.updated + updated,
                    rejected=outcome.rejected + len(block.rejects),
                )
        except UnreadableFile as error:
            return replace(outcome, state=State.failed, problem=str(error))
        except Unavailable:
            raise
        except CallsheetError as error:
            return replace(outcome, state=State.failed, problem=error.message)
        return replace(outcome, problem=" ".join(filter(None, (first, _kept(kept)))))

    async def _keep(self, pull: Pull, mode: Mode, contacts: Sequence[Contact]) -> tuple[int, int, int]:
        """Store contacts; return how many were added, how many replaced, and how many keep zone and priority."""
        if not contacts:
            return 0, 0, 0
        app, list_no = pull.app, pull.list_no
        columns = dict.fromkeys(name for contact in contacts for name in contact.attributes)
        await self._store.lists.add_columns(app, list_no, list(columns))
        sealed = await asyncio.to_thread(self._seal, app, contacts)
        updated, kept = 0, 0
        if mode is Mode.replace_duplicates:
            updated, kept = await self._store.replacing.replace(app, list_no, sealed)
            # Who stands there twice comes with the last row.
            sealed = list({contact.person: contact for contact in sealed}.values())
        allow = mode is Mode.allow_duplicates
        appended = await self._store.hot.append(app, list_no, sealed, allow_duplicates=allow)
        self._on_rows()
        return appended.added, updated, kept

    def _seal(self, app: int, contacts: Sequence[Contact]) -> list[NewContact]:
        key = self._store.vault.app(app)
        assert key is not None, "finding an app opens its key"
        return [seal(key, contact) for contact in contacts]


def _kept(people: int) -> str:
    if not people:
        return ""
    return f"In the list with another time zone or priority, which a pull does not change: {people}."
