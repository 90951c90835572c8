"""The engine with an Asterisk of its own beside it: what one command on one machine uses."""

from __future__ import annotations

from collections.abc import Sequence

from callsheet.clock import Clock
from callsheet.core.sip import SipTrunk
from callsheet.voice.asterisk.engine import AsteriskEngine
from callsheet.voice.asterisk.supervisor import Local, Standing, Supervisor, Watch

_AS_USUAL = Watch()


class EmbeddedAsterisk:
    """An engine, and the supervisor of its node."""

    def __init__(self, local: Local, clock: Clock, watch: Watch = _AS_USUAL) -> None:
        """Keep what the node is to be; it is fetched and started when there is a trunk."""
        self.supervisor = Supervisor(local, clock, lambda: self.engine, watch)
        self.engine = AsteriskEngine(clock, port=self.supervisor.keep.events_port)
        self.engine.let_in(self.supervisor.place())

    @property
    def standing(self) -> Standing:
        """Say how the node stands."""
        return self.supervisor.standing

    def use(self, trunks: Sequence[SipTrunk]) -> None:
        """Take these trunks instead of those before."""
        self.engine.use(trunks)
        self.supervisor.use(trunks)

    async def open(self) -> None:
        """Begin: an engine takes calls when its node is there. Raises OSError: its port is taken."""
        await self.engine.open()
        await self.supervisor.open()

    async def close(self) -> None:
        """End: calls that live are hung up, and told; then the node is stopped."""
        await self.engine.close()
        await self.supervisor.close()
