"""The supervisor: keeps one Asterisk of ours fetched, configured, running and well, and finds it again after a crash.

Asterisk outlives us. The next start finds it by its socket and goes on with it: calls go on meanwhile.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

import structlog

from callsheet.clock import Clock
from callsheet.core.sip import SipTrunk, Transport
from callsheet.voice.asterisk.apt import NotFetched
from callsheet.voice.asterisk.calls import Calls
from callsheet.voice.asterisk.configuration import Dispatcher, NodePlan, configure
from callsheet.voice.asterisk.control import NoControl, ask
from callsheet.voice.asterisk.fetching import Step, fetch_tree
from callsheet.voice.asterisk.files import LocalFiles
from callsheet.voice.asterisk.keep import Keep, PortTaken, keep_draining, keep_sip_ports, keep_tls_ports, open_keep
from callsheet.voice.asterisk.local import Local, Watch
from callsheet.voice.asterisk.node_folder import NodeFolder, let_pass, unprivileged
from callsheet.voice.asterisk.pjsip import SipSide, tls_name
from callsheet.voice.asterisk.place import NodePlace
from callsheet.voice.asterisk.process import (
    NodeProcess,
    NotStarted,
    await_ready,
    can_reach,
    end_process,
    find_process,
    start_process,
)  # fmt: skip
from callsheet.voice.asterisk.pulse import Fault, Pulse
from callsheet.voice.asterisk.secret_file import Owner
from callsheet.voice.asterisk.sections import NotWritable
from callsheet.voice.asterisk.standing import STEPS, NodeState, Standing
from callsheet.voice.asterisk.tree import Tree

log = structlog.get_logger()

NAME: Final = "local"
"""The name of the node that runs beside us."""
_LOOK_SECONDS: Final = 1.0
_PAUSES_SECONDS: Final = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0)
_WELL_SECONDS: Final = 60.0
"""Who ran so long begins with the shortest pause again."""
_MOST_LINES: Final = 20
_COMPLAINT: Final = re.compile(r"\b(?:WARNING|ERROR)\[")
_LOCAL: Final = "127.0.0.1"
_AS_WANTED: Final = "It was ended to be started anew."
_AS_USUAL: Final = Watch()


class Supervisor:
    """Looks after one node."""

    def __init__(self, local: Local, clock: Clock, calls: Callable[[], Calls], watch: Watch = _AS_USUAL) -> None:
        """Keep what it is to be. `calls` is asked when the node runs."""
        self._local = local
        self._watching = watch
        self._clock = clock
        self._calls = calls
        self.on_complaints: Callable[[Sequence[str]], None] = lambda _: None
        """Called with what the node complained of, line by line."""
        self._folder = NodeFolder(local.folder / "node")
        self._keep_path = local.folder / "keep.json"
        self._tree_path = local.tree or local.folder / "tree"
        self._trunks: tuple[SipTrunk, ...] | None = None  # nobody has said yet
        self._standing = Standing(NodeState.stopped)
        self._changed = asyncio.Event()
        self._given_up = threading.Event()
        self._process: NodeProcess | None = None
        self.pulse: Pulse | None = None
        """That of the node that runs, or ran last."""
        self._tasks: list[asyncio.Task[None]] = []
        self._written: frozenset[str] = frozenset()
        self._owes_reload = False
        self._keep: Keep | None = None
        self.known: frozenset[str] = frozenset()
        """The trunks that the node that runs knows."""
        self._is_stale = False
        """Whether the node that runs is to be started anew."""

    @property
    def standing(self) -> Standing:
        """Say how the node stands."""
        return self._standing

    @property
    def keep(self) -> Keep:
        """What is kept of the node; made when it is asked for, the first time."""
        if self._keep is None:
            self._keep = open_keep(self._keep_path, is_in_use=self.lives())
        return self._keep

    def lives(self) -> bool:
        """Tell whether the node runs, whoever started it."""
        return find_process(self._folder) is not None

    def listen_elsewhere(self) -> None:
        """Take another port for the node to dial in to; one that runs does not know it, and is started anew."""
        self._keep = open_keep(self._keep_path, is_in_use=False)
        self._is_stale = True

    def forget_trunks(self) -> None:
        """Let a node that does not run keep nothing of trunks, where there are none any more."""
        if not self._trunks and not self.lives():
            with suppress(OSError):
                self._folder.forget_trunks()

    def complain(self, error: OSError) -> None:
        """Take notice that the node cannot be looked after for now."""
        self._stand(NodeState.broken, why := _folder_trouble(error))
        log.warning("asterisk.not_running", why=why, again_seconds=_LOOK_SECONDS)

    def place(self) -> NodePlace:
        """Return what the engine has to know of the node."""
        folder = self._folder
        files = LocalFiles(folder.sounds, folder.recordings, folder.records)
        return NodePlace(NAME, self.keep.secret, files, self._local.most_calls)

    def is_draining(self) -> bool:
        """Tell whether the node is to get no calls; nothing is made for that."""
        return self._keep_path.exists() and self.keep.is_draining

    def keep_draining(self, *, is_draining: bool) -> None:
        """Remember whether the node is to get calls. Raises OSError."""
        self._keep = keep_draining(self._keep_path, self.keep, is_draining=is_draining)

    def use(self, trunks: Sequence[SipTrunk]) -> None:
        """Take these trunks instead of those before; a node that runs learns of it, and its calls go on."""
        self._trunks = tuple(trunks)
        self._changed.set()

    async def open(self) -> None:
        """Begin to look after it; nothing is waited for, and nothing is raised."""
        self._tasks = [asyncio.create_task(self._stay()), asyncio.create_task(self._follow())]

    async def leave(self) -> None:
        """Look after it no more, and let it run: the next start finds it."""
        self._given_up.set()
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._tasks = []

    async def close(self) -> None:
        """Stop it. Calls that live then end."""
        self._stand(NodeState.stopping)
        await self.leave()
        # The one that was looked after, and one that was not.
        for left in (self._process, find_process(self._folder)):
            if left is not None and left.is_alive():
                await end_process(left, self._folder, self._clock)
                log.info("asterisk.stopped", pid=left.pid)
        self._process = None
        self._stand(NodeState.stopped)

    async def ask(self, command: str) -> str:
        """Return what its console answers to a command. Raises NoControl."""
        return await ask(self._folder.run, command)

    def start_anew(self) -> None:
        """End the node that runs, in order, and start another. Nothing is waited for; calls that it has end."""
        self._is_stale = True

    # From nothing to a node that runs, again and again.

    async def _stay(self) -> None:
        failures = 0
        why = ""
        # A machine without SIP trunks needs no Asterisk; one that runs already is to be looked after all the same.
        while not self._trunks and not self.lives():
            await self._changed.wait()
            self._changed.clear()
        while True:
            began = self._clock.monotonic()
            try:
                why = await self._run_once()
            except (NotFetched, NotStarted, NotWritable, PortTaken) as error:
                why = str(error)
            except OSError as error:
                why = _folder_trouble(error)
            except Exception:
                log.exception("asterisk.broke")
                why = "Looking after Asterisk met a fault of ours: see the log."
            if why == _AS_WANTED:
                continue
            if self._clock.monotonic() - began > _WELL_SECONDS:
                failures = 0
            pause = _PAUSES_SECONDS[min(failures, len(_PAUSES_SECONDS) - 1)]
            failures += 1
            self._stand(NodeState.broken, why)
            log.warning("asterisk.not_running", why=why, again_seconds=pause)
            await self._clock.sleep(pause)

    async def _run_once(self) -> str:
        """Run it, or go on with one that runs, until it ends or does not answer; return why."""
        tree = await self._fetch()
        owner = self._owner(tree)
        process = find_process(self._folder)
        is_found = process is not None
        self._stand(NodeState.starting, tree=tree)
        if process is None:
            self._keep = keep_sip_ports(
                self._keep_path, self.keep, self._local.address, sip_port=self._local.sip_port,
                rtp_first=self._local.rtp_first,
            )  # fmt: skip
            self._folder.make(tree, owner)
            self._write(tree, owner)
            process = start_process(tree, self._folder, owner)
            self.known = self._written
            self._is_stale = False
        self._process = process
        try:
            await await_ready(process, self._folder, self._clock)
        except NotStarted:
            await end_process(process, self._folder, self._clock)
            raise
        log.info("asterisk.runs", pid=process.pid, is_found=is_found, version=tree.version)
        # One that was found may know other trunks than we do.
        self._changed.set()
        self._stand(NodeState.running, tree=tree, pid=process.pid)
        why = await self._watch(process)
        self._process = None
        self._calls().lose(NAME, why)
        return why

    async def _fetch(self) -> Tree:
        loop = asyncio.get_running_loop()

        def tell(step: Step) -> None:
            loop.call_soon_threadsafe(self._stand, NodeState.fetching, STEPS[step])

        self._given_up.clear()
        return await asyncio.to_thread(fetch_tree, self._tree_path, tell, self._given_up, mirror=self._local.mirror)

    def _owner(self, tree: Tree) -> Owner | None:
        """Return as whom it runs: never as root, unless nobody else can come to where it is."""
        owner = unprivileged()
        if owner is None:
            return None
        self._folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        let_pass((*self._local.pass_through, self._local.folder), owner)
        if can_reach(tree.root, owner) and can_reach(self._local.folder, owner):
            return owner
        log.warning("asterisk.runs_as_root", folder=str(self._local.folder))
        return None

    # While it runs.

    async def _watch(self, process: NodeProcess) -> str:
        """Return why it is to be started anew."""
        looks = 0
        self.pulse = pulse = Pulse(NAME, process, self._watching)
        while True:
            await self._clock.sleep(self._watching.look_seconds)
            self._read_log()
            if not process.is_alive():
                return "Asterisk ended by itself."
            if self._is_stale:
                log.info("asterisk.renewed", pid=process.pid)
                await end_process(process, self._folder, self._clock)
                return _AS_WANTED
            looks += 1
            if looks % self._watching.looks_a_question:
                continue
            self._folder.tidy(self._clock.now())
            fault = await pulse.feel(self._calls())
            if fault is None:
                continue
            if fault is Fault.hangs:
                log.error("asterisk.hangs", pid=process.pid)
            else:
                log.error("asterisk.unheard", pid=process.pid)
            await end_process(process, self._folder, self._clock, hangs=fault is Fault.hangs)
            return fault.value

    def _read_log(self) -> None:
        lines = [line for line in self._folder.take_log() if _COMPLAINT.search(line)]
        self.on_complaints(lines)
        for line in lines[:_MOST_LINES]:
            log.warning("asterisk.said", line=line)
        if len(lines) > _MOST_LINES:
            log.warning("asterisk.said", line=f"and {len(lines) - _MOST_LINES} more lines")

    # Configuration.

    async def _follow(self) -> None:
        """Tell a node that runs of changed trunks."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._standing.state is not NodeState.running:
                # Who starts writes the newest.
                self.forget_trunks()
                continue
            if self._trunks is None:
                continue  # one that was found keeps those that it has
            try:
                await self._reload()
            except (OSError, NoControl, NotFetched) as error:
                log.warning("asterisk.not_reloaded", why=str(error))
            except Exception:
                log.exception("asterisk.broke")
            else:
                continue
            await self._clock.sleep(_LOOK_SECONDS)
            self._changed.set()

    async def _reload(self) -> None:
        tree = await self._fetch_again()
        self._owes_reload |= bool(self._write(tree, self._owner(tree)))
        if self._owes_reload:
            await ask(self._folder.run, "module reload res_pjsip.so")
            await ask(self._folder.run, "module reload res_pjsip_outbound_registration.so")
            self._owes_reload = False
            log.info("asterisk.reloaded", trunks=len(self._written))
        self.known = self._written

    async def _fetch_again(self) -> Tree:
        """Return the tree that is there: the node runs from it."""
        return await asyncio.to_thread(fetch_tree, self._tree_path)

    def _write(self, tree: Tree, owner: Owner | None) -> frozenset[str]:
        """Write the configuration; a trunk that cannot be written is left out, and the others work."""
        good = []
        for trunk in self._trunks or ():
            try:
                configure(self._plan(tree, (trunk,)))
                good.append(trunk)
            except NotWritable as error:
                log.error("asterisk.trunk_left_out", trunk=trunk.id, why=str(error))  # noqa: TRY400 - the sentence says all
        written = self._folder.write(configure(self._plan(tree, tuple(good))), owner)
        self._written = frozenset(trunk.id for trunk in good)
        return written

    def _plan(self, tree: Tree, trunks: tuple[SipTrunk, ...]) -> NodePlan:
        names = [tls_name(trunk) for trunk in trunks if trunk.transport is Transport.tls]
        self._keep = keep_tls_ports(self._keep_path, self.keep, names, self._local.address)
        local, keep = self._local, self.keep
        return NodePlan(
            self._folder.path.absolute(),
            tree,
            local.dispatcher or Dispatcher(f"ws://{_LOCAL}:{keep.events_port}", NAME, keep.secret),
            SipSide(local.address, keep.sip_port, keep.tls_ports, local.external_address),
            keep.rtp_ports,
            trunks,
        )

    def _stand(self, state: NodeState, why: str = "", *, tree: Tree | None = None, pid: int = 0) -> None:
        version = tree.version if tree else self._standing.version
        if state is not self._standing.state:
            log.info("asterisk.stands", state=state)
        self._standing = Standing(state, why, version, pid)


def _folder_trouble(error: OSError) -> str:
    return f"The folder of Asterisk cannot be used: {error.strerror} ({error.filename})."
