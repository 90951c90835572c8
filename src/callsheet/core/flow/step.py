"""The interpreter: take a session one step further. Pure: what follows from it are values, and the engine does them.

A step goes from block to block until one waits, or the flow ends. What is amiss in a block leads to its default exit,
else to the flow's exit block, else to the end; the visit says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from callsheet.core.flow.amiss import Amiss
from callsheet.core.flow.blocks.kind import End, Fail, Leave, Outcome, RunFlow, Wait
from callsheet.core.flow.blocks.kinds import kind_named
from callsheet.core.flow.document import Block, Container, Exit, Flow
from callsheet.core.flow.effects import Say, Step
from callsheet.core.flow.given import Closed, Given, Reply, TimedOut
from callsheet.core.flow.languages import choose_language
from callsheet.core.flow.manners import PATIENCE
from callsheet.core.flow.names import language_of
from callsheet.core.flow.session import LONGEST_KEPT, Awaits, Ending, Frame, Mode, Result, Session
from callsheet.core.flow.turn import MakingTurn

MOST_BLOCKS: Final = 1000
"""So many blocks are gone through in one step, at most; `longest.py` counts them before."""
MOST_FRAMES: Final = 32
"""So many flows run in each other, at most."""
SILENT: Final = "There was no reply in time."
HUNG_UP: Final = "The contact hung up."


def begin(
    container: Container,
    *,
    contact: Mapping[str, str],
    number: str,
    mode: Mode,
    at: datetime,
    language: str = "",
    groups: Mapping[str, str] | None = None,
    trigger: str = "",
    zone: str = "",
    answered_by: str = "",
) -> Step:
    """Begin a session of a container's first flow with a contact, up to where it waits for the first time.

    `language`: empty, it is what the contact's column `language` says; a flow that does not speak it speaks its first
    one. `trigger`: what the contact wrote that began it; it answers no question. `zone`: of a contact that has none.
    `answered_by`: who answered the call, where it is one.
    What it says to a trigger is an answer, and cut as answers are; the message of a campaign is not.
    """
    making = beginning(
        container,
        contact=contact,
        number=number,
        mode=mode,
        at=at,
        language=language,
        groups=groups,
        trigger=trigger,
        zone=zone,
        answered_by=answered_by,
    )
    if trigger:
        making.shorten()
    return making.finish()


def beginning(
    container: Container,
    *,
    contact: Mapping[str, str],
    number: str,
    mode: Mode,
    at: datetime,
    language: str = "",
    groups: Mapping[str, str] | None = None,
    trigger: str = "",
    zone: str = "",
    answered_by: str = "",
) -> MakingTurn:
    """Begin a session, and return the step in the making, which knows what of the document was said."""
    flow = container.flows[container.first]
    frame = _frame(flow, at)
    chosen = choose_language(flow, language or language_of(contact))
    session = Session(
        chosen,
        mode,
        dict(contact),
        number,
        dict(groups or {}),
        (frame,),
        Awaits.nothing,
        0,
        trigger=trigger,
        zone=zone,
        answered_by=answered_by,
    )
    making = _Making(container, session, at)
    making.go(making.enter())
    return making


def step(container: Container, session: Session, given: Given) -> Step:
    """Give a session what it waits for; what it does not wait for changes nothing, and so does all after its end."""
    if not session.frames:
        return Step(session, (), ())
    making = _Making(container, session, given.at)
    if isinstance(given, TimedOut):
        if session.awaits is not Awaits.reply:
            return Step(session, (), ())
        making.silence()
        making.shorten()
        return making.finish()
    outcome = making.take(given)
    if outcome is None:
        return Step(session, (), ())
    if isinstance(given, Reply):
        making.replies += 1
    if isinstance(given, Reply | Closed):
        # Somebody is there.
        making.silences = 0
    making.go(outcome)
    making.shorten()
    return making.finish()


def end(session: Session, ending: Ending, why: str = "") -> Session:
    """End a session from outside: the contact opted out or hung up, or somebody closed it."""
    if not session.frames:
        return session
    return replace(session, frames=(), awaits=Awaits.nothing, wakes_at=None, ending=ending, why=why)


def prompts_again(container: Container, session: Session, at: datetime) -> tuple[Say, ...]:
    """Return what is to be said to a contact again whose call was taken over in the middle; nothing moves.

    It is what the present block says when it is come to, with what is listened to.
    """
    if not session.frames:
        return ()
    making = MakingTurn(container, session, at)
    try:
        kind_named(making.block.kind).enter(making, making.block)
    except Amiss:
        return ()
    return tuple(effect for effect in making.effects if isinstance(effect, Say))


def patience_seconds(container: Container, session: Session, at: datetime) -> int:
    """Return how long a call waits for a reply, from when its prompts are through."""
    if not session.frames:
        return 0
    return MakingTurn(container, session, at).timeout_seconds or PATIENCE[session.mode].usual_seconds


def _frame(flow: Flow, at: datetime) -> Frame:
    return Frame(flow.uuid, flow.first, at, at)


class _Making(MakingTurn):
    """A step in the making: goes from block to block."""

    def enter(self) -> Outcome:
        """Come to the block of the running flow."""
        block = self.block
        try:
            outcome = kind_named(block.kind).enter(self, block)
        except Amiss as error:
            return Fail(str(error))
        if isinstance(outcome, End):
            self.note(block)
        return outcome

    def take(self, given: Given) -> Outcome | None:
        """Give the block that waits what came."""
        block = self.block
        try:
            return kind_named(block.kind).take(self, block, given)
        except Amiss as error:
            return Fail(str(error), response=given.text if isinstance(given, Reply) else None)

    def go(self, outcome: Outcome) -> None:
        """Go on until a block waits, or nothing runs any more."""
        come = 0
        following: Outcome | None = outcome
        while following is not None:
            come += 1
            if come > MOST_BLOCKS:
                self.say_nothing()
                following = End(Ending.failed, f"It went through {MOST_BLOCKS} blocks without waiting for anything.")
            following = self._do(following)

    def silence(self) -> None:
        """Nobody replied in time."""
        self.silences += 1
        flow, block = self.flow, self.block
        patience, is_said = PATIENCE[self.mode], self.timeout_seconds > 0
        if (patience.ends_quietly and not is_said) or self.silences >= patience.most_silences:
            self.note(block, why=SILENT, is_question=True)
            self.go(End(Ending.silent, SILENT))
        elif is_said and flow.exit_block is not None and not self.frame.is_exiting:
            self.note(block, why=SILENT, is_question=True)
            self.go(self._to_exit_block(flow.exit_block))
        else:
            self.go(Fail(SILENT, is_question=True))

    def _do(self, outcome: Outcome) -> Outcome | None:
        match outcome:
            case Leave():
                return self._leave(outcome)
            case Wait(awaits=awaits, memory=memory, value=value):
                if self.has_moved:
                    self.note(self.block, has_left=False, value=value)
                self.wait(awaits, memory)
                return None
            case RunFlow(flow=uuid):
                return self._run(uuid)
            case Fail():
                return self._fail(outcome)
            case End():
                self.end(outcome.ending, outcome.why)
                return None

    def _run(self, uuid: str) -> Outcome:
        flow = self.container.flows.get(uuid)
        if flow is None:
            return Fail("There is no such flow in the document.")
        if len(self.frames) >= MOST_FRAMES:
            return Fail(f"More than {MOST_FRAMES} flows run in each other.")
        self.push(_frame(flow, self.at))
        return self.enter()

    def _leave(self, leave: Leave) -> Outcome | None:
        block = self.block
        try:
            way = self._way(block, leave)
        except Amiss as error:
            return self._fail(Fail(str(error), leave.response, leave.is_question, leave.value, leave.facts))
        return self._follow(block, way, leave)

    def _way(self, block: Block, leave: Leave) -> Exit | None:
        """Choose the exit."""
        scope = None
        for way in block.exits:
            if way.is_default:
                continue
            if way.test is None:
                return way
            scope = scope or self.scope(response=leave.response, value=leave.value, facts=leave.facts)
            if self.holds(way.test, scope):
                return way
        return block.default

    def _fail(self, fail: Fail) -> Outcome | None:
        block, flow = self.block, self.flow
        if block.default is not None:
            return self._follow(block, block.default, fail)
        self.note(block, why=fail.why, response=fail.response, is_question=fail.is_question)
        if flow.exit_block is not None and not self.frame.is_exiting:
            return self._to_exit_block(flow.exit_block)
        if len(self.frames) > 1:
            self.pop()
            return Fail(fail.why)
        return End(Ending.silent if fail.why == SILENT else Ending.failed, fail.why)

    def _to_exit_block(self, uuid: str) -> Outcome:
        self.move(uuid, is_exiting=True)
        return self.enter()

    def _follow(self, block: Block, way: Exit | None, left: Leave | Fail) -> Outcome | None:
        """Leave a block by an exit; where it leads nowhere the flow ends, and an outer one goes on."""
        why = left.why
        value = left.value if isinstance(left, Leave) or left.facts is not None else None
        exit_name = way.name if way is not None else ""
        if block.name and (left.is_question or left.facts is not None):
            entered_at, facts = self.frame.entered_at, left.facts or {}
            kept = value[:LONGEST_KEPT] if isinstance(value, str) else value
            response = left.response[:LONGEST_KEPT] if left.response is not None else None
            self.keep(block, Result(kept, response, block.uuid, exit_name, entered_at, self.at, facts))
        why = self.set_properties(block, left.response, left.value) or why
        self.note(
            block, exit_name=exit_name, value=value, response=left.response, is_question=left.is_question, why=why
        )
        if way is not None and way.to is not None:
            self.move(way.to)
            return self.enter()
        if len(self.frames) > 1:
            self.pop()
            return Leave()
        return End(Ending.done)
