"""Reports on a run: what happened when, how contacts stand after how many attempts, and why attempts failed."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from fastapi import Query
from pydantic import AwareDatetime, BaseModel

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.runs import find_run
from callsheet.api.v1.shapes import Instant
from callsheet.api.v1.strict import Router
from callsheet.core.attempt import Kind
from callsheet.core.call_words import words_of
from callsheet.core.campaign import Channel
from callsheet.core.errors import FieldError, Invalid, RunNotFound
from callsheet.store import tallies
from callsheet.store.tallies import Point

router = Router(prefix="/v1/apps/{app}/runs/{run_id}", tags=["reports"])

MOST_POINTS = 2000
"""Of a timeline: a day of minutes fits."""
_FAILURES = (Kind.rejected, Kind.undelivered, Kind.refused, Kind.uncertain)


class Step(StrEnum):
    """How long one point of a timeline is; days are days in UTC."""

    minute = "minute"
    hour = "hour"
    day = "day"


class TimelinePoint(BaseModel):
    """What happened within one step. An attempt that was accepted and then delivered counts as both."""

    at: Instant
    """Where the step begins."""
    accepted: int
    delivered: int
    undelivered: int
    rejected: int
    refused: int
    uncertain: int


class Timeline(BaseModel):
    """The steps of a run in which something happened, the earliest first."""

    step: Step
    points: list[TimelinePoint]


class DispositionRow(BaseModel):
    """Contacts in one state, by the number of their latest attempt."""

    disposition: str
    """The state of the latest attempt."""
    outcome: str = ""
    """Of calls: what came of the latest one, such as `human`, `busy` or `no_answer`; empty for messages."""
    word: str = ""
    """Of calls: the same in the words of the documented dashboard, such as `Connected`; empty for messages."""
    said: str = ""
    """Of calls: the disposition that the flow gave it (`Callsheet.SetDisposition`); empty: none."""
    contacts: int
    by_attempts: dict[int, int]
    """How many contacts by how many attempts they have used; tries that nobody took use up none."""


class Dispositions(BaseModel):
    """How the attempted contacts of a run stand: only the latest attempt of each counts."""

    contacts: int
    rows: list[DispositionRow]


class CodeRow(BaseModel):
    """One reason for which attempts failed, or may have."""

    kind: str
    """`rejected`, `undelivered`, `refused` or `uncertain`."""
    code: str
    """The carrier's own code, or a stable word; empty when nobody said why."""
    attempts: int


class Codes(BaseModel):
    """Why attempts failed, the most frequent reason first."""

    items: list[CodeRow]


From = Annotated[AwareDatetime | None, Query(description="Only what happened from this instant on (ISO 8601).")]
To = Annotated[AwareDatetime | None, Query(description="Only what happened before this instant (ISO 8601).")]


@router.get("/timeline", responses=problems(RunNotFound))
async def get_timeline(
    runtime: Served, app: Tenant, run_id: str, step: Step = Step.hour, since: From = None, until: To = None
) -> Timeline:
    """Return what happened in a run, step by step; steps in which nothing did are left out."""
    run = await find_run(runtime, app, run_id)
    points = await runtime.store.tallies.timeline(
        app.no, run.no, tallies.Step[step], since=since, until=until, limit=MOST_POINTS + 1
    )
    if len(points) > MOST_POINTS:
        sentence = f"These are more than {MOST_POINTS} points: take a longer step, or narrow it by since and until."
        raise Invalid([FieldError("step", sentence)])
    return Timeline(step=step, points=[_point(point) for point in points])


@router.get("/dispositions", responses=problems(RunNotFound))
async def get_dispositions(runtime: Served, app: Tenant, run_id: str) -> Dispositions:
    """Return how the attempted contacts of a run stand, by disposition and attempt."""
    run = await find_run(runtime, app, run_id)
    calls, counted = run.channel is Channel.voice, runtime.store.tallies
    found = await (counted.call_dispositions if calls else counted.dispositions)(app.no, run.no)
    rows: dict[tuple[str, str, str], dict[int, int]] = {}
    for cell in found:
        rows.setdefault((cell.state, cell.code, cell.said), {})[cell.attempts] = cell.contacts
    shown = [
        DispositionRow(
            disposition=state, outcome=code, word=_word(state, code) if calls else "", said=said,
            contacts=sum(cells.values()), by_attempts=cells,
        )
        for (state, code, said), cells in rows.items()
    ]  # fmt: skip
    return Dispositions(contacts=sum(row.contacts for row in shown), rows=shown)


@router.get("/codes", responses=problems(RunNotFound))
async def get_codes(runtime: Served, app: Tenant, run_id: str) -> Codes:
    """Return why attempts of a run failed, or may have, by the carrier's codes."""
    run = await find_run(runtime, app, run_id)
    found = await runtime.store.tallies.codes(app.no, run.no, _FAILURES)
    return Codes(items=[CodeRow(kind=one.kind, code=one.code, attempts=one.attempts) for one in found])


def _word(state: str, code: str) -> str:
    words = words_of(state, code)
    return words.disposition.value if words is not None else ""


def _point(point: Point) -> TimelinePoint:
    return TimelinePoint(
        at=point.at, **{name: point.events[name] for name in TimelinePoint.model_fields if name != "at"}
    )
