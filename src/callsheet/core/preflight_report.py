"""What a preflight found: what should keep a campaign from its start, what to look at, and what it costs and takes."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import ceil

from callsheet.core.allowance import OF_APP, Bucket, bucket_of_class
from callsheet.core.hours import CallingHours, is_open_in_all, next_change, next_open
from callsheet.core.phone import MOBILE_KINDS
from callsheet.core.preflight import SAYS_NOTHING, UNREADABLE, Pile, Piles, Tally, median_segments
from callsheet.core.run import Sender

MOST_SEGMENTS = 255
"""More parts no header of a long message can count (3GPP TS 23.040, 9.2.3.24.1)."""
USUAL_SEGMENTS = 10
"""A text above this is more often a paste of the wrong thing than a message."""
OUTLIER_TIMES = 3
"""A message of so many times the segments of the one in the middle is more often a slip than meant."""
LONG_DAYS = 1
"""What takes longer than this at the sender's pace is said."""
DAY_SECONDS = 86_400
_SHOWN_ZONES = 3


class Severity(StrEnum):
    """How bad it is."""

    error = "error"
    """Some messages cannot leave: a start that requires a preflight is refused."""
    warning = "warning"
    """Worth a look before money is spent."""
    info = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found."""

    code: str
    """For programs: it does not change."""
    severity: Severity
    message: str
    contacts: int = 0
    samples: tuple[str, ...] = ()
    """A few of these contacts, by their ids."""


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast the messages of one limit may leave; none: as fast as the carrier takes them."""

    segments_per_second: float | None = None
    segments_per_day: int | None = None

    def seconds_for(self, segments: int) -> float | None:
        """Return how long so many segments take at least, from the first to the last; None when nothing limits them.

        With a daily cap all days but the last are whole ones.
        """
        if self.segments_per_second is None and self.segments_per_day is None:
            return None
        days = 0 if self.segments_per_day is None else max(0, ceil(segments / self.segments_per_day) - 1)
        rest = segments - days * (self.segments_per_day or 0)
        return days * DAY_SECONDS + (rest / self.segments_per_second if self.segments_per_second else 0.0)


def limits_of(senders: Iterable[Sender], messages_per_minute: float | None) -> Mapping[str, Bucket]:
    """Return every limit that messages through these senders may meet, by its name."""
    found = {} if messages_per_minute is None else {OF_APP: Bucket(OF_APP, messages_per_minute / 60)}
    for one in senders:
        owners = (one.id, one.allowance), (one.trunk_id, one.trunk_allowance)
        classes = [bucket_of_class(owner, allowance, of) for owner, allowance in owners for of in allowance.classes]
        found |= {bucket.name: bucket for bucket in (*one.buckets, *classes)}
    return found


def seconds_of(tally: Tally, limits: Mapping[str, Bucket]) -> float | None:
    """Return how long the messages take at least; None when nothing limits them.

    Each limit has its load, and the slowest decides. At the rates that all messages share everyone else goes too.
    """
    loads = {**tally.loads, OF_APP: tally.segments}
    met = [(limits[name], load) for name, load in loads.items() if name in limits]
    shared = [bucket.segments_per_second for bucket, load in met if load == tally.segments]
    times = []
    for bucket, load in met:
        rates = [rate for rate in (bucket.segments_per_second, *shared) if rate is not None]
        times.append(Speed(min(rates, default=None), bucket.segments_per_day).seconds_for(load))
    return max((seconds for seconds in times if seconds is not None), default=None)


@dataclass(frozen=True, slots=True)
class ZoneHours:
    """Contacts that share a set of zones, and when all of these are open."""

    zones: tuple[str, ...]
    contacts: int
    is_open: bool
    opens_at: datetime | None
    """When they open next; none while they are open, and where no hour of the campaign fits all of them."""
    closes_at: datetime | None
    """When they close next; none while they are closed, and where they never close."""

    @property
    def never(self) -> bool:
        """No hour of the campaign fits all of them."""
        return not self.is_open and self.opens_at is None


def zone_hours(hours: CallingHours, zones: frozenset[str], contacts: int, now: datetime) -> ZoneHours:
    """Say when contacts of a set of zones may be contacted."""
    is_open = is_open_in_all(hours, zones, now)
    opens_at = None if is_open else next_open(hours, zones, now)
    return ZoneHours(tuple(sorted(zones)), contacts, is_open, opens_at, _closes_at(hours, zones, now, is_open=is_open))


def _closes_at(hours: CallingHours, zones: frozenset[str], now: datetime, *, is_open: bool) -> datetime | None:
    return next_change(hours, zones, now) if is_open else None


def judge(
    tally: Tally,
    seconds: float | None,
    zones: Sequence[ZoneHours],
    *,
    text: str,
    has_sender: bool = True,
    has_help: bool = True,
    also: Iterable[Finding] = (),
) -> tuple[Finding, ...]:
    """Return what was found, the worst first.

    `seconds`: how long it takes at least. `text` is the campaign's own, with its placeholders. `has_help`: the app
    chose what is answered to HELP. `also`: what else was found.
    """
    found = [
        *also,
        *_of_senders(has_sender=has_sender),
        *_of_audience(tally, zones),
        *_of_faults(tally.faults),
        *_of_sizes(tally),
        *_of_blanks(tally),
        *_of_characters(tally, text),
        *_of_numbers(tally),
        *_of_time(seconds),
        *_of_help(has_help=has_help),
    ]
    order = list(Severity)
    return tuple(sorted(found, key=lambda finding: order.index(finding.severity)))


