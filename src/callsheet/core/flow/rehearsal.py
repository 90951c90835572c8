"""A rehearsal: a flow with made-up replies. Nothing is sent, nobody is asked; time passes only in the transcript."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, NamedTuple

from callsheet.core.flow.document import Container
from callsheet.core.flow.effects import Step
from callsheet.core.flow.given import Given, Reply, TimedOut
from callsheet.core.flow.languages import find_language
from callsheet.core.flow.session import Ending, Mode, Session
from callsheet.core.flow.step import HUNG_UP, end, step
from callsheet.core.opting_out import OPTS_OUT, Word, read_reply

MOST_VISITS: Final = 5000
"""So many visits a rehearsal makes, at most: longer ones tell nothing new, and take time that others wait."""
_LONGEST_LANGUAGE: Final = 40
_ENDED: Final = "The conversation has ended."
_OPTED_OUT: Final = "The reply opts the contact out."
_ANSWERED: Final = "The reply is answered as every {word} is, and not given to the flow."


USUAL_PAUSE_SECONDS: Final[Mapping[Mode, float]] = MappingProxyType({Mode.sms: 60, Mode.text: 60, Mode.ivr: 5})
"""How long after what came before it a cue comes, where nobody says it."""


class Cue(NamedTuple):
    """What is given next."""

    given: Given | None
    """None: the contact hangs up. Its instant does not count; a `TimedOut` comes when the session waits no longer."""
    after_seconds: float = 60
    """How long after what came before it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of a cue."""

    at: datetime
    given: Given | None
    """None: the beginning, or the contact hung up."""
    step: Step
    was_taken: bool = True
    why: str = ""
    """Why it was not taken, or what else came of it; of the beginning, which wanted language is not spoken."""


def rehearse(container: Container, first: Step, at: datetime, cues: Iterable[Cue], wanted: str = "") -> Iterator[Turn]:
    """Yield the beginning of a session, which was at an instant, and what comes of each cue.

    A cue that comes later than the session waits comes after the silence, as a turn of its own. The beginning says so
    where the flow does not speak the wanted language; empty: none is wanted.
    """
    yield Turn(at, None, first, why=_unspoken(container, first.session, wanted))
    session = first.session
    for cue in cues:
        due = at + timedelta(seconds=cue.after_seconds)
        is_silence = isinstance(cue.given, TimedOut)
        while session.wakes_at is not None and (is_silence or session.wakes_at <= due):
            at = session.wakes_at
            turn = _give(container, session, TimedOut(at))
            session = turn.step.session
            yield turn
            if is_silence:
                break
        else:
            at = max(at, due)
            turn = _give(container, session, replace(cue.given, at=at)) if cue.given else _hang_up(session, at)
            session = turn.step.session
            yield turn


def _unspoken(container: Container, session: Session, wanted: str) -> str:
    flow = container.flows[container.first]
    if not wanted.strip() or not flow.languages or find_language(flow, wanted) is not None:
        return ""
    return f"The flow does not speak {wanted.strip()[:_LONGEST_LANGUAGE]}: it speaks {session.language} instead."


def _hang_up(session: Session, at: datetime) -> Turn:
    if not session.frames:
        return Turn(at, None, Step(session, (), ()), was_taken=False, why=_ENDED)
    return Turn(at, None, Step(end(session, Ending.hung_up, HUNG_UP), (), ()), why=HUNG_UP)


def _give(container: Container, session: Session, given: Given) -> Turn:
    stays = Step(session, (), ())
    if not session.frames:
        return Turn(given.at, given, stays, was_taken=False, why=_ENDED)
    if session.visits > MOST_VISITS:
        why = f"The rehearsal goes no further: it made {session.visits} visits."
        return Turn(given.at, given, stays, was_taken=False, why=why)
    word = read_reply(given.text) if isinstance(given, Reply) else Word.none
    if word in OPTS_OUT:
        ended = Step(end(session, Ending.opted_out, _OPTED_OUT), (), ())
        return Turn(given.at, given, ended, why=_OPTED_OUT)
    if word is not Word.none:
        return Turn(given.at, given, stays, was_taken=False, why=_ANSWERED.format(word=word.value.upper()))
    made = step(container, session, given)
    if made.session is session:
        why = f"It is not what the conversation waits for: {session.awaits.value}."
        return Turn(given.at, given, made, was_taken=False, why=why)
    return Turn(given.at, given, made)
