"""Preflight of calls: what the calls of a campaign come to before any phone rings. Values in, values out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from callsheet.core.flow.effects import Say
from callsheet.core.flow.opening import Opening
from callsheet.core.flow.session import Ending
from callsheet.core.phone import destination
from callsheet.core.pools import choose
from callsheet.core.preflight import SAYS_NOTHING, UNREADABLE, Person, Tally, counted, new_piles, note
from callsheet.core.preflight_report import Finding, Severity
from callsheet.core.rooms import own_buckets
from callsheet.core.run import Sender
from callsheet.core.template import Unrenderable

USUAL_CALL_SECONDS: Final = 40.0
"""So long a call takes on the average, its ringing counted: what nobody can know before is guessed for the estimate."""
_NOBODY: Final = Sender(0, "", "", 0, None)
_MOST_NAMED: Final = 5


def tally_calls(opening: Opening, persons: Iterable[Person], senders: Sequence[Sender] = ()) -> Tally:
    """Begin the conversation of each contact as if a person had answered, and count what comes of it."""
    piles = new_piles()
    speaking = {sender.no: sender for sender in senders or (_NOBODY,)}
    loads: Counter[str] = Counter()
    contacts = calls = 0
    for person in persons:
        contacts += 1
        if person.spared:
            note(piles["spared"], person.spared, person)
            continue
        if fault := _fault(opening, person):
            note(piles["faults"], fault, person)
            continue
        calls += 1
        for bucket in own_buckets(speaking[choose(speaking, person.person)], person.number, is_member=True):
            loads[bucket.name] += 1
        _note_person(piles, opening, person)
    return Tally(contacts, calls, calls, dict(loads), **counted(piles))


def _note_person(piles: dict[str, dict[Any, list[str]]], opening: Opening, person: Person) -> None:
    for name in opening.blanks(person.attributes):
        note(piles["blanks"], name, person)
    country, kind = destination(person.number)
    note(piles["countries"], country, person)
    note(piles["kinds"], kind, person)


def _fault(opening: Opening, person: Person) -> str:
    """Return why a contact would hear nothing; empty: the call has a beginning."""
    if not person.number:
        return UNREADABLE
    begun = opening.begin(person.attributes, person.number)
    if begun.session.frames or any(isinstance(one, Say) and (one.text or one.audio) for one in begun.effects):
        return ""
    return Unrenderable.code if begun.session.ending is Ending.failed else SAYS_NOTHING


@dataclass(frozen=True, slots=True)
class Way:
    """By what the calls of a campaign would go."""

    refused: str = ""
    """Why its sender carries no calls; empty: it does."""
    broken: tuple[str, ...] = ()
    """Why trunks take no calls, and people may have to act: a sentence for each."""
    waiting: tuple[str, ...] = ()
    """Why others take none at this moment."""
    no_numbers: tuple[str, ...] = ()
    """Caller IDs that are no telephone numbers."""
    at_once: int = 1
    """So many calls go on at once, at most."""


@dataclass(frozen=True, slots=True)
class Voice:
    """What speaks in the calls of a campaign, as it was tried."""

    unspoken: tuple[str, ...] = ()
    """Why some of what the flow says cannot be said: a sentence for each."""
    replaced: tuple[str, ...] = ()
    """Recordings that are not there: the text beside one is spoken, where there is one."""


def call_seconds(calls: int, at_once: int, of_rates: float | None) -> float:
    """Estimate how long so many calls take: by the rates of trunks and senders, and by how many go on at once."""
    return max(of_rates or 0.0, ceil(calls / max(1, at_once)) * USUAL_CALL_SECONDS)


def judge_way(way: Way) -> Iterator[Finding]:
    """Return what is amiss with how calls would be placed."""
    if way.refused:
        yield Finding("no_trunk", Severity.error, way.refused)
    for severity, troubles in ((Severity.error, way.broken), (Severity.warning, way.waiting)):
        for trouble in troubles:
            yield Finding("trunk_unwell", severity, f"A trunk takes no calls now: {trouble}")
    if way.no_numbers:
        named = ", ".join(way.no_numbers[:_MOST_NAMED])
        message = f"The caller ID is no telephone number ({named}): whoever is called may see none."
        yield Finding("caller_id", Severity.warning, message)


def judge_voice(voice: Voice) -> Iterator[Finding]:
    """Return what callers would not hear, or hear in another way."""
    for why in voice.unspoken:
        yield Finding("unspoken", Severity.error, why)
    if voice.replaced:
        named = ", ".join(voice.replaced[:_MOST_NAMED])
        message = f"The app has no sounds of these names: a text beside one is spoken, where there is one ({named})."
        yield Finding("no_sound", Severity.warning, message)


def no_flow(message: str) -> Finding:
    """Say that no flow can lead the calls."""
    return Finding("no_flow", Severity.error, message)