def no_text(message: str) -> Finding:
    """Say that there is no text to render."""
    return Finding("no_text", Severity.error, message)


def is_simulated(message: str) -> Finding:
    """Say that nobody out there is reached."""
    return Finding("simulated", Severity.warning, message)


def broken_off() -> Finding:
    """Say that the look itself broke."""
    return Finding("broken_off", Severity.error, "This preflight broke off, and the log says why.")


def blocks(findings: Sequence[Finding]) -> list[str]:
    """Return the sentences of what keeps a campaign from its start where a preflight is required."""
    return [finding.message for finding in findings if finding.severity is Severity.error]


def _found(code: str, severity: Severity, message: str, pile: Pile) -> Finding:
    return Finding(code, severity, message, pile.contacts, pile.samples)


def _of_senders(*, has_sender: bool) -> Iterator[Finding]:
    if not has_sender:
        yield Finding("no_sender", Severity.error, "The sender of this campaign does not exist.")


def _of_audience(tally: Tally, zones: Sequence[ZoneHours]) -> Iterator[Finding]:
    if not tally.leaving:
        yield Finding("nobody", Severity.error, "Nobody would get a message, or a call.")
    for reason, pile in tally.spared.items():
        yield _found(f"spared_{reason}", Severity.info, _SPARED.get(reason, reason), pile)
    never = [zone for zone in zones if zone.never]
    if never:
        named = "; ".join(", ".join(zone.zones[:_SHOWN_ZONES]) for zone in never[:_SHOWN_ZONES])
        message = f"No hour of the campaign fits all zones of these contacts: they are left out ({named})."
        yield Finding("no_common_hour", Severity.warning, message, sum(zone.contacts for zone in never))


_SPARED: Mapping[str, str] = {
    "filtered": "The filter does not mean these contacts.",
    "duplicate": "These contacts stand in the lists a second time, and are contacted once.",
    "dnc": "These contacts are on a DNC list now.",
    "opted_out": "These contacts have opted out.",
}


def _of_faults(faults: Piles) -> Iterator[Finding]:
    for code, pile in faults.items():
        message = _FAULTS.get(code, "The message cannot be made from the columns of these contacts.")
        yield _found(code, Severity.error, message, pile)


_FAULTS: Mapping[str, str] = {
    UNREADABLE: "The rows of these contacts are damaged and cannot be read.",
    SAYS_NOTHING: "The flow says nothing to these contacts, asks nothing, and ends: they would hear silence.",
    "empty_message": "Nothing is left of the message with the columns of these contacts.",
}


def _of_sizes(tally: Tally) -> Iterator[Finding]:
    impossible = _above(tally, MOST_SEGMENTS)
    if impossible.contacts:
        yield _found("too_long", Severity.error, "These messages have more than 255 segments.", impossible)
    long = _above(tally, USUAL_SEGMENTS, MOST_SEGMENTS)
    if long.contacts:
        message = f"These messages have more than {USUAL_SEGMENTS} segments."
        yield _found("many_segments", Severity.warning, message, long)
    median = median_segments(tally.sizes)
    outliers = _above(tally, median * OUTLIER_TIMES, USUAL_SEGMENTS)
    if outliers.contacts:
        message = f"These messages have more than {median * OUTLIER_TIMES} segments, where {median} are usual here."
        yield _found("outlier", Severity.warning, message, outliers)


def _above(tally: Tally, least: int, most: int | None = None) -> Pile:
    """Put together the messages of more than `least` segments, and of no more than `most`."""
    piles = (
        tally.sizes[size] for size in sorted(tally.sizes, reverse=True) if size > least and (not most or size <= most)
    )
    return sum(piles, Pile())


def _of_blanks(tally: Tally) -> Iterator[Finding]:
    for name, pile in tally.blanks.items():
        everybody = pile.contacts == tally.leaving
        severity = Severity.error if everybody else Severity.warning
        whom = "all contacts" if everybody else "these contacts"
        yield _found("blank", severity, f"The placeholder {name} stays blank for {whom}, and has no default.", pile)


def _of_characters(tally: Tally, text: str) -> Iterator[Finding]:
    for character, pile in tally.characters.items():
        whence = "the text itself" if character in text else "what contacts have in their columns"
        message = (
            f"{named(character)} forces UCS-2, in which a segment has 70 characters and not 160: it is in {whence}."
        )
        yield _found("forces_ucs2", Severity.warning, message, pile)


def named(character: str) -> str:
    """Name a character so that one that is not seen is understood too."""
    shown = f"{character} " if character.isprintable() and not unicodedata.combining(character) else ""
    return f"{shown}U+{ord(character):04X} {unicodedata.name(character, '')}".strip()


def _of_numbers(tally: Tally) -> Iterator[Finding]:
    for kind, pile in tally.kinds.items():
        if tally.messages and kind not in MOBILE_KINDS:
            message = f"These numbers are not mobile ({kind.replace('_', ' ')})."
            yield _found("not_mobile", Severity.warning, message, pile)


def _of_help(*, has_help: bool) -> Iterator[Finding]:
    if not has_help:
        message = "The usual answer to HELP does not say how to reach you: set help_reply to one that does."
        yield Finding("help_without_contact", Severity.warning, message)


def _of_time(seconds: float | None) -> Iterator[Finding]:
    if seconds is not None and seconds > LONG_DAYS * DAY_SECONDS:
        days = seconds / DAY_SECONDS
        yield Finding("slow", Severity.warning, f"At the pace of its sender this takes {days:.1f} days at least.")
