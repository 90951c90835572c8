"""What a run did as CSV files: written while they are read, so a run of any size takes the same memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence

import msgspec
from starlette.responses import StreamingResponse

from callsheet.api.instants import write_instant
from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.csv_export import CSV, Bom, csv_response
from callsheet.api.v1.runs import OfAttempts, OfState, find_run
from callsheet.api.v1.strict import Router
from callsheet.core.contacts import columns_of
from callsheet.core.errors import RunNotFound
from callsheet.core.run import Run
from callsheet.engine.runtime import Runtime
from callsheet.store.outcomes import ContactOutcome
from callsheet.store.reports import AttemptRecord, WantedAttempts

router = Router(prefix="/v1/apps/{app}/runs/{run_id}", tags=["reports"])

_BLOCK = 1000
_ANSWER = CSV | problems(RunNotFound)
_ATTEMPTS = ("id", "number", "contact_id", "n", "at", "state", "code", "carrier_id", "segments", "ended_at", "sender")
_SUPPRESSIONS = ("contact_id", "number", "reason", "at")
_OUTCOMES = ("number", "state", "code", "attempts", "columns")

Rows = AsyncIterator[Iterable[Sequence[str]]]


@router.get("/attempts.csv", response_class=StreamingResponse, responses=_ANSWER)
async def export_attempts(
    runtime: Served,
    app: Tenant,
    run_id: str,
    wanted: OfAttempts,
    state: OfState = None,
    bom: Bom = False,
) -> StreamingResponse:
    """Return the attempts of a run as a CSV, filtered as their list is."""
    run = await find_run(runtime, app, run_id)
    return csv_response(f"{run.id}-attempts", _ATTEMPTS, _attempts(runtime, run, state, wanted), bom=bom)


@router.get("/suppressions.csv", response_class=StreamingResponse, responses=_ANSWER)
async def export_suppressions(runtime: Served, app: Tenant, run_id: str, bom: Bom = False) -> StreamingResponse:
    """Return who was not contacted, and why, as a CSV."""
    run = await find_run(runtime, app, run_id)
    return csv_response(f"{run.id}-suppressions", _SUPPRESSIONS, _suppressions(runtime, run), bom=bom)


@router.get("/outcomes.csv", response_class=StreamingResponse, responses=_ANSWER)
async def export_outcomes(runtime: Served, app: Tenant, run_id: str, bom: Bom = False) -> StreamingResponse:
    """Return how each contact of a run stands as a CSV: by its latest attempt, or why it was never attempted.

    Contacts that nobody took yet are not in it.
    """
    run = await find_run(runtime, app, run_id)
    return csv_response(f"{run.id}-outcomes", _OUTCOMES, _outcomes(runtime, run), bom=bom)


async def _attempts(runtime: Runtime, run: Run, state: str | None, wanted: WantedAttempts) -> Rows:
    read, after = runtime.store.reports.attempts, None
    while found := await read(run.app, run.no, after=after, limit=_BLOCK, state=state, wanted=wanted):
        yield [_attempt(record) for record in found]
        after = found[-1].person, found[-1].n


def _attempt(record: AttemptRecord) -> Sequence[str]:
    decisive = next((event for event in record.events if event.kind == record.state), None)
    segments = sum(event.segments for event in record.events)
    return (
        record.id,
        record.number,
        record.contact_id,
        str(record.n),
        write_instant(record.at),
        record.state,
        decisive.code if decisive is not None else "",
        next((event.ref for event in record.events if event.ref), ""),
        str(segments) if segments else "",
        write_instant(decisive.at) if decisive is not None else "",
        record.sender,
    )


async def _suppressions(runtime: Runtime, run: Run) -> Rows:
    after: tuple[int, int] | None = None
    while found := await runtime.store.reports.suppressions(run.app, run.no, after=after, limit=_BLOCK):
        yield [(one.contact_id, one.number, one.reason, write_instant(one.at)) for _, one in found]
        after = found[-1][0]


async def _outcomes(runtime: Runtime, run: Run) -> Rows:
    """Read those who were attempted, and then those who never were."""
    outcomes, person, place = runtime.store.outcomes, None, None
    while tried := await outcomes.attempted(run.app, run.no, after=person, limit=_BLOCK):
        yield [_outcome(one) for one in tried]
        person = tried[-1].person
    while spared := await outcomes.spared(run.app, run.no, after=place, limit=_BLOCK):
        yield [_outcome(one) for _, one in spared]
        place = spared[-1][0]


def _outcome(one: ContactOutcome) -> Sequence[str]:
    phone = columns_of(tuple(one.attributes)).phone_number
    columns = {column: cell for column, cell in one.attributes.items() if column != phone}
    return one.number, one.state, one.code, str(one.attempts), msgspec.json.encode(columns).decode() if columns else ""
