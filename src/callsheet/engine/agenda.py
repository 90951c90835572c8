"""What this node works on: the active runs, which of their doors are open, and who comes again when."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from callsheet.core.campaign import Channel
from callsheet.core.errors import FlowNotFound
from callsheet.core.flow.amiss import BadExpression
from callsheet.core.gate import Wait
from callsheet.core.retrying import Turn
from callsheet.core.run import AppSettings, PinnedFlow, Run, Way, closes_at
from callsheet.core.template import BadTemplate
from callsheet.core.walk import Chunk, Group
from callsheet.engine.flow_shelf import FlowShelf
from callsheet.engine.making import CALLS, Maker, TextMaker
from callsheet.store.arming import judge_group
from callsheet.store.protocol import Work

log = structlog.get_logger()


@dataclass(slots=True)
class RunState:
    """A run, and where this node stands in it."""

    run: Run
    maker: Maker
    """What is made for each of its contacts: a text, or a call."""
    segments_guess: float
    open_groups: dict[tuple[int, int], Group] = field(default_factory=dict)
    due: dict[Turn, datetime] = field(default_factory=dict)
    look_again_at: datetime | None = None
    chunk: Chunk | None = None
    group: Group | None = None
    """The group of the chunk: its door is judged at every arm."""
    idle_since: datetime | None = None
    """Since when nothing is left of it but receipts that may come."""
    dry: bool = False
    """Nothing was left to take from the open groups when this node last tried."""
    aside_until: datetime | None = None
    """Until when this node leaves it alone, because arming broke: it must not take the turns of the others."""
    had_first: bool = False
    """Contacts of the first turn were armed last: so many others follow, as they are capped at half."""
    had_deferred: bool = False
    """The same for contacts that the gate deferred, among those that follow."""
    closes: dict[tuple[int, int], datetime | None] = field(default_factory=dict)
    """Until when contacts of a group may be reached, as found when some of it were armed last."""
    own_zones: dict[tuple[int, int], str] = field(default_factory=dict)
    """The own zone of a group of which some were armed; empty: its contacts have none."""

    def is_due(self, turn: Turn, now: datetime) -> bool:
        """Tell whether a contact of this turn may come again now."""
        due = self.due.get(turn)
        return due is not None and due <= now

    def has_fresh(self) -> bool:
        """Tell whether there may be contacts that nobody took yet, behind an open door."""
        return self.chunk is not None or (bool(self.open_groups) and not self.dry)

    def has_work(self, now: datetime) -> bool:
        """Tell whether anybody may be contacted now."""
        if self.aside_until is not None and now < self.aside_until:
            return False
        return self.has_fresh() or any(self.is_due(turn, now) for turn in Turn)

    def next_turn(self, now: datetime) -> Turn | None:
        """Choose who comes next: None stands for fresh contacts of the chunk.

        Callbacks, and what was refused or withdrawn, come first, capped at half; so does what the gate deferred among
        the rest. Retries of unconnected contacts come after everyone who may be contacted now.
        """
        fresh, deferred = self.has_fresh(), self.is_due(Turn.fresh, now)
        if self.is_due(Turn.first, now) and not (self.had_first and (fresh or deferred)):
            return Turn.first
        if deferred and not (self.had_deferred and fresh):
            return Turn.fresh
        return None if fresh else Turn.last

    def took(self, turn: Turn | None) -> None:
        """Remember whose turn it was."""
        self.had_first = turn is Turn.first
        if not self.had_first:
            self.had_deferred = turn is Turn.fresh

    def learn(self, groups: Iterable[Group], now: datetime) -> None:
        """Find out until when contacts of these groups may be reached, and by which clocks they live."""
        for group in groups:
            self.own_zones[group.list_no, group.group_no] = group.own_zone or ""
            self.closes[group.list_no, group.group_no] = closes_at(self.run, group, now)

    def see(self, work: Work, now: datetime) -> None:
        """Take in what is left to do, and judge every door."""
        self.due = dict(work.due)
        self.open_groups = {}
        opens: list[datetime] = []
        for group in work.groups:
            # A group that no hour fits is taken too: the gate suppresses it, so that the run can end.
            match judge_group(self.run, group, now):
                case Wait(until=until):
                    opens.append(until)
                case _:
                    self.open_groups[group.list_no, group.group_no] = group
        self.look_again_at = min(opens, default=None)
        self.dry = False


class Agenda:
    """The runs that this node works on."""

    def __init__(self, flows: FlowShelf) -> None:
        self._flows = flows
        self.states: dict[int, RunState] = {}
        self.changed = asyncio.Event()
        self.on_change: Callable[[], None] = lambda: None
        self.on_begun: Callable[[Run], None] = lambda _: None
        """Called with each run that is new here."""
        self._left_out: set[str] = set()

    async def update(self, runs: list[Run]) -> list[int]:
        """Replace the runs by those that are active now, and return those that are not any more."""
        makers = await self._makers(runs)
        active = {run.no: run for run in runs}
        dropped = [no for no in self.states if no not in active]
        for run_no in dropped:
            del self.states[run_no]
        for run_no, run in active.items():
            state = self.states.get(run_no)
            if state is not None:
                state.run = run
                continue
            if run_no in makers:
                self.states[run_no] = RunState(run, makers[run_no], makers[run_no].guess(run))
                self.on_begun(run)
        return dropped

    async def _makers(self, runs: Iterable[Run]) -> dict[int, Maker]:
        """Return what makes the texts, or the calls, of the runs that are new here."""
        makers: dict[int, Maker] = {}
        for run in [run for run in runs if run.no not in self.states]:
            try:
                makers[run.no] = await self._maker(run)
            except (BadTemplate, BadExpression, FlowNotFound):
                # It was compiled before it was started: a later release reads it otherwise. The others go on.
                self.leave_out(run.id)
        return makers

    async def _maker(self, run: Run) -> Maker:
        if run.channel is Channel.voice:
            return CALLS
        pinned = PinnedFlow(run.flow_no, run.flow_version)
        return TextMaker(await self._flows.message(run.app, run.text, pinned, run.definition.hours.timezone))

    def leave_out(self, run_id: str) -> None:
        """Say, once, that a run cannot be read: it waits, and the others go on."""
        if run_id not in self._left_out:
            self._left_out.add(run_id)
            log.error("run.unreadable", run=run_id, exc_info=sys.exception())

    def of_way(self, way: Way) -> Mapping[int, RunState]:
        """Return the runs that go out over a sender and a channel."""
        return {no: state for no, state in self.states.items() if state.run.way == way}

    def settings_of(self, app: int) -> AppSettings | None:
        """Return the settings of an app, as its runs know them; None: it has none that goes on here."""
        return next((state.run.settings for state in self.states.values() if state.run.app == app), None)

    def ways(self) -> set[Way]:
        """Return the senders, with their channels, that have runs."""
        return {state.run.way for state in self.states.values()}

    def wake(self) -> None:
        """Say that something changed."""
        self.changed.set()
        self.on_change()

    def forget(self, run_no: int) -> None:
        """Drop a run that has ended."""
        self.states.pop(run_no, None)
