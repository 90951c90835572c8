"""The engine with an Asterisk of its own beside it: what one command on one machine uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from callsheet.clock import Clock
from callsheet.core.asking import Leave
from callsheet.core.calling import Dial
from callsheet.core.condition import Condition, State
from callsheet.core.sip import SipTrunk
from callsheet.voice.asterisk.engine import AsteriskEngine
from callsheet.voice.asterisk.supervisor import Local, NodeState, Standing, Supervisor, Watch
from callsheet.voice.base import Call, Found, Hear

_AS_USUAL: Final = Watch()
_ON_THE_WAY: Final = frozenset({NodeState.fetching, NodeState.starting})


class EmbeddedAsterisk:
    """An engine, and the supervisor of its node: a voice engine by itself."""

    def __init__(self, local: Local, clock: Clock, watch: Watch = _AS_USUAL) -> None:
        """Keep what the node is to be; it is fetched and started when there is a trunk."""
        self.supervisor = Supervisor(local, clock, lambda: self.engine, watch)
        self._trunks: dict[str, SipTrunk] = {}
        self.engine = AsteriskEngine(clock, port=self.supervisor.keep.events_port)
        self.engine.let_in(self.supervisor.place())

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

    def _tell(self) -> None:
        trunks = tuple(self._trunks.values())
        self.engine.use(trunks)
        self.supervisor.use(trunks)

    # A voice engine.

    @property
    def on_found(self) -> Callable[[Found], Hear | None]:
        """Who is asked for a call of an earlier process."""
        return self.engine.on_found

    @on_found.setter
    def on_found(self, ask: Callable[[Found], Hear | None]) -> None:
        self.engine.on_found = ask

    @property
    def on_free(self) -> Callable[[], None]:
        """Who is called when there may be room again."""
        return self.engine.on_free

    @on_free.setter
    def on_free(self, tell: Callable[[], None]) -> None:
        self.engine.on_free = tell

    def room(self, trunk_id: str) -> int:
        """Return how many more calls the nodes bear for a trunk now."""
        return self.engine.room(trunk_id)

    def condition(self, trunk_id: str) -> Condition:
        """Return how a trunk stands: while no node is there, what is being done about it."""
        condition, standing = self.engine.condition(trunk_id), self.standing
        if condition.state is not State.connecting:
            return condition
        if standing.state is NodeState.broken:
            return Condition(State.broken, standing.why)
        if standing.state in _ON_THE_WAY:
            return Condition(State.connecting, standing.why or "Asterisk starts")
        return condition

    async def dial(self, trunk_id: str, dial: Dial, leave: Leave, hear: Hear) -> Call:
        """Place a call. Raises NotDialed."""
        return await self.engine.dial(trunk_id, dial, leave, hear)

    def living(self) -> Sequence[str]:
        """Return the ids of the calls that live."""
        return self.engine.living()

    async def open(self) -> None:
        """Begin: an engine takes calls when its node is there. Raises OSError: its port is taken."""
        await self.engine.open()
        await self.supervisor.open()

    async def close(self) -> None:
        """End: calls that live are hung up, and told; then the node is stopped."""
        await self.engine.close()
        await self.supervisor.close()
