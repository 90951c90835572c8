"""The turns of calls, written down: one at a time of each call, and again until the store has taken it.

The turns of calls that go on at once are read and written together.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple

import structlog

from callsheet.clock import Clock
from callsheet.core.errors import Unavailable
from callsheet.core.flow.given import Closed
from callsheet.core.flow.session import Awaits, Ending
from callsheet.core.flow.step import HUNG_UP
from callsheet.engine.batches import Batches
from callsheet.engine.calling.patience import Patience
from callsheet.engine.calling.talking import Talking
from callsheet.engine.failpoints import Failpoints
from callsheet.engine.flow_shelf import FlowShelf
from callsheet.engine.turning import Asked, Turner, broken, measure
from callsheet.store.flow_sessions import Known
from callsheet.store.flow_talks import Talk
from callsheet.store.flow_turns import Turn
from callsheet.store.store import Store

log = structlog.get_logger()

Ready = Callable[[Turn], Awaitable[Turn]]
"""Asked before a turn is written down: it may make another one of it. Raises Unavailable."""

_MOST_TRIES: Final = 20
"""So often a turn is made anew because others changed the conversation meanwhile."""


class _Read(NamedTuple):
    """What is known of a conversation."""

    talk: Talk | None
    """None: it has ended."""
    known: Known
    """Of it, and of others that were read with it."""
    at: datetime


class TurnBook:
    """Makes and writes the turns of calls."""

    def __init__(self, store: Store, clock: Clock, shelf: FlowShelf, failpoints: Failpoints, *, node_no: int) -> None:
        self._store = store
        self._patience = Patience(clock)
        self._failpoints = failpoints
        self._turner = Turner(store, shelf)
        self._node_no = node_no
        self._finds = Batches[int, str, None, Talk | None](self._find_some)
        """By app, and the ids of attempts."""
        self._reads = Batches[int, int, None, _Read](self._read_some)
        """By app, and the numbers of conversations."""
        self._writes = Batches[int, int, Turn, bool](self._write_some)

    async def find(self, app: int, cause: str) -> Talk | None:
        """Return the conversation that an attempt began, by its id; None: it has ended. Raises Unavailable."""
        return await self._patience.ask(lambda: self._finds.put(app, cause, None))

    async def make(self, asked: Asked, ready: Ready) -> Turn | None:
        """Make a turn and write it down; None: the conversation has ended, or did not wait for what is given.

        While the store is away the caller holds the line for a while. Raises Unavailable when that was too long.
        """
        for _ in range(_MOST_TRIES):
            turn = await self._patience.ask(partial(self._plan, asked))
            if turn is None or (turn := await self._keep(await ready(turn))) is not None:
                return turn
        return None

    async def end(self, talking: Talking, ending: Ending, why: str) -> None:
        """End the conversation of a call that is over. What cannot be written now is closed with its call's record."""
        with suppress(Unavailable):
            await self._patience.ask(lambda: self._end(talking.app, talking.talk_no, ending, why))

    async def close(self, app: int, talk_no: int, given: Closed) -> bool:
        """Go on with a conversation whose call is over, as somebody closed it: nobody hears what it says, and it ends.

        Raises Unavailable.
        """
        for _ in range(_MOST_TRIES):
            talk, known, now = await self._read(app, talk_no)
            turn = await self._turner.turn(Asked(talk, given), known, now) if talk is not None else None
            if talk is None or turn is None:
                return False
            if turn.ending is None:
                turn = Turn(talk, turn.session, turn.effects, turn.visits, ending=Ending.hung_up, why=HUNG_UP)
            if await self._write(turn) is not None:
                return True
        return False

    async def move_errand(self, talking: Talking) -> None:
        """Ask here what was asked where the call was led before."""

        async def move() -> None:
            now = await self._store.hot.now()
            await self._store.errands.move(talking.app, talking.talk_no, self._node_no, now)

        with suppress(Unavailable):
            await self._patience.ask(move, again=False)

    async def waits_for(self, talking: Talking, errand_id: str) -> bool:
        """Tell whether a conversation still waits for the answer to an errand; while the store is away it does."""
        if not errand_id:
            return True
        waits = partial(self._store.errands.waits, talking.app, talking.talk_no, errand_id)
        try:
            return await self._patience.ask(waits, again=False)
        except Unavailable:
            return True

    async def _plan(self, asked: Asked) -> Turn | None:
        talk, known, now = await self._read(asked.talk.app, asked.talk.no)
        return await self._turner.turn(asked._replace(talk=talk), known, now) if talk is not None else None

    async def _keep(self, turn: Turn) -> Turn | None:
        """Write a turn down until the store has it, and return what was written; None: others came between."""
        tries = 0

        async def write() -> Turn | None:
            nonlocal tries
            tries += 1
            return await self._write(turn)

        written = await self._patience.ask(write)
        if written is None and tries > 1 and await self._patience.ask(partial(self._has, turn)):
            # The answer to an earlier try was lost. What was pressed once is no answer to the next question, too.
            measure([turn])
            return turn
        return written

    async def _has(self, turn: Turn) -> bool:
        """Tell whether a conversation is what a turn made of it: nobody else leads it on."""
        talk = (await self._read(turn.talk.app, turn.talk.no)).talk
        return talk is not None and talk.revision == turn.talk.revision + 1

    async def _end(self, app: int, talk_no: int, ending: Ending, why: str) -> None:
        for _ in range(_MOST_TRIES):
            talk = (await self._read(app, talk_no)).talk
            if talk is None or talk.awaits is Awaits.person:
                return
            if await self._write(Turn(talk, talk.session, ending=ending, why=why)) is not None:
                return

    async def _find_some(self, app: int, causes: Mapping[str, None]) -> Mapping[str, Talk | None]:
        found = await self._store.flow_sessions.of_causes(app, causes)
        return {cause: found.get(cause) for cause in causes}

    async def _read(self, app: int, talk_no: int) -> _Read:
        return await self._reads.put(app, talk_no, None)

    async def _read_some(self, app: int, nos: Mapping[int, None]) -> Mapping[int, _Read]:
        now = await self._store.hot.now()
        known = await self._store.flow_sessions.of_nos(app, nos, now)
        talks = {talk.no: talk for talk in known.talks}
        return {no: _Read(talks.get(no), known, now) for no in nos}

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
        """Store a turn; true: somebody else changed its conversation meanwhile, and nothing was."""
        return await self._writes.put(turn.talk.app, turn.talk.no, turn)

    async def _write_some(self, app: int, turns: Mapping[int, Turn]) -> Mapping[int, bool]:
        now = await self._store.hot.now()
        lost = await self._store.flow_sessions.write(app, list(turns.values()), now, self._node_no)
        return {no: no in lost for no in turns}
