"""What a conversation keeps to, whatever its flow says: robots talk for ever, and people sleep."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, NamedTuple

from callsheet.core.flow.session import Mode
from callsheet.core.gate import SEND, Verdict, judge_hours
from callsheet.core.run import AppSettings, Run, zones_of
from callsheet.core.walk import Group


class Patience(NamedTuple):
    """How long a reply is waited for, and how often."""

    usual_seconds: int
    """Where the flow does not say."""
    longest_seconds: int
    """A flow that says more means another mode: then it is as if it said nothing."""
    ends_quietly: bool
    """A flow that says nothing ends at the first silence; else the block is left as by a reply that it refuses."""
    most_silences: int
    """A session ends when so often in a row nobody replied: nobody is reminded for ever."""


_BY_TEXT: Final = Patience(3 * 24 * 3600, 366 * 24 * 3600, ends_quietly=True, most_silences=2)
PATIENCE: Final[Mapping[Mode, Patience]] = MappingProxyType(
    {Mode.sms: _BY_TEXT, Mode.text: _BY_TEXT, Mode.ivr: Patience(10, 120, ends_quietly=False, most_silences=2)}
)
"""By the mode. A call waits from when its prompts are through."""

LATELY: Final = timedelta(hours=24)
MOST_ANSWERS: Final = 100
"""So many answers of flows go to one person within 24 hours through a sender: who asks for more is a robot."""
MOST_SAID: Final = 1600
"""What is said in one step, one message, has at most so many characters: the rest is cut."""
CUT: Final = f"What is said was cut at {MOST_SAID:,} characters."
MOST_BEGUN: Final = 20
"""So many conversations one person begins within 24 hours through a sender."""
TOO_MUCH: Final = f"More than {MOST_ANSWERS} answers within 24 hours: who asks for more is a robot."

LOOKS_AGAIN: Final = timedelta(minutes=1)
"""After so long it is looked again whether a campaign that is paused goes on: until then nobody is reminded."""
LONG_AGO: Final = timedelta(hours=1)
"""Who wrote longer ago than this, or is to hear what was said longer ago, does not wait for it just now."""


def is_long_ago(at: datetime, now: datetime) -> bool:
    """Tell whether something was said so long ago that what follows from it wakes nobody: nobody asked just now."""
    return now - at >= LONG_AGO


def judge_unasked(run: Run | None, group: Group | None, settings: AppSettings, now: datetime) -> Verdict:
    """Judge whether something may be said now that nobody asked for just now: the calling hours of the campaign hold.

    What a reply began without a campaign knows no hours; neither does an emergency.
    """
    if run is None or run.is_emergency:
        return SEND
    own = zones_of(run.definition, settings, group) if group is not None else None
    zones = own or frozenset((run.definition.hours.timezone,))
    return judge_hours(run.definition.hours, zones, now, skip_outside=False)
