"""Lead the flow of a call that was answered: say, listen, and go on, turn by turn.

Each turn is written down in one transaction before anything of it is heard: whoever dies between two turns has lost
nothing, and whoever takes the call over says the present question again. The turns of one call never interleave: one
task leads it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, NamedTuple

import structlog

from callsheet.clock import Clock
from callsheet.core.errors import FlowNotFound, Unavailable
from callsheet.core.flow.amiss import BadExpression
from callsheet.core.flow.document import Container
from callsheet.core.flow.effects import AskModel, AwaitBeep, CallWebhook, Effect, Say, Transfer
from callsheet.core.flow.given import Closed, Given, NoAnswer, PutThrough
from callsheet.core.flow.session import Awaits, Ending, Session
from callsheet.core.flow.speaking import language_named
from callsheet.core.flow.step import HUNG_UP, patience_seconds, prompts_again
from callsheet.core.ids import encode_attempt
from callsheet.core.transferring import Transferred
from callsheet.engine.calling.awaiting_beep import BeepWaiter
from callsheet.engine.calling.leading import end
from callsheet.engine.calling.listening import Listener
from callsheet.engine.calling.live_call import LiveCall
from callsheet.engine.calling.playing import Player
from callsheet.engine.calling.talking import Answer, Talking
from callsheet.engine.calling.transferring import Connector
from callsheet.engine.calling.turn_book import TurnBook
from callsheet.engine.flow_shelf import FlowShelf
from callsheet.engine.turning import BROKE, Asked
from callsheet.store.flow_talks import ERRANDS, Talk
from callsheet.store.flow_turns import Turn
from callsheet.voice.base import CallGone, HungUp, Lost

log = structlog.get_logger()

USUAL_SECONDS: Final = 60.0
"""So long a caller waits for what is asked of others, where nobody knows how long that may take."""
MARGIN_SECONDS: Final = 15.0
"""So much longer than what is asked may take, a caller waits: for all that goes before and after it."""
_TOO_LATE: Final = "It did not come in time."
AWAY: Final = "The database was away for too long, so the call was ended."
ENDED_BY_US: Final = "The call was ended on our side."
NO_VOICEMAIL: Final = "No voicemail was left."
END_SECONDS: Final = 10.0
"""So long the engine may take to say that a call is over that it does not know any more."""


class _Heard(NamedTuple):
    """What a session is given, and who asked for it."""

    given: Given
    answer: Answer | None = None


class PhoneTalk:
    """Leads the conversations in the calls of this node."""

    def __init__(
        self, clock: Clock, shelf: FlowShelf, turns: TurnBook, player: Player, listener: Listener,
        beeps: BeepWaiter,
    ) -> None:  # fmt: skip
        self._clock = clock
        self._shelf = shelf
        self._turns = turns
        self._player = player
        self._listener = listener
        self._beeps = beeps
        self.connector: Connector | None = None
        """Puts callers through; none: nobody can be reached."""
        self._led: dict[int, Talking] = {}
        """By the numbers of the conversations."""
        self.on_errands: Callable[[], None] = lambda: None
        """Called when something is to be asked of others."""

    async def lead(self, live: LiveCall, answered_by: str) -> bool:
        """Talk until the flow is through, or the call is over; the call is left to be hung up.

        Whose conversation has begun already was led before, by a process that is gone: its question is asked again.
        False: the store stayed away, and it was given up.
        """
        try:
            # It was opened when it was recorded that somebody answered.
            talk = await self._turns.find(live.run.app, encode_attempt(*live.key))
        except Unavailable:
            log.warning("call.given_up")
            return False
        if talk is None:
            log.warning("call.nothing_to_lead")
            return True
        live.session_no = talk.no
        talking = self._led[talk.no] = Talking(live, talk.no)
        try:
            await self._lead(talking, talk, answered_by)
        except Unavailable:
            log.warning("call.given_up", conversation=talk.id)
            await end(live.call)
            await self._turns.end(talking, Ending.failed, AWAY)
            return False
        except Exception:
            log.exception("call.talk_broke", conversation=talk.id)
            await self._turns.end(talking, Ending.failed, BROKE)
        finally:
            del self._led[talk.no]
            talking.refuse()
        return True

    async def give(self, app: int, talk_no: int, given: Given, errand_id: str = "") -> bool:
        """Give a conversation in a call what it waits for; False: it does not wait for that (any more).

        One whose call is over waits for a person only, who closes it. Raises Unavailable.
        """
        talking = self._led.get(talk_no)
        if talking is None:
            return isinstance(given, Closed) and await self._turns.close(app, talk_no, given)
        taken: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        talking.answers.put_nowait(Answer(given, errand_id, taken))
        return await taken

    async def _lead(self, talking: Talking, talk: Talk, answered_by: str) -> None:
        turn: Turn | None
        if talking.is_over:
            await self._turns.end(talking, Ending.hung_up, _why(talking))
            return
        if talk.session is None:
            turn = await self._make(talking, Asked(talk, answered_by=answered_by))
            effects: Sequence[Effect] = turn.effects if turn is not None else ()
        else:
            effects = await self._taken_over(talking, talk, talk.session)
            turn = Turn(talk, talk.session)
        while turn is not None:
            heard = await self._exchange(talking, turn, effects)
            if turn.awaits in (Awaits.nothing, Awaits.person):
                return
            if heard is None:
                await self._turns.end(talking, Ending.hung_up, _why(talking))
                return
            turn = await self._go_on(talking, turn, heard)
            effects = turn.effects if turn is not None else ()
        # Somebody else ended it: nobody is left on the line.
        await end(talking.live.call)
        await self._turns.end(talking, Ending.hung_up, HUNG_UP)

    async def _go_on(self, talking: Talking, turn: Turn, heard: _Heard) -> Turn | None:
        """Make the next turn; None: the conversation was ended by somebody else."""
        errand_id = heard.answer.errand_id if heard.answer is not None else ""
        after = None
        try:
            after = await self._make(talking, Asked(turn.talk, heard.given, errand_id=errand_id))
        finally:
            if heard.answer is not None:
                heard.answer.taken.set_result(after is not None)
        return after

    async def _make(self, talking: Talking, asked: Asked) -> Turn | None:
        return await self._turns.make(asked, partial(self._ready, talking))

    async def _ready(self, talking: Talking, turn: Turn) -> Turn:
        """Make what a voicemail says before it is written down that it is left; one that cannot be said is not.

        It is there when the beep comes, too.
        """
        places = [place for place, effect in enumerate(turn.effects) if isinstance(effect, AwaitBeep)]
        if not places:
            return turn
        said = [effect for effect in turn.effects[places[-1] :] if isinstance(effect, Say)]
        try:
            why = await self._player.make_ready(talking, said, await self._language(turn))
        except CallGone:
            return turn
        if not why:
            return turn
        return replace(turn, effects=(), ending=Ending.failed, why=f"{NO_VOICEMAIL} {why}")

    async def _taken_over(self, talking: Talking, talk: Talk, session: Session) -> Sequence[Effect]:
        """Return what is said to somebody whose call goes on after the process died that led it."""
        now = self._clock.now()
        talking.note(now, "taken_over")
        if talk.awaits in ERRANDS:
            await self._turns.move_errand(talking)
            self.on_errands()
            return ()
        container = await self._container(talk)
        return prompts_again(container, session, now) if container is not None else ()

    async def _exchange(self, talking: Talking, turn: Turn, effects: Sequence[Effect]) -> _Heard | None:
        """Say what follows from a turn, and return what comes of that; None: the call is over, or was left to end."""
        try:
            await self._perform(talking, turn, effects)
            if talking.is_over:
                return None
            return await self._wait(talking, turn, effects)
        except CallGone:
            while not talking.is_over and await talking.hear(END_SECONDS) is not None:
                continue
            return None

    async def _perform(self, talking: Talking, turn: Turn, effects: Sequence[Effect]) -> None:
        """Say what is to be said, in its order."""
        if turn.awaits in ERRANDS:
            # Asked while the caller still hears what was said before.
            self.on_errands()
        waits = turn.awaits is Awaits.reply
        language = await self._language(turn)
        said: list[Say] = []
        for effect in effects:
            if isinstance(effect, Say):
                said.append(effect)
            elif isinstance(effect, AwaitBeep):
                await self._player.say(talking, said, language, until_key=False)
                said = []
                await self._beeps.wait(talking, effect.longest_seconds)
        await self._player.say(talking, said, language, until_key=waits)

    async def _wait(self, talking: Talking, turn: Turn, effects: Sequence[Effect]) -> _Heard | None:
        """Wait for what the conversation waits for; None: the call was over before, or nothing is waited for."""
        session = turn.session
        if session is None or turn.awaits in (Awaits.nothing, Awaits.person):
            return None
        if turn.awaits in ERRANDS:
            return await self._await_answer(talking, effects)
        if turn.awaits is Awaits.transfer:
            return await self._transfer(talking, effects, await self._language(turn))
        heard = await self._listener.listen(talking, effects, await self._seconds(turn.talk, session))
        return _Heard(heard) if heard is not None else None

    async def _transfer(self, talking: Talking, effects: Sequence[Effect], language: str) -> _Heard | None:
        """Put the caller through; who was taken over from a process that died meanwhile is not called again."""
        outcome: Transferred | None = Transferred.unreachable
        for wanted in effects:
            if isinstance(wanted, Transfer):
                outcome = Transferred.no_agents
                if self.connector is not None:
                    outcome = await self.connector.put_through(talking, wanted, language)
        return None if outcome is None else _Heard(PutThrough(outcome, self._clock.now()))

    async def _await_answer(self, talking: Talking, effects: Sequence[Effect]) -> _Heard | None:
        """Wait for what was asked of others; the caller hears nothing meanwhile."""
        asked = [effect for effect in effects if isinstance(effect, CallWebhook | AskModel)]
        seconds = asked[-1].seconds + MARGIN_SECONDS if asked else USUAL_SECONDS
        until = self._clock.monotonic() + seconds
        while not talking.is_over:
            came = await talking.hear_or_answer(max(0.0, until - self._clock.monotonic()))
            if isinstance(came, Answer) and not await self._is_waited_for(talking, came):
                came.taken.set_result(False)
            elif isinstance(came, Answer):
                return _Heard(came.given, came)
            elif came is None:
                # All sending was stopped meanwhile, say: nobody is asked, and nobody waits for ever.
                return _Heard(NoAnswer(_TOO_LATE, self._clock.now()))
        return None

    async def _is_waited_for(self, talking: Talking, came: Answer) -> bool:
        try:
            return await self._turns.waits_for(talking, came.errand_id)
        except BaseException:
            # Whoever gave it waits to hear.
            came.taken.set_result(False)
            raise

    async def _seconds(self, talk: Talk, session: Session) -> float:
        container = await self._container(talk)
        return MARGIN_SECONDS if container is None else float(patience_seconds(container, session, self._clock.now()))

    async def _language(self, turn: Turn) -> str:
        """Return the language of what is said, as speech knows it; empty: the app's usual one."""
        container = await self._container(turn.talk) if turn.session is not None else None
        if turn.session is None or container is None:
            return ""
        return language_named(container, turn.session.language)

    async def _container(self, talk: Talk) -> Container | None:
        """Return the flow of a conversation; None: it cannot be had just now, or any more."""
        try:
            return await self._shelf.get(talk.app, talk.flow_no, talk.version)
        except (FlowNotFound, BadExpression, Unavailable):
            return None


def _why(talking: Talking) -> str:
    """Say why a conversation ends with its call."""
    end = talking.live.end
    if isinstance(end, Lost):
        return end.why
    return ENDED_BY_US if isinstance(end, HungUp) and end.by_us else HUNG_UP
