"""The transcript of a rehearsal: turn by turn, what was said, what would be done, and why."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from pydantic import BaseModel

from callsheet.api.v1.shapes import Instant
from callsheet.core.flow.document import Container
from callsheet.core.flow.effects import Effect, Say, Visit
from callsheet.core.flow.given import Given
from callsheet.core.flow.names import plain
from callsheet.core.flow.rehearsal import Turn
from callsheet.core.flow.session import Awaits, Ending, Session


class ShownEffect(BaseModel):
    """Something that would be done."""

    kind: str
    """`say`, `set_property`, `set_group`, `leave_groups`, `call_webhook`, `ask_model`, `hand_over`, `transfer`,
    `dispose`, `await_beep` or `end_call`."""
    details: dict[str, Any]
    """What it is done with, by its kind."""


class ShownVisit(BaseModel):
    """A block that was come to and waits, or that was left."""

    no: int
    flow: str
    """The flow's uuid."""
    block: str
    """The block's uuid."""
    name: str
    """The block's name."""
    kind: str
    """The block's type."""
    at: Instant
    has_left: bool
    exit: str
    """The name of the exit by which it was left."""
    is_question: bool
    """What was collected belongs to the results."""
    value: Any
    response: str | None
    """What the contact wrote."""
    why: str
    """What was amiss, or how the exit was chosen."""


class ShownTurn(BaseModel):
    """What came of one reply; the first turn is the beginning."""

    at: Instant
    given: ShownEffect | None
    """`reply`, `timed_out`, `webhook_answered`, `model_answered`, `no_answer` or `closed`; null: the beginning, or the
    contact hung up."""
    was_taken: bool
    """False: the conversation had no use for it, and `why` says so."""
    why: str
    """Of the first turn: which language was spoken instead of one that the flow does not speak."""
    says: str
    """The one message that the contact gets; empty: none."""
    effects: list[ShownEffect]
    visits: list[ShownVisit]


class Collected(BaseModel):
    """What a block collected last."""

    flow: str
    block: str
    name: str
    exit: str
    value: Any
    response: str | None


class Standing(BaseModel):
    """Where a conversation stands."""

    awaits: Awaits
    wakes_at: Instant | None
    """Until when it waits for a reply."""
    ending: Ending | None
    """Null: it goes on."""
    why: str
    flow: str
    """The uuid of the flow that runs; empty: it has ended."""
    block: str
    block_name: str
    language: str
    replies: int
    queue: str
    disposition: str
    changed: dict[str, str]
    """The columns of the contact that the flow wrote."""
    groups: dict[str, str]
    """The groups of the contact: names by keys."""


class Transcript(BaseModel):
    """A rehearsal."""

    version: int | None
    """Null: of a document that is not stored."""
    turns: list[ShownTurn]
    stands: Standing
    results: list[Collected]
    """In the order in which blocks were first answered."""


def write_transcript(
    container: Container, contact: Mapping[str, str], turns: Sequence[Turn], version: int | None
) -> Transcript:
    """Write what came of a rehearsal."""
    return Transcript(
        version=version,
        turns=[_turn(turn) for turn in turns],
        stands=_standing(container, contact, turns[-1].step.session),
        results=_collected([visit for turn in turns for visit in turn.step.visits]),
    )


def show_visit(visit: Visit) -> ShownVisit:
    """Show a visit."""
    return ShownVisit(**visit._asdict())


def _turn(turn: Turn) -> ShownTurn:
    return ShownTurn(
        at=turn.at,
        given=_named(turn.given) if turn.given is not None else None,
        was_taken=turn.was_taken,
        why=turn.why,
        says="\n".join(effect.text for effect in turn.step.effects if isinstance(effect, Say) and effect.text),
        effects=[_named(effect) for effect in turn.step.effects],
        visits=[show_visit(visit) for visit in turn.step.visits],
    )


def _named(happened: Effect | Given) -> ShownEffect:
    """Show a member of a closed family by the name of its class; its instant is the turn's."""
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(happened).__name__).lower()
    details = {each.name: _plain(getattr(happened, each.name)) for each in fields(happened) if each.name != "at"}
    return ShownEffect(kind=kind, details=details)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple) and value and hasattr(value[0], "__dataclass_fields__"):
        return [{each.name: _plain(getattr(one, each.name)) for each in fields(one)} for one in value]
    return plain(value)


def _standing(container: Container, contact: Mapping[str, str], session: Session) -> Standing:
    frame = session.frames[-1] if session.frames else None
    return Standing(
        awaits=session.awaits,
        wakes_at=session.wakes_at,
        ending=session.ending,
        why=session.why,
        flow=frame.flow if frame is not None else "",
        block=frame.block if frame is not None else "",
        block_name=container.flows[frame.flow].blocks[frame.block].name if frame is not None else "",
        language=session.language,
        replies=session.replies,
        queue=session.queue,
        disposition=session.disposition,
        changed={name: value for name, value in session.contact.items() if contact.get(name) != value},
        groups=dict(session.groups),
    )


def _collected(visits: Sequence[Visit]) -> list[Collected]:
    found: dict[tuple[str, str], Collected] = {}
    for visit in visits:
        if visit.is_question and visit.has_left:
            found[visit.flow, visit.block] = Collected(
                flow=visit.flow,
                block=visit.block,
                name=visit.name,
                exit=visit.exit,
                value=visit.value,
                response=visit.response,
            )
    return list(found.values())
