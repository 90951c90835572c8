"""Turning: what a conversation becomes with what is given to it, as far as nobody is asked and nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import structlog

from callsheet import meters
from callsheet.core.campaign import Channel, Status
from callsheet.core.errors import FlowNotFound, Unavailable
from callsheet.core.flow.amiss import BadExpression
from callsheet.core.flow.document import Container
from callsheet.core.flow.effects import Effect, Say, Step, Visit
from callsheet.core.flow.given import Given, Reply, TimedOut
from callsheet.core.flow.manners import LOOKS_AGAIN, MOST_ANSWERS, TOO_MUCH, is_long_ago, judge_unasked
from callsheet.core.flow.session import Awaits, Ending, Mode
from callsheet.core.flow.step import begin, step
from callsheet.core.flow.turn import changed_groups
from callsheet.core.gate import SEND, Suppress, Verdict, Wait
from callsheet.core.ids import NO_RUN
from callsheet.core.placeholders import Headers
from callsheet.core.run import Run
from callsheet.engine.flow_shelf import FlowShelf
from callsheet.store.flow_sessions import Known
from callsheet.store.flow_talks import ERRANDS, Talk
from callsheet.store.flow_turns import Turn
from callsheet.store.inbox import Message
from callsheet.store.store import Store

log = structlog.get_logger()

NO_FLOW_LEFT = "The flow is not there any more, or cannot be read."
NO_CONTACT = "The contact is not in its list any more."
DAMAGED = "What is stored of it cannot be read."
BROKE = "The flow could not go on."
LANGUAGE = "language"
"""The column that says what a contact speaks."""


class Asked(NamedTuple):
    """What is to be done with a conversation."""

    talk: Talk
    given: Given | None = None
    """None: it is only to begin."""
    message: Message | None = None
    """The reply that is given."""
    errand_id: str = ""
    answered_by: str = ""
    """Who answered the call in which it begins: `human`, `machine` or `unsure`; empty: it is by text."""


class Turner:
    """Makes turns of conversations."""

    def __init__(self, store: Store, shelf: FlowShelf) -> None:
        self._store = store
        self._shelf = shelf
        self._runs: dict[int, Run | None] = {}

    async def turn(self, asked: Asked, known: Known, now: datetime) -> Turn | None:
        """Return a turn; None: what is given is not what it waits for, and changes nothing."""
        talk = asked.talk
        messages = (asked.message.id,) if asked.message is not None else ()
        if talk.no in known.forbidden:
            return Turn(talk, talk.session, messages=messages, ending=Ending.opted_out)
        if talk.is_damaged:
            return Turn(talk, None, messages=messages, ending=Ending.failed, why=DAMAGED)
        try:
            container = await self._shelf.get(talk.app, talk.flow_no, talk.version)
        except (FlowNotFound, BadExpression):
            return Turn(talk, talk.session, messages=messages, ending=Ending.failed, why=NO_FLOW_LEFT)
        try:
            make = self._turn_in_call if talk.channel is Channel.voice else self._turn
            return await make(container, asked, known, now)
        except Unavailable:
            # The store is away: the turn is made anew when it is back.
            raise
        except Exception:
            # Of this one only: others do not wait for it.
            log.exception("conversation.broke", conversation=talk.id)
            return Turn(talk, talk.session, messages=messages, ending=Ending.failed, why=BROKE)

    async def _turn(self, container: Container, asked: Asked, known: Known, now: datetime) -> Turn | None:
        talk, given = asked.talk, asked.given
        messages = (asked.message.id,) if asked.message is not None else ()
        effects: tuple[Effect, ...] = ()
        visits: tuple[Visit, ...] = ()
        opening, session = None, talk.session
        if session is None:
            run = await self._run(talk.run_no)
            begun = self._begin(container, asked, known, now, run)
            if begun is None:
                return Turn(talk, None, messages=messages, ending=Ending.failed, why=NO_CONTACT)
            session, effects, visits = begun
            if talk.run_no:
                # The campaign's message has said it.
                opening = _said(effects)
                session = replace(session, groups=_grouped(known.groups.get(talk.person, {}), effects))
                effects = tuple(effect for effect in effects if not isinstance(effect, Say))
            else:
                # The reply that begins it answers no question of it.
                given = None
            if not session.frames and given is not None:
                # It asked nothing: the reply is none to it.
                given, messages = None, ()
        if given is not None:
            after = step(container, session, given)
            if after.session is session and asked.message is None:
                return None
            session, effects, visits = after.session, (*effects, *after.effects), (*visits, *after.visits)
        turn = Turn(
            talk, session, effects, visits, _said(effects), opening, messages, wakes_at=session.wakes_at,
            has_begun=talk.session is None, ending=session.ending, why=session.why, errand_id=asked.errand_id,
            is_unasked=session.is_unasked,
            hastens=isinstance(given, Reply) and (talk.person, talk.sender) in known.put_off,
        )  # fmt: skip
        # What silence asks of others is answered with a message soon.
        asks = turn.is_unasked and turn.awaits in ERRANDS
        return await self._mannered(turn, given, known, now) if turn.text or asks else turn

    async def _turn_in_call(self, container: Container, asked: Asked, known: Known, now: datetime) -> Turn | None:
        """Return a turn in a call: what is said in it is spoken, and whoever leads the call looks after its time."""
        talk, given = asked.talk, asked.given
        before = talk.session
        if before is None:
            after = self._begin(container, asked, known, now, await self._run(talk.run_no))
            if after is None:
                return Turn(talk, None, ending=Ending.failed, why=NO_CONTACT)
        elif given is None:
            return None
        else:
            after = step(container, before, given)
            if after.session is before:
                return None
        session = after.session
        return Turn(
            talk, session, after.effects, after.visits, has_begun=before is None, ending=session.ending,
            why=session.why, errand_id=asked.errand_id,
        )  # fmt: skip

    async def _mannered(self, turn: Turn, given: Given | None, known: Known, now: datetime) -> Turn:
        """Let something be said, later, or not at all."""
        talk, session = turn.talk, turn.session
        assert session is not None, "it says something"
        if known.said.get((talk.person, talk.sender), 0) >= MOST_ANSWERS:
            return Turn(talk, talk.session, messages=turn.messages, ending=Ending.failed, why=TOO_MUCH)
        if turn.is_unasked and (instead := await self._unasked(turn, given, known, now)) is not None:
            return instead
        if talk.awaits in ERRANDS and is_long_ago(talk.changed_at, now):
            # What was asked of others was away for long, or we were.
            verdict = await self._judge(talk, known, now)
            if isinstance(verdict, Wait):
                wakes_at = turn.wakes_at + (verdict.until - now) if turn.wakes_at is not None else None
                turn = replace(turn, leaves_at=verdict.until, wakes_at=wakes_at)
        key = self._store.vault.app(talk.app)
        assert key is not None, "the engine opened every app"
        return replace(turn, number_sealed=key.close_number(session.number, talk.person))

    async def judge_reply(self, talk: Talk, message: Message, known: Known, now: datetime) -> Verdict:
        """Judge whether a reply may be answered now: one that was written long ago keeps the calling hours."""
        is_answered = talk.awaits is not Awaits.person and talk.no not in known.forbidden and not talk.is_damaged
        if not is_answered or not is_long_ago(message.at, now):
            return SEND
        return await self._judge(talk, known, now)

    async def _unasked(self, turn: Turn, given: Given | None, known: Known, now: datetime) -> Turn | None:
        """Return what happens where nothing may be said that nobody asked for; None: it may be said.

        What silence has asked of others is taken when it is there, and asked for once: what is said of it waits where
        it is to leave.
        """
        talk = turn.talk
        status = known.runs.get(talk.run_no)
        if status is Status.stopped:
            return Turn(talk, talk.session, ending=Ending.silent, errand_id=turn.errand_id)
        if not isinstance(given, TimedOut):
            return None
        if status is Status.paused:
            return Turn(talk, talk.session, wakes_at=now + LOOKS_AGAIN)
        verdict = await self._judge(talk, known, now)
        if isinstance(verdict, Wait):
            return Turn(talk, talk.session, wakes_at=verdict.until)
        if isinstance(verdict, Suppress):
            return Turn(talk, talk.session, ending=Ending.silent)
        return None

    async def _judge(self, talk: Talk, known: Known, now: datetime) -> Verdict:
        """Judge whether something may be said that nobody asked for just now."""
        contact = known.contacts.get(talk.no)
        run = await self._run(talk.run_no)
        return judge_unasked(run, contact.group if contact is not None else None, known.settings, now)

    async def _run(self, run_no: int) -> Run | None:
        if run_no and run_no not in self._runs:
            if len(self._runs) >= _MOST_RUNS:
                self._runs.clear()
            self._runs[run_no] = await self._store.runs.by_no(run_no)
        return self._runs.get(run_no)

    def _begin(self, container: Container, asked: Asked, known: Known, now: datetime, run: Run | None) -> Step | None:
        """Begin; None: nobody knows any more with whom."""
        talk, message = asked.talk, asked.message
        has_spoken = talk.run_no != NO_RUN and talk.channel is Channel.sms
        key = self._store.vault.app(talk.app)
        assert key is not None, "the engine opened every app"
        columns, number, at = dict[str, str](), message.number if message is not None else "", now
        contact = known.contacts.get(talk.no)
        zone = contact.group.own_zone if contact is not None and contact.group is not None else None
        if contact is not None:
            # The campaign's message is said again as it was made, whatever the clock and the list say meanwhile.
            columns = dict(contact.attributes if talk.columns is None else talk.columns)
            at = (contact.armed_at or now) if has_spoken else now
            number = key.open_number(contact.sealed, talk.person)
        elif talk.run_no:
            return None
        if not number:
            return None
        language = Headers(tuple(columns)).find(LANGUAGE) if columns else None
        begun = begin(
            container,
            contact=columns,
            number=number,
            mode=_MODES[talk.channel],
            at=at,
            language=columns.get(language, "") if language is not None else "",
            # The message of a campaign was written without asking for groups: its way is gone again.
            groups=None if has_spoken else known.groups.get(talk.person),
            trigger=message.text if message is not None and not talk.run_no else "",
            zone=zone or (run.definition.hours.timezone if run is not None else ""),
            answered_by=asked.answered_by,
        )
        return _timed(begun, talk.opened_at - at) if has_spoken else begun


_MODES: Final = {Channel.sms: Mode.sms, Channel.voice: Mode.ivr}
_MOST_RUNS = 1000
"""So many runs are kept whose hours were asked for."""


def measure(turns: Iterable[Turn]) -> None:
    """Count turns that were written down."""
    for turn in turns:
        meters.turns.inc()
        if turn.ending is not None:
            meters.conversations.labels(turn.ending.value).inc()


def broken(turn: Turn) -> Turn:
    """Return what becomes of a turn that cannot be written down: its conversation ends, and says why."""
    return Turn(
        turn.talk, None, messages=turn.messages, ending=Ending.failed, why=BROKE, errand_id=turn.errand_id,
    )  # fmt: skip


def _timed(begun: Step, late: timedelta) -> Step:
    """Let a contact have time to reply from when the carrier took the message, that much later than it was made."""
    session = begun.session
    if session.wakes_at is None:
        return begun
    return begun._replace(session=replace(session, wakes_at=session.wakes_at + late))


def _said(effects: Iterable[Effect]) -> str:
    """Return what is said in one message."""
    return "\n".join(effect.text for effect in effects if isinstance(effect, Say) and effect.text)


def _grouped(groups: Mapping[str, str], effects: Iterable[Effect]) -> Mapping[str, str]:
    """Return the groups of a contact after effects."""
    for effect in effects:
        groups = changed_groups(groups, effect)
    return groups
