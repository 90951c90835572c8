"""A step in the making: what has changed so far, and what an expression can see of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from callsheet.core.flow.amiss import Amiss
from callsheet.core.flow.document import Block, Container, Content, Flow, Json, Resource
from callsheet.core.flow.effects import Dispose, Effect, HandOver, LeaveGroups, Say, SetGroup, SetProperty, Step, Visit
from callsheet.core.flow.expression.scope import Expression, Scope
from callsheet.core.flow.expression.truth import is_truthy
from callsheet.core.flow.languages import find_language
from callsheet.core.flow.manners import CUT, MOST_SAID, PATIENCE
from callsheet.core.flow.names import Names, header_of, is_number, language_of, plain, zone_of
from callsheet.core.flow.session import Awaits, Ending, Frame, Mode, Plain, Result, Session


class MakingTurn:
    """Collects what a step changes."""

    def __init__(self, container: Container, session: Session, at: datetime) -> None:
        self.container = container
        self.session = session
        self.at = at
        self.frames = list(session.frames)
        self.contact = session.contact
        self.written = session.written
        self.groups = session.groups
        self.replies = session.replies
        self.silences = session.silences
        self.effects: list[Effect] = []
        self.visits: list[Visit] = []
        self.said: list[Content] = []
        """What of the document was said."""
        self.has_moved = session.awaits is Awaits.nothing
        self._visits = session.visits
        self._awaits = session.awaits
        self._ending: Ending | None = None
        self._why = ""
        self._disposition = session.disposition
        self._queue = session.queue
        self._now: datetime | None = None

    @property
    def mode(self) -> Mode:
        """Return by what the flow speaks."""
        return self.session.mode

    @property
    def frame(self) -> Frame:
        """Return the flow that runs."""
        return self.frames[-1]

    @property
    def flow(self) -> Flow:
        """Return its document."""
        return self.container.flows[self.frame.flow]

    @property
    def block(self) -> Block:
        """Return the block in which it is."""
        frame = self.frames[-1]
        return self.container.flows[frame.flow].blocks[frame.block]

    @property
    def timeout_seconds(self) -> int:
        """Return how long a reply is waited for: as the running flow says, else the one around it; 0: none says."""
        longest = PATIENCE[self.mode].longest_seconds
        said = (self.container.flows[frame.flow].timeout_seconds for frame in reversed(self.frames))
        return next((seconds for seconds in said if 0 < seconds <= longest), 0)

    @property
    def now(self) -> datetime:
        """Return the instant of the step by the clocks of the contact, else of its campaign, else UTC."""
        if self._now is None:
            zone = zone_of(self.session.contact) or self.session.zone
            self._now = self.at.astimezone(ZoneInfo(zone)) if zone else self.at
        return self._now

    # -- what blocks ask for -----------------------------------------------------------------------------------------

    def scope(self, *, response: str | None = None, value: object = None, facts: Json | None = None) -> Scope:
        """Return what an expression of the block can see."""
        return Scope(Names(self, response, value, facts), self.now)

    def holds(self, test: Expression, scope: Scope) -> bool:
        """Tell whether a test holds. Raises Amiss."""
        return is_truthy(test(scope))

    def do(self, effect: Effect) -> None:
        """Let an effect follow. A column is found however its name is spelled. Raises Amiss for that of the number."""
        if isinstance(effect, SetProperty):
            effect = replace(effect, name=header_of(self.contact, effect.name))
            if is_number(self.contact, effect.name):
                raise Amiss("The column of the phone number is not for flows to set.")
        match effect:
            case SetProperty(name=name, value=value):
                self._set_column(name, value)
                self.written = self.written if name in self.written else (*self.written, name)
            case SetGroup() | LeaveGroups():
                self.groups = changed_groups(self.groups, effect)
            case Dispose(disposition=disposition):
                self._disposition = disposition
            case HandOver(queue=queue):
                self._queue = queue
        self.effects.append(effect)

    def _set_column(self, name: str, value: str) -> None:
        before = language_of(self.contact)
        self.contact = {**self.contact, name: value}
        wanted = language_of(self.contact)
        if wanted != before and (found := find_language(self.flow, wanted)) is not None:
            # Whoever chooses a language hears it from now on.
            self.session = replace(self.session, language=found)

    def say(
        self, *prompts: Resource | None, most_digits: int = 0, listens_seconds: int = 0, ends_with: str = "#"
    ) -> None:
        """Say prompts: their texts as one, and each recording by itself; what is listened to comes with the last."""
        said: list[Say] = []
        uuid = self.block.uuid
        for prompt in prompts:
            if prompt is None:
                continue
            text, content = self._spoken(prompt)
            audio = content.audio
            self.said.append(content)
            if text and not audio and said and not said[-1].audio:
                said[-1] = replace(said[-1], text=f"{said[-1].text}\n{text}")
            elif text or audio:
                said.append(Say(uuid, text, audio))
        if not said and self.mode is not Mode.ivr:
            return
        if most_digits or listens_seconds or not said:
            last = said.pop() if said else Say(uuid, "")
            said.append(Say(uuid, last.text, last.audio, most_digits, listens_seconds, ends_with))
        self.effects += said

    def say_text(self, text: str) -> None:
        """Say a text as it is."""
        self.effects.append(Say(self.block.uuid, text))

    def say_nothing(self) -> None:
        """Take back what was said in this step: it came to nothing."""
        self.effects = [effect for effect in self.effects if not isinstance(effect, Say)]

    def shorten(self) -> None:
        """Cut what is said as a text message where it is too long for an answer; the visit of the block says so."""
        left = MOST_SAID if self.mode is not Mode.ivr else math.inf
        for place, effect in enumerate(self.effects):
            if not isinstance(effect, Say) or not effect.text:
                continue
            if len(effect.text) > left:
                self.effects[place] = replace(effect, text=effect.text[: int(left)])
                self._note_cut(effect.block)
            # A newline stands between two texts.
            left = max(0, left - len(effect.text) - 1)

    def _note_cut(self, block: str) -> None:
        mine = [place for place, visit in enumerate(self.visits) if visit.block == block] or [-1]
        if self.visits and CUT not in self.visits[mine[-1]].why:
            visit = self.visits[mine[-1]]
            self.visits[mine[-1]] = visit._replace(why=f"{visit.why} {CUT}".strip())

    def heard(self, prompt: Resource | None) -> tuple[str, str]:
        """Return the text, and the name of the sound, of a prompt that is heard, but not said now; empty: none."""
        if prompt is None:
            return "", ""
        text, content = self._spoken(prompt)
        return text, content.audio

    def text(self, prompt: Resource, *, response: str | None = None) -> str:
        """Return the text of a prompt."""
        return self._spoken(prompt, response)[0]

    def _spoken(self, prompt: Resource, response: str | None = None) -> tuple[str, Content]:
        spoken = self.flow.languages
        language = self.session.language
        if spoken and all(language != each.id for each in spoken):
            language = spoken[0].id  # a flow within another one speaks what it can
        content = prompt.spoken(language, self.mode)
        if content is None:
            raise Amiss(f"There is nothing to say in the language {language or 'of the flow'} by {self.mode.value}.")
        return "" if content.text is None else content.text(self.scope(response=response)), content

    # -- where it goes -----------------------------------------------------------------------------------------------
    # Frames are made here and not by `replace`, which took as long as all the rest of a step.

    def push(self, frame: Frame) -> None:
        """Run another flow in the one that runs."""
        self.has_moved = True
        self.frames.append(frame)

    def pop(self) -> None:
        """End the flow that runs; the one around it goes on."""
        self.has_moved = True
        ended = self.frames.pop()
        self.frames[-1] = replace(self.frames[-1], child=ended.results, child_flow=ended.flow)

    def move(self, uuid: str, *, is_exiting: bool = False) -> None:
        """Go to another block."""
        self.has_moved = True
        frame = self.frames[-1]
        is_exiting = is_exiting or frame.is_exiting
        self.frames[-1] = Frame(
            frame.flow, uuid, frame.began_at, self.at, frame.results, frame.child, None, is_exiting, frame.child_flow
        )

    def wait(self, awaits: Awaits, memory: Plain) -> None:
        """Stay."""
        self._awaits = awaits
        frame = self.frames[-1]
        if memory is not frame.memory:
            self.frames[-1] = replace(frame, memory=memory)

    def end(self, ending: Ending, why: str) -> None:
        """End everything."""
        self.frames.clear()
        self._awaits = Awaits.nothing
        self._ending, self._why = ending, why

    # -- what is kept ------------------------------------------------------------------------------------------------

    def keep(self, block: Block, result: Result) -> None:
        """Keep what a block collected."""
        frame = self.frames[-1]
        results = {**frame.results, block.name: result}
        self.frames[-1] = Frame(
            frame.flow, frame.block, frame.began_at, frame.entered_at, results, frame.child, frame.memory,
            frame.is_exiting, frame.child_flow,
        )  # fmt: skip

    def set_properties(self, block: Block, response: str | None, value: object) -> str:
        """Write the columns that a block sets; return what was amiss."""
        why = ""
        for setting in block.sets:
            try:
                self.do(SetProperty(setting.name, setting.value(self.scope(response=response, value=value))))
            except Amiss as error:
                why = str(error)
        return why

    def note(
        self,
        block: Block,
        *,
        exit_name: str = "",
        has_left: bool = True,
        value: object = None,
        response: str | None = None,
        is_question: bool = False,
        why: str = "",
    ) -> None:
        """Note a visit."""
        self._visits += 1
        self.visits.append(
            Visit(
                self._visits, self.frame.flow, block.uuid, block.name, block.kind, self.at, exit_name, has_left,
                plain(value), response, is_question, why,
            )
        )  # fmt: skip

    def finish(self) -> Step:
        """Return what came of it."""
        wakes_at = None
        if self._awaits is Awaits.reply:
            wakes_at = self.at + timedelta(seconds=self.timeout_seconds or PATIENCE[self.mode].usual_seconds)
        was = self.session
        session = Session(
            language=was.language,
            mode=was.mode,
            contact=self.contact,
            number=was.number,
            groups=self.groups,
            frames=tuple(self.frames),
            awaits=self._awaits,
            visits=self._visits,
            replies=self.replies,
            silences=self.silences,
            wakes_at=wakes_at,
            ending=self._ending,
            why=self._why,
            trigger=was.trigger,
            disposition=self._disposition,
            queue=self._queue,
            written=self.written,
            zone=was.zone,
            answered_by=was.answered_by,
        )
        return Step(session, tuple(self.effects), tuple(self.visits))


def changed_groups(groups: Mapping[str, str], effect: Effect) -> Mapping[str, str]:
    """Return the groups of a contact after an effect."""
    match effect:
        case SetGroup(key=key, name=name, is_member=True):
            return {**groups, key: name}
        case SetGroup(key=key):
            return {other: name for other, name in groups.items() if other != key}
        case LeaveGroups():
            return {}
    return groups
