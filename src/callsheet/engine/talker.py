"""Talk: take what people reply to conversations, and what did not come in time, and let their flows go on.

A turn is written down in one transaction with all that follows from it. Two nodes that make the same turn write one;
whoever dies before has changed nothing, and whoever dies afterwards has done it all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from callsheet.clock import Clock
from callsheet.core.campaign import Channel
from callsheet.core.errors import Unavailable
from callsheet.core.flow.given import Given, Reply, TimedOut
from callsheet.core.gate import Wait
from callsheet.engine.failpoints import Failpoints
from callsheet.engine.flow_shelf import FlowShelf
from callsheet.engine.loop import Loop
from callsheet.engine.turning import Asked, Turner, broken, measure
from callsheet.store.consequences import bare
from callsheet.store.flow_sessions import Known
from callsheet.store.flow_talks import ERRANDS, Talk
from callsheet.store.flow_turns import Turn
from callsheet.store.inbox import Message
from callsheet.store.store import Store

log = structlog.get_logger()

TICK_SECONDS = 1.0
RETRY_SECONDS = 1.0
LEASE_SECONDS = 60.0
"""So long a node may take over replies before another one tries."""
MOST_AT_ONCE = 250
"""So many conversations go on in one transaction: other writers wait for it for some hundredths of a second."""
REPLIES_FIRST = 4
"""So many full batches of replies are taken before it is looked at what is due."""
_MOST_TRIES = 20
"""So often a turn is made anew because others changed the conversation meanwhile."""


InCall = Callable[[int, int, Given, str], Awaitable[bool]]
"""Takes app, number of the conversation, what is given to it, and the errand that it answers: see `Talker.give`."""


class Talker(Loop):
    """Leads the conversations of all apps on this node."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        failpoints: Failpoints,
        shelf: FlowShelf,
        *,
        node_no: int = 0,
        sole_owner: bool = True,
        tick_seconds: float = TICK_SECONDS,
    ) -> None:
        """Talk; the `sole_owner` of a store leaves nothing for other nodes."""
        super().__init__()
        self._store = store
        self._clock = clock
        self._failpoints = failpoints
        self._turner = Turner(store, shelf)
        self._sole_owner = sole_owner
        self._tick_seconds = max(TICK_SECONDS, tick_seconds)
        self._full = 0
        """So many batches of replies in turn left some over."""
        self.node_no = node_no
        self.in_call: InCall = _in_no_call
        """Gives what it waits for to a conversation in a call."""
        self.on_said: Callable[[], None] = lambda: None
        """Called when something is to be said."""
        self.on_errands: Callable[[], None] = lambda: None
        """Called when something is to be asked of others."""

    async def run(self) -> None:
        """Talk until `stop`."""
        has_begun = False
        while not self._stopping:
            self._wake.clear()
            try:
                if not has_begun and self._sole_owner:
                    # What an earlier process held, or we did when the store went away.
                    await self._store.inbox.release()
                has_begun = True
                if await self.look():
                    continue
                await self._rest(await self._idle_seconds())
            except Unavailable:
                log.warning("talker.store_away")
                has_begun = False
                await self._rest(RETRY_SECONDS)

    async def look(self) -> bool:
        """Take what waits, and tell whether there may be more."""
        now = await self._store.hot.now()
        waiting = await self._store.inbox.waiting(now, MOST_AT_ONCE, LEASE_SECONDS)
        for app, messages in _by_app(waiting).items():
            await self._hear(app, messages, now)
        self._full = self._full + 1 if len(waiting) == MOST_AT_ONCE else 0
        if self._full % REPLIES_FIRST:
            # There are more; but no flood of replies keeps others from what is due.
            return True
        due = await self._store.flow_sessions.due(now, MOST_AT_ONCE, leased=not self._sole_owner)
        for app, nos in due.items():
            await self._go_on(app, nos, now)
        return bool(waiting or due)

    def ask(self) -> None:
        """Let what calls wait for be asked, too."""
        self.on_errands()

    async def give(self, app: int, talk_no: int, given: Given, *, errand_id: str = "") -> bool:
        """Give a conversation what it waits for; False: it does not wait for that (any more).

        Of an errand, its id: what answers another one is not taken, and none is while sending is stopped: it is asked
        again afterwards. Raises Unavailable.
        """
        for _ in range(_MOST_TRIES):
            now = await self._store.hot.now()
            known = await self._store.flow_sessions.of_nos(app, [talk_no], now)
            if any(talk.channel is Channel.voice for talk in known.talks):
                return await self.in_call(app, talk_no, given, errand_id)
            if errand_id and known.is_stopped:
                return False
            asked = [Asked(talk, given, errand_id=errand_id) for talk in known.talks if talk.session is not None]
            turns = await self._turns(asked, known, now)
            if not turns:
                return False
            if not await self._write(app, turns, now):
                self.wake()
                return True
            if errand_id and not await self._store.errands.waits(app, talk_no, errand_id):
                return False
        return False

    async def _hear(self, app: int, messages: Sequence[Message], now: datetime) -> None:
        """Give replies to the conversations that they belong to, or begin."""
        persons = {message.person for message in messages}
        known = await self._store.flow_sessions.of_persons(app, persons, now)
        lonely = [message for message in messages if _found(known, message) is None]
        if lonely:
            in_vain = await self._store.flow_sessions.open_for(app, lonely, now)
            if in_vain < len(lonely):
                known = await self._store.flow_sessions.of_persons(app, persons, now)
        asked, held, late = [], set[str](), dict[datetime, list[str]]()
        for message in messages:
            talk = _found(known, message)
            if talk is None:
                continue
            if talk.awaits in ERRANDS:
                # Until what is asked of others is there.
                held.add(message.id)
                continue
            match await self._turner.judge_reply(talk, message, known, now):
                case Wait(until=until):
                    late.setdefault(until, []).append(message.id)
                case _:
                    asked.append(Asked(talk, Reply(message.text, now), message))
        for until, some in late.items():
            await self._store.inbox.put_off(app, some, until)
        turns = await self._turns(asked, known, now)
        lost = await self._write(app, turns, now)
        done = {one for turn in turns if turn.talk.no not in lost for one in turn.messages}
        if again := {one.message.id for one in asked if one.message is not None} - done - held:
            await self._store.inbox.release(app, again)

    async def _go_on(self, app: int, nos: Sequence[int], now: datetime) -> None:
        """Begin conversations, and tell those that nobody replied to in time."""
        known = await self._store.flow_sessions.of_nos(app, nos, now)
        asked = []
        for talk in known.talks:
            if talk.session is None:
                asked.append(Asked(talk))
            elif talk.session.wakes_at is not None and talk.session.wakes_at <= now:
                asked.append(Asked(talk, TimedOut(now)))
        await self._write(app, await self._turns(asked, known, now), now)

    async def _turns(self, asked: Iterable[Asked], known: Known, now: datetime) -> list[Turn]:
        made = [await self._turner.turn(one, known, now) for one in asked]
        return [turn for turn in made if turn is not None]

    async def _write(self, app: int, turns: Sequence[Turn], now: datetime) -> set[int]:
        """Write turns down, and return the conversations that somebody else changed meanwhile."""
        if not turns:
            return set()
        self._failpoints.reach("before_turn")
        lost = await self._store_turns(app, turns, now)
        self._failpoints.reach("after_turn")
        written = [turn for turn in turns if turn.talk.no not in lost]
        measure(written)
        if any(turn.text for turn in written):
            self.on_said()
        if any(turn.awaits in ERRANDS for turn in written):
            self.on_errands()
        return lost

    async def _store_turns(self, app: int, turns: Sequence[Turn], now: datetime) -> set[int]:
        """Store turns; one that cannot be stored ends its conversation, and holds up no other."""
        try:
            return await self._store.flow_sessions.write(app, turns, now, self.node_no)
        except Unavailable:
            raise
        except Exception:
            log.exception("conversation.broke", conversations=[turn.talk.id for turn in turns])
        if len(turns) == 1:
            return await self._store.flow_sessions.write(app, [broken(turns[0])], now, self.node_no)
        lost = set[int]()
        for turn in turns:
            lost |= await self._store_turns(app, [turn], now)
        return lost

    async def _idle_seconds(self) -> float:
        """Return for how long nothing is due, as far as this node knows."""
        next_at = await self._store.flow_sessions.next_at(await self._store.hot.now())
        if next_at is None:
            return self._tick_seconds
        return min(self._tick_seconds, max(0.0, (next_at - self._clock.now()) / timedelta(seconds=1)))


async def _in_no_call(_app: int, _no: int, _given: Given, _errand_id: str) -> bool:
    """No call goes on here: nobody hears it."""
    return False


def _by_app(messages: Iterable[Message]) -> Mapping[int, list[Message]]:
    found: dict[int, list[Message]] = {}
    for message in messages:
        found.setdefault(message.app, []).append(message)
    return found


def _found(known: Known, message: Message) -> Talk | None:
    """Return the open conversation that a reply belongs to; where its carrier does not say to whom, the latest."""
    if message.sender:
        return known.by_sender.get((message.person, bare(message.sender)))
    return next((talk for talk in reversed(known.talks) if talk.person == message.person), None)
