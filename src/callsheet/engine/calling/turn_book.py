"""The turns of calls, written down: one at a time of each call, and again until the store has taken it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import structlog

from callsheet.clock import Clock
from callsheet.core.errors import Unavailable
from callsheet.core.flow.given import Closed
from callsheet.core.flow.session import Awaits, Ending
from callsheet.core.flow.step import HUNG_UP
from callsheet.engine.calling.talking import Talking
from callsheet.engine.failpoints import Failpoints
from callsheet.engine.flow_shelf import FlowShelf
from callsheet.engine.turning import Asked, Turner, broken, measure
from callsheet.store.flow_sessions import Known
from callsheet.store.flow_turns import Turn
from callsheet.store.store import Store

log = structlog.get_logger()

RETRY_SECONDS: Final = 1.0
MOST_AWAY_SECONDS: Final = 20.0
"""Nobody holds the line for longer while the store is away."""
_MOST_TRIES: Final = 20
"""So often a turn is made anew because others changed the conversation meanwhile."""


class TurnBook:
    """Makes and writes the turns of calls."""

    def __init__(self, store: Store, clock: Clock, shelf: FlowShelf, failpoints: Failpoints, *, node_no: int) -> None:
        self._store = store
        self._clock = clock
        self._failpoints = failpoints
        self._turner = Turner(store, shelf)
        self._node_no = node_no

    async def make(self, talking: Talking, asked: Asked) -> Turn | None:
        """Make a turn and write it down; None: the conversation has ended, or did not wait for what is given.

        While the store is away the caller holds the line for a while; then the call is given up, and None returned.
        """
        until = self._clock.monotonic() + MOST_AWAY_SECONDS
        while self._clock.monotonic() < until:
            try:
                return await self._make(talking, asked)
            except Unavailable:
                await self.rest()
        return None

    async def end(self, talking: Talking, ending: Ending, why: str) -> None:
        """End the conversation of a call that is over. What cannot be written now is closed with its call's record."""
        until = self._clock.monotonic() + MOST_AWAY_SECONDS
        while self._clock.monotonic() < until:
            try:
                await self._end(talking.app, talking.talk_no, ending, why)
            except Unavailable:
                await self.rest()
            else:
                return

    async def close(self, app: int, talk_no: int, given: Closed) -> bool:
        """Go on with a conversation whose call is over, as somebody closed it: nobody hears what it says, and it ends.

        Raises Unavailable.
        """
        for _ in range(_MOST_TRIES):
            known, now = await self._read(app, talk_no)
            for talk in known.talks:
                turn = await self._turner.turn(Asked(talk, given), known, now)
                if turn is None:
                    return False
                if turn.ending is None:
                    turn = Turn(talk, turn.session, turn.effects, turn.visits, ending=Ending.hung_up, why=HUNG_UP)
                if await self._write(turn) is not None:
                    return True
            if not known.talks:
                return False
        return False

    async def move_errand(self, talking: Talking) -> None:
        """Ask here what was asked where the call was led before."""
        try:
            now = await self._store.hot.now()
            await self._store.errands.move(talking.app, talking.talk_no, self._node_no, now)
        except Unavailable:
            log.warning("call.store_away")

    async def waits_for(self, talking: Talking, errand_id: str) -> bool:
        """Tell whether a conversation still waits for the answer to an errand; while the store is away it does."""
        try:
            return not errand_id or await self._store.errands.waits(talking.app, talking.talk_no, errand_id)
        except Unavailable:
            return True

    async def rest(self) -> None:
        """Wait for a store that is away."""
        log.warning("call.store_away")
        await self._clock.sleep(RETRY_SECONDS)

    async def _make(self, talking: Talking, asked: Asked) -> Turn | None:
        for _ in range(_MOST_TRIES):
            known, now = await self._read(talking.app, talking.talk_no)
            if not known.talks:
                return None
            turn = await self._turner.turn(asked._replace(talk=known.talks[0]), known, now)
            if turn is None or (turn := await self._write(turn)) is not None:
                return turn
        return None

    async def _end(self, app: int, talk_no: int, ending: Ending, why: str) -> None:
        for _ in range(_MOST_TRIES):
            known, _ = await self._read(app, talk_no)
            talk = next(iter(known.talks), None)
            if talk is None or talk.awaits is Awaits.person:
                return
            if await self._write(Turn(talk, talk.session, ending=ending, why=why)) is not None:
                return

    async def _read(self, app: int, talk_no: int) -> tuple[Known, datetime]:
        now = await self._store.hot.now()
        return await self._store.flow_sessions.of_nos(app, [talk_no], now), now

    async def _write(self, turn: Turn) -> Turn | None:
        """Write a turn down, with all that follows from it, and return it; None: somebody changed the conversation.

        One that cannot be stored ends its conversation, and that is returned.
        """
        self._failpoints.reach("before_turn")
        try:
            was_lost = await self._store_turn(turn)
        except Unavailable:
            raise
        except Exception:
            log.exception("conversation.broke", conversations=[turn.talk.id])
            turn = broken(turn)
            was_lost = await self._store_turn(turn)
        self._failpoints.reach("after_turn")
        if was_lost:
            return None
        measure([turn])
        return turn

    async def _store_turn(self, turn: Turn) -> bool:
        now = await self._store.hot.now()
        return bool(await self._store.flow_sessions.write(turn.talk.app, [turn], now, self._node_no))
