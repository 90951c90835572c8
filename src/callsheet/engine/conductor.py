"""Conduct: start the loops of this node, watch them, and stop them so that nothing is left in the air."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import structlog

from callsheet.carriers.known import carries_text
from callsheet.core.campaign import Channel, Status
from callsheet.core.errors import Unavailable
from callsheet.core.ids import Prefix
from callsheet.core.run import Run, Way
from callsheet.engine.agenda import Agenda
from callsheet.engine.calling.call_records import CallRecords
from callsheet.engine.calling.leader import GRACE_SECONDS, Talks
from callsheet.engine.calling.phone import make_phone
from callsheet.engine.calling.playing import Player
from callsheet.engine.calling.silence import SILENCE
from callsheet.engine.calling.slots import Slots
from callsheet.engine.calling.switchboard import Switchboard
from callsheet.engine.calling.transferring import Connector
from callsheet.engine.dispatcher import Dispatcher
from callsheet.engine.eraser import Eraser
from callsheet.engine.flow_shelf import FlowShelf
from callsheet.engine.forbidding import recall
from callsheet.engine.hearing import Hearing
from callsheet.engine.holds import Holds, Scope
from callsheet.engine.inbound import Listener
from callsheet.engine.line import Line, TextLine
from callsheet.engine.lines import NOT_HERE, Lines, Standing
from callsheet.engine.notifier import Notifier
from callsheet.engine.pace import LONGEST_SLICE_SECONDS, SLICE_SECONDS, Pace
from callsheet.engine.preflight import Preflighter
from callsheet.engine.preflight_calls import CallScout
from callsheet.engine.preparer import Preparer
from callsheet.engine.reaper import Reaper
from callsheet.engine.recaller import Recaller
from callsheet.engine.recorder import Recorder
from callsheet.engine.replier import Replier
from callsheet.engine.rooms import RoomKeeper
from callsheet.engine.scheduler import Scheduler
from callsheet.engine.starter import Starter
from callsheet.engine.surroundings import Surroundings
from callsheet.engine.sweeper import Sweeper
from callsheet.engine.talker import Talker
from callsheet.engine.turnstile import Turnstile
from callsheet.store.apps import Trunk
from callsheet.store.protocol import Recorded

log = structlog.get_logger()

RESTART_SECONDS = 1.0
"""How long to wait before a loop that broke is started again."""


class Conductor:
    """The engine of one node."""

    recorder: Recorder
    call_records: CallRecords
    lines: Lines[TextLine]
    voice_lines: Lines[Line]
    switchboard: Switchboard
    replier: Replier
    _slots: Slots
    _scheduler: Scheduler
    _reaper: Reaper
    _sweeper: Sweeper
    _recaller: Recaller

    def __init__(self, given: Surroundings) -> None:
        self._given = given
        self._store = given.store
        self.flows = FlowShelf(given.store.flows, given.clock)
        self.agenda = Agenda(self.flows)
        self.holds = Holds()
        self.node_no = 0
        self.notifier = Notifier(given.store.outbox, tick_seconds=given.tuning.tick_seconds)
        self.eraser = Eraser(given.store.erasing, given.clock, tick_seconds=given.tuning.tick_seconds)
        self.preparer = Preparer(given.store.campaigns, given.clock, tick_seconds=given.tuning.tick_seconds)
        scout = CallScout(given.store, self.flows, given.prompts, self._stands_for_calls, self._bears)
        self.preflighter = Preflighter(
            given.store, given.clock, self.flows, scout, tick_seconds=given.tuning.tick_seconds
        )
        self.starter = Starter(given.store, tick_seconds=given.tuning.tick_seconds)
        self.listener = Listener(
            given.store, given.clock, self.forbid, self.holds.bar, tick_seconds=given.tuning.tick_seconds
        )
        self.talker = Talker(
            given.store, given.clock, given.failpoints, self.flows,
            sole_owner=given.sole_owner, tick_seconds=given.tuning.tick_seconds,
        )  # fmt: skip
        self.listener.on_replies = self.talker.wake
        self.talker.on_said = self.answer
        self._dispatchers: dict[Way, Dispatcher] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._dispatching: list[asyncio.Task[None]] = []
        self._replying: list[asyncio.Task[None]] = []
        """What hands answers of ours over: both end before the lines close."""
        self._arm_nos = itertools.count(1)
        self._turnstile = Turnstile()
        self._stopping = self._leaving = False
        self._connector: Connector | None = None

    async def start(self) -> None:
        """Register this node, settle what an earlier one left, open the lines, and start the loops."""
        given, tuning = self._given, self._given.tuning
        for app_id in await self._store.apps.open_all():
            log.error("app.unreadable", app=app_id)
        self.node_no = await self._store.hot.enter("callsheet")
        await self.agenda.update(await self._store.runs.active(self.agenda.leave_out))
        self.recorder = Recorder(
            self._store.hot, self.holds, given.clock, given.rng, given.failpoints, node_no=self.node_no
        )  # fmt: skip
        self.recorder.on_recorded = self._on_recorded
        self._recaller = Recaller(self._store, self.holds)
        self._sweeper = Sweeper(self._store, self.recorder, tick_seconds=tuning.tick_seconds)
        self.holds.on_handed = self.recorder.nudge
        self._scheduler = Scheduler(
            self._store, self.agenda, self.holds, given.clock, node_no=self.node_no, tick_seconds=tuning.tick_seconds
        )
        self._scheduler.on_agenda = self._on_agenda
        self._reaper = Reaper(
            self._store.hot,
            self.agenda,
            self.holds,
            given.rng,
            node_no=self.node_no,
            lease_seconds=tuning.lease_seconds,
        )
        if given.sole_owner:
            await self._store.hot.release(None)
            await self._reaper.reap(all_arms=True)
        self._watch("recorder", self.recorder.run)
        await self._open_lines()
        self._watch_all()
        log.info("engine.started", node=self.node_no, runs=len(self.agenda.states))

    def _watch_all(self) -> None:
        """Start the loops that need the lines."""
        self._watch("reaper", self._reaper.run)
        self._watch("notifier", self.notifier.run)
        self._watch("preparer", self.preparer.run)
        self._watch("preflighter", self.preflighter.run)
        self._watch("scheduler", self._scheduler.run)
        self._watch("eraser", self.eraser.run)
        self._watch("starter", self.starter.run)
        self._watch("sweeper", self._sweeper.run)
        self._watch("listener", self.listener.run)
        self.talker.node_no = self.node_no
        self._watch("talker", self.talker.run)
        if not self._given.sole_owner:
            self._watch("recaller", self._recaller.run)
            self._watch("ring watch", self.switchboard.ring_watch.run)
            self._watch("slots", self._slots.run)

    async def _open_lines(self) -> None:
        given = self._given
        self.call_records = CallRecords(
            self._store, self.recorder, given.clock, node_no=self.node_no, sole_owner=given.sole_owner
        )
        self.call_records.on_over = self._on_over
        self._watch("call records", self.call_records.run)
        self._slots = Slots(
            self._store, given.clock, node_no=self.node_no, lease_seconds=given.tuning.lease_seconds,
            sole_owner=given.sole_owner,
        )  # fmt: skip
        self.switchboard = Switchboard(
            given.engines, self._store, self.agenda, self.recorder, given.clock, given.rng, self._talks(),
            self.call_records, self._slots,
        )  # fmt: skip
        self.switchboard.on_free = self._wake_dispatchers
        if self._connector is not None:
            self.switchboard.ring_watch.beside = self._connector.ringing
        await self.switchboard.open()
        self._watch("call tapes", self.switchboard.tapes.run)
        self._watch("hang ups", self.switchboard.hang_ups.run)
        self.lines = Lines(
            self._store, given.clock, self.recorder, lambda trunk: given.make_line(trunk, self.recorder),
            carries=carries_text, tick_seconds=given.tuning.tick_seconds,
        )  # fmt: skip
        self.voice_lines = Lines(
            self._store, given.clock, self.recorder, self.switchboard.make_line,
            carries=given.engines.__contains__, tick_seconds=given.tuning.tick_seconds,
        )  # fmt: skip
        for lines in (self.lines, self.voice_lines):
            lines.on_free = self._wake_dispatchers
            await lines.look()
            lines.on_change = self._on_agenda
            self._watch("lines", lines.run)
        self.replier = Replier(
            self._store, given.clock, self.lines.open_ones, self._pace, given.failpoints, self.holds,
            tick_seconds=given.tuning.tick_seconds, most=given.tuning.most_answers, sole_owner=given.sole_owner,
        )  # fmt: skip
        self.listener.on_answers = self.answer
        self._watch("replier", self.replier.run, self._replying)

    def _talks(self) -> Talks:
        """Return what leads conversations in calls; where nothing speaks, nobody does."""
        given = self._given
        if given.prompts is None:
            return SILENCE
        phone = make_phone(
            self._store, given.clock, self.flows, given.failpoints, given.prompts, node_no=self.node_no
        )  # fmt: skip
        self.talker.in_call = phone.give
        phone.on_errands = self.talker.ask
        player, lines = Player(given.prompts, given.clock), lambda: self.voice_lines.open_ones()  # noqa: PLW0108
        self._connector = phone.connector = Connector(self._store, given.clock, lines, player)
        return phone

    def is_running(self) -> bool:
        """Tell whether the loops of this node run: they were started, and nobody stopped them."""
        return bool(self._tasks) and not self._stopping

    def standing(self, trunk_no: int, channel: Channel | None = None) -> Standing:
        """Return how the line of a trunk stands on this node: that for a channel, else the one that it has."""
        if not self._tasks:
            return NOT_HERE
        is_for_calls = channel is Channel.voice or (channel is None and not self.lines.has(trunk_no))
        return self.voice_lines.standing(trunk_no) if is_for_calls else self.lines.standing(trunk_no)

    def _stands_for_calls(self, trunk: Trunk) -> Standing:
        return self.standing(trunk.no, Channel.voice)

    def _bears(self, trunks: Sequence[Trunk]) -> int:
        """Return how many calls go on at once through trunks, at most; 0: who shares a database cannot say that."""
        return self.switchboard.bears(trunks) if self._tasks and self._given.sole_owner else 0

    def trouble_of(self, run: Run) -> str:
        """Say why the trunk of an active run takes nothing; empty: it does, or the run does not go on."""
        if run.status is not Status.active:
            return ""
        return self.standing(run.sender.trunk_no, run.channel).trouble

    def look_at_trunks(self) -> None:
        """Open, open anew and close lines now: a trunk was changed here."""
        if self._tasks:
            self.lines.wake()
            self.voice_lines.wake()

    def look_at_calls(self) -> None:
        """Look now what somebody asks of calls that go on here."""
        if self.is_running():
            self.switchboard.look()

    def try_trunk(self, trunk_no: int) -> None:
        """Try a trunk again at once, whatever its breaker says."""
        if self._tasks:
            for lines in (self.lines, self.voice_lines):
                lines.try_now(trunk_no)

    def hearing(self, trunk: Trunk) -> Hearing:
        """Return an ear of a trunk: its line may be open elsewhere. The engine must have been started."""
        return Hearing(self._store, trunk, self.recorder, self._given.clock, self.listener)

    def _watch(
        self, name: str, loop: Callable[[], Awaitable[None]], tasks: list[asyncio.Task[None]] | None = None
    ) -> None:
        """Run a loop, and again when it breaks: one bad contact must not end the night's work."""

        async def watched() -> None:
            while True:
                try:
                    await loop()
                except Exception:
                    log.exception("loop.broke", loop=name)
                    await self._given.clock.sleep(RESTART_SECONDS)
                else:
                    return

        tasks = self._tasks if tasks is None else tasks
        tasks[:] = [task for task in tasks if not task.done()]
        tasks.append(asyncio.get_running_loop().create_task(watched(), name=name))

    def _on_agenda(self) -> None:
        if self._stopping or self._leaving:
            return
        for way in self._dispatchers.keys() - self.agenda.ways():
            self._dispatchers.pop(way).stop()
        for way in self.agenda.ways() - self._dispatchers.keys():
            self._dispatch(way)
        for dispatcher in self._dispatchers.values():
            dispatcher.wake()

    def _dispatch(self, way: Way) -> None:
        given = self._given
        lines = self.voice_lines if way.channel is Channel.voice else self.lines
        dispatcher = Dispatcher(
            way,
            agenda=self.agenda,
            hot=self._store.hot,
            rooms=RoomKeeper(self._store.hot, self._store.vault, lines, self._pace),
            make_pace=self._pace,
            recorder=self.recorder,
            holds=self.holds,
            clock=given.clock,
            failpoints=given.failpoints,
            tuning=given.tuning,
            node_no=self.node_no,
            arm_nos=self._arm_nos,
            turnstile=self._turnstile,
        )
        self._dispatchers[way] = dispatcher
        self._watch("dispatcher", dispatcher.run, self._dispatching)

    def _pace(self, app: int, buckets: dict[str, float]) -> Pace:
        # A rate that other nodes, or other senders, use too must not be used late for long.
        is_own = self._given.sole_owner and len(buckets) == 1 and next(iter(buckets)).startswith(Prefix.sender)
        longest_slice_seconds = LONGEST_SLICE_SECONDS if is_own else SLICE_SECONDS
        return Pace(self._store.hot, self._given.clock, app, buckets, longest_slice_seconds=longest_slice_seconds)

    def _on_recorded(self, recorded: Recorded) -> None:
        if recorded.parked:
            self._sweeper.wake()
        if recorded.again_at is not None or not len(self.holds):
            self.agenda.wake()
        self._wake_dispatchers()

    def _on_over(self) -> None:
        if not len(self.holds):
            self.agenda.wake()

    def _wake_dispatchers(self) -> None:
        for dispatcher in self._dispatchers.values():
            dispatcher.wake()

    def wake(self) -> None:
        """Look for work now: something was started, resumed or added."""
        self.agenda.wake()
        self.notifier.wake()

    def answer(self) -> None:
        """Look for answers of ours that are due."""
        if self._tasks and not self._stopping:
            self.replier.wake()

    async def forbid(self, scope: Scope) -> None:
        """Return when nothing that `scope` covers can leave any more; call it after the commit that forbids."""
        self.holds.bar(scope)
        if self._connector is not None:
            self._connector.bar(scope)
        if self.is_running():
            await self.switchboard.ring_watch.look(scope)
        if not self._given.sole_owner:
            await recall(
                scope, self._store, self.holds, self._given.clock,
                node_no=self.node_no, lease_seconds=self._given.tuning.lease_seconds,
            )  # fmt: skip
        self.wake()

    async def leave(self) -> None:
        """Contact nobody more, take back what rings, and return when no call goes on; all else works on meanwhile.

        Whoever waits no longer cancels it, and stops.
        """
        self._leaving = True
        await self._contact_nobody()
        with suppress(Unavailable):  # other nodes go on with these
            await self._store.hot.release(self.node_no)
        await self.switchboard.leave()

    async def _contact_nobody(self) -> None:
        self.starter.stop()
        self.recorder.hurry()
        for dispatcher in self._dispatchers.values():
            dispatcher.stop()
        await _ended(self._dispatching)

    async def stop(self) -> None:
        """Arm nobody more, wait for what was handed, record it, and give the chunks back."""
        self._stopping = True
        self.replier.stop()
        await self._contact_nobody()
        await _ended(self._replying)
        await self.switchboard.drain(0 if self._leaving else GRACE_SECONDS)
        await asyncio.gather(self.lines.close(), self.voice_lines.close())
        await self.switchboard.close()
        board = self.switchboard
        for loop in (
            self._scheduler, self._reaper, self.listener, self.talker, self.notifier, self.eraser, self.preparer,
            self.preflighter, self._sweeper, self._recaller, board.ring_watch, board.tapes, board.hang_ups,
            self._slots, self.call_records, self.recorder,
        ):  # fmt: skip
            loop.stop()
        await _ended(self._tasks)
        with suppress(Unavailable):  # else the leases run out
            await self._store.hot.release(self.node_no)
        log.info("engine.stopped", node=self.node_no)


async def _ended(tasks: list[asyncio.Task[None]]) -> None:
    if tasks:
        await asyncio.wait(tasks)
