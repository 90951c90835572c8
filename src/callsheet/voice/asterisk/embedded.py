"""The engine with an Asterisk of its own beside it: what one command on one machine uses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Final

import structlog

from callsheet.clock import Clock
from callsheet.core.asking import Leave
from callsheet.core.attempt import Kind
from callsheet.core.calling import Dial
from callsheet.core.condition import Condition, State
from callsheet.core.sip import SipTrunk
from callsheet.voice.asterisk.engine import AsteriskEngine
from callsheet.voice.asterisk.local import Local, Watch
from callsheet.voice.asterisk.registrations import Registrations
from callsheet.voice.asterisk.remote.door import Door, DoorPlace
from callsheet.voice.asterisk.renewal import Renewal
from callsheet.voice.asterisk.standing import NodeState, Standing
from callsheet.voice.asterisk.supervisor import NAME, Supervisor
from callsheet.voice.base import Call, Found, Hear, NotDialed
from callsheet.voice.nodes import VoiceNode

log = structlog.get_logger()

_AGAIN_SECONDS: Final = 1.0
_MOST_MISSES: Final = 15
"""So often we try to listen where a node that runs looks for us; then we listen elsewhere, and start it anew."""
_AS_USUAL: Final = Watch()
_ON_THE_WAY: Final = frozenset({NodeState.fetching, NodeState.starting})


class EmbeddedAsterisk:
    """An engine, and the supervisor of its node: a voice engine by itself.

    It sleeps until there is a trunk, or a node that an earlier process left: before, nothing listens and no file is
    made.
    """

    def __init__(
        self,
        local: Local,
        clock: Clock,
        watch: Watch = _AS_USUAL,
        *,
        door: DoorPlace | None = None,
        has_own: bool = True,
    ) -> None:
        """Keep what the node is to be, and where others come in. Not `has_own`: there are only others."""
        self._door_place = door
        self._door: Door | None = None
        self._has_own = has_own
        self.on_found: Callable[[Found], Hear | None] = lambda _: None
        self.on_free: Callable[[], None] = lambda: None
        self._most_calls = local.most_calls
        self.supervisor = Supervisor(local, clock, lambda: self.engine, watch)
        self._renewal = Renewal(self.supervisor, lambda: self.engine, clock)
        self._registrations = Registrations(clock, self.supervisor.ask, self._tell_registrations)
        self.supervisor.on_complaints = self._registrations.hear
        self._clock = clock
        self._trunks: dict[str, SipTrunk] = {}
        self._is_told = False
        """Whether anybody has said which trunks there are: before, no node is told that there are none."""
        self._engine: AsteriskEngine | None = None
        self._waking: asyncio.Task[None] | None = None
        self._has_tried = asyncio.Event()
        self._is_open = False
        self._misses = 0
        """So often the port was taken."""

    @property
    def engine(self) -> AsteriskEngine:
        """The engine; there is one when it is awake."""
        assert self._engine is not None, "it sleeps: there is no trunk"
        return self._engine

    @property
    def standing(self) -> Standing:
        """Say how the node stands."""
        return self.supervisor.standing

    def use(self, trunks: Sequence[SipTrunk]) -> None:
        """Take these trunks instead of those before; calls that go on are not touched."""
        self._trunks = {trunk.id: trunk for trunk in trunks}
        self._tell()

    def put(self, trunk: SipTrunk) -> None:
        """Take a trunk, instead of the one of its id, if there was one."""
        self._trunks[trunk.id] = trunk
        self._tell()

    def drop(self, trunk_id: str) -> None:
        """Place no more calls through a trunk."""
        if self._trunks.pop(trunk_id, None) is not None:
            self._tell()

    # Nodes, for those who look after them.

    def nodes(self) -> Sequence[VoiceNode]:
        """Return the nodes, by name."""
        found = [self._show_own()] if self._has_own else []
        return sorted([*found, *(self._door.nodes() if self._door else ())])

    def _show_own(self) -> VoiceNode:
        node = None if self._engine is None else self._engine.node(NAME)
        state, why, version, _ = self.standing
        return VoiceNode(
            NAME, state, why, version,
            is_remote=False,
            is_connected=node is not None and node.is_connected,
            is_draining=self.supervisor.is_draining() or self._renewal.is_on,
            calls=0 if node is None else len(node.channels),
            most_calls=self._most_calls,
            trunks=None,
        )  # fmt: skip

    def drain(self, name: str) -> bool:
        """Give a node no more calls; False: there is no such node."""
        return self._set_draining(name, is_draining=True)

    def resume(self, name: str) -> bool:
        """Give a node calls again; False: there is no such node."""
        return self._set_draining(name, is_draining=False)

    def restart(self, name: str, seconds: float) -> bool:
        """Start the node beside us anew, once it is empty or after so long; False: it is not that one."""
        is_ours = name == NAME and self._has_own
        if is_ours:
            self._renewal.begin(seconds)
        return is_ours

    def _set_draining(self, name: str, *, is_draining: bool) -> bool:
        if name != NAME or not self._has_own:
            return self._door is not None and self._door.drain(name, is_draining=is_draining)
        self.supervisor.keep_draining(is_draining=is_draining)
        if not is_draining:
            self._renewal.give_up()
        if self._engine is not None and not self._renewal.is_ending:
            (self._engine.drain if is_draining else self._engine.resume)(name)
        return True

    def _tell(self) -> None:
        self._is_told = True
        trunks = tuple(self._trunks.values())
        self.supervisor.use(trunks)
        self._registrations.use(trunks)
        if self._door is not None:
            self._door.use(trunks)
        if self._engine is not None:
            self._engine.use(trunks)
        elif self._is_open and trunks and self._waking is None:
            self._waking = asyncio.get_running_loop().create_task(self._wake())

    # A voice engine.

    def room(self, trunk_id: str) -> int:
        """Return how many more calls the nodes bear for a trunk now."""
        return 0 if self._engine is None else self._engine.room(trunk_id)

    def bears(self, trunk_ids: Collection[str]) -> int:
        """Return how many calls the nodes bear at once through any of these trunks."""
        return 0 if self._engine is None else self._engine.bears(trunk_ids)

    def condition(self, trunk_id: str) -> Condition:
        """Return how a trunk stands: while no node is there, what is being done about it."""
        standing = self.standing
        condition = Condition(State.connecting) if self._engine is None else self._engine.condition(trunk_id)
        if not self._is_open:
            return Condition(State.closed)
        if condition.state is not State.connecting:
            return condition
        if standing.state is NodeState.broken:
            return Condition(State.broken, standing.why)
        if standing.state in _ON_THE_WAY:
            return Condition(State.connecting, standing.why or "Asterisk starts")
        return condition

    async def dial(self, trunk_id: str, dial: Dial, leave: Leave, hear: Hear, beside: Call | None = None) -> Call:
        """Place a call. Raises NotDialed."""
        if self._engine is None:
            raise NotDialed(Kind.refused, "no_node", "No voice node takes a call.")
        return await self._engine.dial(trunk_id, dial, leave, hear, beside)

    def living(self) -> Sequence[str]:
        """Return the ids of the calls that live."""
        return () if self._engine is None else self._engine.living()

    async def open(self) -> None:
        """Begin: calls are taken when there is a trunk and its node is there. What fails is tried again."""
        self._is_open = True
        if self._trunks or self._door_place or self.supervisor.lives():
            self._waking = asyncio.get_running_loop().create_task(self._wake())
            await self._has_tried.wait()
        else:
            self.supervisor.forget_trunks()

    async def close(self) -> None:
        """End: calls that live are hung up, and told; then the node is stopped, whatever broke before."""
        self._is_open = False
        if self._waking is not None:
            self._waking.cancel()
            await asyncio.wait([self._waking])
        await self._registrations.close()
        await self._renewal.close()
        try:
            if self._door is not None:
                await self._door.stop_listening()
            if self._engine is not None:
                await self._engine.close()
        finally:
            await self._close_rest()

    async def _close_rest(self) -> None:
        """Let no node that an earlier process left outlive us either, whatever there is of ours."""
        try:
            if self._door is not None:
                await self._door.close()
        finally:
            if self._has_own or self.supervisor.lives():
                await self.supervisor.close()

    async def _wake(self) -> None:
        """Listen for nodes, and look after ours; where that fails, again and again."""
        while self._engine is None:
            try:
                self._engine = await self._listen()
            except OSError as error:
                self.supervisor.complain(error)
            finally:
                self._has_tried.set()
            if self._engine is None:
                await self._clock.sleep(_AGAIN_SECONDS)
        # Trunks may have come meanwhile.
        self._engine.use(tuple(self._trunks.values()))
        if self._has_own:
            await self.supervisor.open()
            self._registrations.open()
        if self._door_place is not None:
            await self._open_door(self._door_place, self._engine)

    async def _open_door(self, place: DoorPlace, engine: AsteriskEngine) -> None:
        """Let nodes of other hosts in; where that fails, again and again."""
        door = Door(place, engine, self._clock)
        while self._door is None:
            try:
                await door.open()
            except OSError as error:
                log.error("asterisk.door_closed", why=error.strerror, port=place.port)  # noqa: TRY400 - it says all
                await self._clock.sleep(_AGAIN_SECONDS)
            else:
                self._door = door
        if self._is_told:
            door.use(tuple(self._trunks.values()))
        log.info("asterisk.door_open", port=door.port)

    async def _listen(self) -> AsteriskEngine | None:
        """Return an engine that listens; None: its port is taken, and another is chosen. Raises OSError."""
        engine = AsteriskEngine(self._clock, port=self.supervisor.keep.events_port)
        if self._has_own:
            engine.let_in(self.supervisor.place())
        if self.supervisor.is_draining():
            engine.drain(NAME)
        engine.on_found = self._find
        engine.on_free = self._tell_free
        engine.use(tuple(self._trunks.values()))
        try:
            await engine.open()
        except OSError as error:
            log.warning("asterisk.cannot_listen", why=error.strerror)
            self._misses += 1
            # A node that runs knows this port only, and who has it may be our own process of before, which is still
            # ending: a node that cannot dial in would be ended, and its calls with it.
            if self._misses >= _MOST_MISSES or not self.supervisor.lives():
                self.supervisor.listen_elsewhere()
            return None
        return engine

    def _find(self, found: Found) -> Hear | None:
        return self.on_found(found)

    def _tell_registrations(self) -> None:
        node = None if self._engine is None else self._engine.node(NAME)
        if node is not None and self._engine is not None:
            self._engine.let_in(replace(node.place, registrations=self._registrations.stands))

    def _tell_free(self) -> None:
        self.on_free()
