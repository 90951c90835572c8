"""What is answered to a reply by itself: that a STOP was heard, what HELP asks for, that a START was heard.

One text without marketing within five minutes of a STOP (47 CFR 64.1200(a)(12)), and none where nothing changed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from callsheet.core.opting_out import Word
from callsheet.core.segments import measure

REPLY, DOUBT, CARRIER, API = "reply", "doubt", "carrier", "api"
"""What an opt-out comes by: their STOP, their perhaps, their STOP to the carrier, or somebody who wrote it down."""

OWN: Final = frozenset({REPLY, DOUBT, CARRIER})
"""What a person took away, and a START gives back. What others wrote down for them stays."""

HOUR, DAY = timedelta(hours=1), timedelta(hours=24)
MOST_IN_A_DAY: Final = 10
"""So many answers of a kind go to one person within 24 hours: who sends more is a robot."""
MOST_SEGMENTS: Final = 3

BRAND: Final = "{{brand}}"
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{%|%\}")


class ReplyKind(StrEnum):
    """What a message of ours answers."""

    stop = "stop"
    help = "help"
    start = "start"
    flow = "flow"
    """What a flow says."""
    agent = "agent"
    """What somebody of a queue says."""


class ReplyState(StrEnum):
    """How such a message stands."""

    waiting = "waiting"
    taken = "taken"
    """On its way; it is never taken twice."""
    accepted = "accepted"
    rejected = "rejected"
    uncertain = "uncertain"
    """Nobody knows whether the carrier took it. It is not repeated."""
    expired = "expired"
    """It could not leave in time, or might not."""


MOST_IN_AN_HOUR: Mapping[ReplyKind, int] = {ReplyKind.help: 3, ReplyKind.start: 3}
"""So many of a kind within an hour. A STOP is confirmed whenever it opts out."""

URGENCY: Final = (ReplyKind.stop, ReplyKind.start, ReplyKind.help, ReplyKind.agent, ReplyKind.flow)
"""What is sent first, of what is due on the same sender."""

LASTS: Mapping[ReplyKind, timedelta] = {
    ReplyKind.stop: timedelta(minutes=5),
    ReplyKind.help: timedelta(hours=1),
    ReplyKind.start: timedelta(hours=1),
    ReplyKind.flow: timedelta(hours=1),
    ReplyKind.agent: timedelta(hours=1),
}
"""How long an answer may wait for its turn."""

PATIENT: Final = frozenset({ReplyKind.flow, ReplyKind.agent})
"""What somebody waits for in a conversation: the time in which nothing may leave at all does not count for it."""

USUAL_TEXTS: Mapping[ReplyKind, str] = {
    ReplyKind.stop: f"{BRAND}: You will get no more messages from us. Reply START to get them again, HELP for help.",
    ReplyKind.help: f"{BRAND}: Reply STOP to get no more messages from us, START to get them again.",
    ReplyKind.start: f"{BRAND}: You will get our messages again. Reply STOP to end them, HELP for help.",
}
"""What is answered where an app chose nothing."""


class Answered(NamedTuple):
    """How many answers of a kind went to a person lately."""

    within_hour: int = 0
    within_day: int = 0


class Decision(NamedTuple):
    """What comes of a reply."""

    word: Word
    opts_out: str = ""
    """By which source it opts out; empty: it does not, or did before."""
    lifts: frozenset[str] = frozenset()
    """The sources of the opt-outs that it takes back."""
    answer: ReplyKind | None = None


def decide(
    word: Word, sources: Collection[str], answered: Mapping[ReplyKind, Answered], *, carrier_answers_stop: bool
) -> Decision:
    """Decide what comes of a reply.

    `sources`: by what its person is opted out now. `answered`: what they were answered lately, each kind by itself, so
    that no kind takes the place of another.
    """
    decision = _decide(word, frozenset(sources), carrier_answers_stop=carrier_answers_stop)
    kind = decision.answer
    if kind is None:
        return decision
    lately = answered.get(kind, Answered())
    hourly = MOST_IN_AN_HOUR.get(kind, MOST_IN_A_DAY)
    is_robot = lately.within_hour >= hourly or lately.within_day >= MOST_IN_A_DAY
    return decision._replace(answer=None) if is_robot else decision


def _decide(word: Word, sources: frozenset[str], *, carrier_answers_stop: bool) -> Decision:
    match word:
        case Word.stop | Word.doubt:
            source = REPLY if word is Word.stop else DOUBT
            known = source in sources or REPLY in sources
            answer = None if sources or carrier_answers_stop else ReplyKind.stop
            return Decision(word, "" if known else source, answer=answer)
        case Word.start if sources & OWN:
            # To whom somebody else's word still keeps us silent, we do not say that we come again.
            return Decision(word, lifts=sources & OWN, answer=None if sources - OWN else ReplyKind.start)
        case Word.help:
            return Decision(word, answer=ReplyKind.help)
        case _:
            return Decision(Word.none)


def write_answer(kind: ReplyKind, chosen: str | None, brand: str) -> str:
    """Return the text of an answer: what the app chose, else the usual one. Empty: none is sent."""
    return (USUAL_TEXTS.get(kind, "") if chosen is None else chosen).replace(BRAND, brand).strip()


def fault_of(text: str) -> str | None:
    """Say what is wrong with the text of an answer that somebody chose; None when it can be sent."""
    if _PLACEHOLDER.search(text.replace(BRAND, "")):
        return f"The only placeholder here is {BRAND}, the name of the app"
    if measure(text).count > MOST_SEGMENTS:
        return f"This must not be longer than {MOST_SEGMENTS} segments"
    return None
