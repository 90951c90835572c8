"""What became of a run: how every contact of it stands, in numbers that add up."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from callsheet.api.v1.shapes import Instant
from callsheet.core.attempt import Kind
from callsheet.core.gate import Reason, Suppress, Wait
from callsheet.core.retrying import may_repeat
from callsheet.core.run import Run, retry_policy, zones_of
from callsheet.engine.runtime import Runtime
from callsheet.store.arming import ARMED, SUPPRESSED, judge_group
from callsheet.store.recording import REJECTED, SEGMENTS, UNMEASURED
from callsheet.store.reports import Left, Waiting


class LeftGroup(BaseModel):
    """Contacts of one group that nobody took yet: they share their list, their zones and their priority.

    Those of a run that has ended were not reached, because it did: nothing opens for them.
    """

    list_id: str
    list_name: str
    zones: list[str]
    """Contact is allowed when all of them are open."""
    priority: int
    contacts: int
    open: bool
    """Whether they may be contacted now; false in a run that has ended."""
    next_open_at: Instant | None
    """When the group opens; null when it is open, when no hour of the campaign fits it, and in a run that has ended."""


class WaitingContacts(BaseModel):
    """Contacts that come again, by reason."""

    reason: str
    contacts: int
    earliest_at: Instant | None
    """Null in a run that has ended: they were waiting when it did."""


class Outcome(BaseModel):
    """How the contacts of a run stand: each is counted once, by its latest attempt."""

    delivered: int
    undelivered: int
    accepted: int
    """Taken by a carrier that has not said more yet."""
    rejected: int
    """Refused for good, such as a number that does not exist."""
    rejected_unsent: dict[str, int]
    """Of the rejected: those that no carrier was asked about, because nothing could be sent to them, by reason."""
    uncertain: int
    """Nobody knows whether the carrier took them. They are shown, and settled by evidence only."""
    suppressed: dict[str, int]
    """Not contacted, by reason; duplicates are counted apart."""
    duplicate: int
    """Further rows of persons who are in the run already."""
    in_flight: int
    """Armed, and without a result yet."""
    left: list[LeftGroup]
    waiting: list[WaitingContacts]


class Effort(BaseModel):
    """What a run has used."""

    attempts: int
    """Tries, those that a carrier refused for now and those that were withdrawn included."""
    refused: int
    withdrawn: int
    segments: int
    """As carriers told us when they took the messages."""
    segments_unknown: int
    """Messages that a carrier took, as its receipt says, while its answer with their segments was lost in a crash."""


class Report(BaseModel):
    """The outcome of a run, and what it took."""

    outcome: Outcome
    effort: Effort


async def report_of(runtime: Runtime, run: Run) -> Report:
    """Return what became of a run until now."""
    reports = runtime.store.reports
    counters = await reports.counters(run.app, run.no)
    left = await reports.left(run.app, run.no)
    waiting = await reports.waiting(run.app, run.no)
    states = {kind: counters.get(kind, 0) for kind in Kind}
    # Only where contacts may have several attempts that a carrier took: it is the dearest question of all.
    comes_again = may_repeat(retry_policy(run.definition, run.settings)) or await reports.called_back(run.app, run.no)
    earlier = await reports.earlier(run.app, run.no) if comes_again else {}
    stand = {kind: states[kind] - earlier.get(kind, 0) for kind in Kind}
    suppressed = _by_reason(counters, SUPPRESSED)
    outcome = Outcome(
        delivered=stand[Kind.delivered],
        undelivered=stand[Kind.undelivered],
        accepted=stand[Kind.accepted],
        rejected=stand[Kind.rejected],
        rejected_unsent=_by_reason(counters, REJECTED),
        uncertain=stand[Kind.uncertain],
        duplicate=suppressed.pop(Reason.duplicate, 0),
        suppressed=suppressed,
        in_flight=max(0, counters.get(ARMED, 0) - sum(states.values())),
        left=[_left(runtime, run, group) for group in left],
        waiting=[_waiting(run, one) for one in waiting],
    )
    effort = Effort(
        attempts=counters.get(ARMED, 0),
        refused=states[Kind.refused],
        withdrawn=states[Kind.withdrawn],
        segments=counters.get(SEGMENTS, 0),
        segments_unknown=counters.get(UNMEASURED, 0),
    )
    return Report(outcome=outcome, effort=effort)


def _by_reason(counters: Mapping[str, int], prefix: str) -> dict[str, int]:
    return {
        name.removeprefix(prefix): value
        for name, value in sorted(counters.items())
        if name.startswith(prefix) and value
    }


def _left(runtime: Runtime, run: Run, left: Left) -> LeftGroup:
    group = left.group
    # Nothing opens for anybody in a run that has ended.
    verdict = judge_group(run, group, runtime.clock.now()) if run.ended_at is None else None
    names = {named.no: named for named in run.definition.contact_lists}
    named = names.get(group.list_no)
    return LeftGroup(
        list_id=named.id if named is not None else "",
        list_name=named.name if named is not None else "",
        zones=sorted(zones_of(run.definition, run.settings, group)),
        priority=group.priority,
        contacts=left.contacts,
        open=verdict is not None and not isinstance(verdict, Wait | Suppress),
        next_open_at=verdict.until if isinstance(verdict, Wait) else None,
    )


def _waiting(run: Run, waiting: Waiting) -> WaitingContacts:
    earliest_at = waiting.earliest_at if run.ended_at is None else None
    return WaitingContacts(reason=waiting.reason, contacts=waiting.contacts, earliest_at=earliest_at)
