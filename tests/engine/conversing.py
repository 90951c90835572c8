"""Conversations with starter flows, step by step, without an engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from callsheet.core.flow.document import Container
from callsheet.core.flow.effects import Effect, Say, Step, Visit
from callsheet.core.flow.given import Closed, Given, NoAnswer, Reply, TimedOut, WebhookAnswered
from callsheet.core.flow.reading import read
from callsheet.core.flow.session import Mode, Session
from callsheet.core.flow.starter import Starter, fill
from callsheet.core.flow.step import begin, step
from callsheet.engine.starters import find_starter

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SILENCE = "(silence)"
CLOSED = "(closed)"
MACHINE = "(machine)"
"""Begins what is given to a call that a machine answers."""
NO_ANSWER = "(no answer)"
ASHA = {"first_name": "Asha", "amount": "500", "due_date": "5 December", "appointment_time": "5 December at 10:00"}


def answered(status: int, body: Any) -> WebhookAnswered:
    """Return what a webhook answers."""
    return WebhookAnswered(status, body, START)


def examples(starter: Starter) -> dict[str, str]:
    """Return what each parameter of a starter may be."""
    return {one.name: one.example for one in starter.parameters}


@dataclass
class Talk:
    """A conversation as it went."""

    session: Session
    turns: list[str] = field(default_factory=list)
    """What was said in each step."""
    visits: list[Visit] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)

    def took(self, made: Step) -> None:
        """Note a step."""
        self.session = made.session
        self.turns.append("\n".join(one.text for one in made.effects if isinstance(one, Say)))
        self.visits += made.visits
        self.effects += made.effects

    @property
    def way(self) -> list[tuple[str, str]]:
        """Return the blocks that were left, each with its exit."""
        return [(one.name, one.exit) for one in self.visits if one.has_left]

    def did(self, kind: type[Effect]) -> list[Effect]:
        """Return the effects of a kind."""
        return [one for one in self.effects if isinstance(one, kind)]


def document_of(name: str, said: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the document of a starter, with what was said, or with the examples, in its places."""
    starter = find_starter(name)
    return fill(starter, examples(starter) if said is None else said)


def talk(
    container: Container | str,
    *inputs: str | WebhookAnswered,
    language: str = "eng",
    mode: Mode = Mode.sms,
    contact: Mapping[str, str] = ASHA,
) -> Talk:
    """Talk with a flow: replies as they are written, or what else is given to it."""
    read_one = read(document_of(container)) if isinstance(container, str) else container
    answered_by = "machine" if inputs[:1] == (MACHINE,) else "human" if mode is Mode.ivr else ""
    said = {"contact": contact, "number": "+919860700001", "language": language, "answered_by": answered_by}
    made = begin(read_one, mode=mode, at=START, **said)
    talked = Talk(made.session)
    talked.took(made)
    for number, one in enumerate(inputs[answered_by == "machine" :], 1):
        talked.took(step(read_one, talked.session, _given(one, START + timedelta(hours=number))))
    return talked


def _given(said: str | WebhookAnswered, at: datetime) -> Given:
    match said:
        case WebhookAnswered(status=status, body=body):
            return WebhookAnswered(status, body, at)
        case "(silence)":
            return TimedOut(at)
        case "(closed)":
            return Closed("", at)
        case "(no answer)":
            return NoAnswer("It did not answer in time.", at)
    return Reply(said, at)
