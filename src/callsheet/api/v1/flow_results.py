"""What flows collected: counts of each block, and every answer in the shape of the Flow Results specification."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Annotated, Any, Final

import msgspec
from fastapi import Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict
from starlette.responses import StreamingResponse

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.csv_export import CSV, Bom, csv_response
from callsheet.api.v1.flow_documents import read_document
from callsheet.api.v1.flow_packages import (
    Descriptor,
    Links,
    Package,
    PackageField,
    PackageQuestion,
    PackageResource,
    PackageSchema,
    Relations,
    Rows,
    RowsOf,
    RowsPage,
)
from callsheet.api.v1.flow_versions import find_flow
from callsheet.api.v1.runs import find_run
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Limit, no_cursor
from callsheet.api.v1.strict import Router
from callsheet.core.errors import FlowNotFound, RunNotFound
from callsheet.core.flow.questions import Outline, Question, language, outlines, questions
from callsheet.core.ids import Prefix
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App
from callsheet.store.flow_results import Answer, Counted, Place, Wanted
from callsheet.store.flow_versions import ListedFlow

router = Router(prefix="/v1/apps/{app}/flows/{flow_id}/results", tags=["flows"])

_BLOCK = 1000
_PROFILE: Final = "flow-results-package"
_SPECIFICATION: Final = "1.0.0-rc1"
_FIELDS: Final = {
    "timestamp": ("Timestamp", "datetime"),
    "row_id": ("Row ID", "string"),
    "contact_id": ("Contact ID", "string"),
    "session_id": ("Session ID", "string"),
    "question_id": ("Question ID", "string"),
    "response": ("Response", "any"),
    "response_metadata": ("Response Metadata", "object"),
}
_NO_NAME = re.compile(r"[^a-z0-9._-]+")


class ExitCount(BaseModel):
    """How many left a block by an exit."""

    name: str
    count: int


class ValueCount(BaseModel):
    """How many chose a value."""

    value: str
    count: int


class BlockCounts(BaseModel):
    """What happened at a block; whoever comes there again is counted again."""

    flow: str
    """The uuid of its flow."""
    block: str
    """Its uuid."""
    name: str
    label: str
    kind: str
    """Its type."""
    came: int
    exits: list[ExitCount]
    values: list[ValueCount]
    """Of questions with choices."""
    stayed: int
    """Came, and left by no exit: they wait there still, or their conversation ended there."""


class Results(BaseModel):
    """The counts of a flow, exact at the moment of asking."""

    flow_id: str
    version: int | None
    """Null: of all versions."""
    run_id: str | None
    """Null: of all runs, and of conversations that replies began."""
    blocks: list[BlockCounts]
    """In the order of the latest document that has them."""


class _Asked(BaseModel):
    """Which results of which flow the path and the query ask for."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    flow: ListedFlow
    wanted: Wanted
    version: int | None
    run_id: str | None


async def _asked(
    runtime: Served,
    app: Tenant,
    flow_id: str,
    version: Annotated[
        int | None, Query(ge=1, le=1_000_000_000, description="Only conversations with this version of the flow.")
    ] = None,
    run: Annotated[str | None, Query(max_length=128, description="Only conversations that this run began.")] = None,
) -> _Asked:
    flow = await find_flow(runtime, app, flow_id)
    run_no = (await find_run(runtime, app, run)).no if run else None
    return _Asked(flow=flow, wanted=Wanted(app.no, flow.no, version, run_no), version=version, run_id=run or None)


async def _asked_rows(
    asked: Annotated[_Asked, Depends(_asked)],
    from_at: Annotated[AwareDatetime | None, Query(description="Only answers of this instant and later.")] = None,
    to_at: Annotated[AwareDatetime | None, Query(description="Only answers before this instant.")] = None,
) -> _Asked:
    return asked.model_copy(update={"wanted": asked.wanted._replace(from_at=from_at, to_at=to_at)})


Asked = Annotated[_Asked, Depends(_asked)]
AskedRows = Annotated[_Asked, Depends(_asked_rows)]
_FAILURES = problems(FlowNotFound, RunNotFound)


@router.get("", responses=_FAILURES)
async def count_results(runtime: Served, app: Tenant, asked: Asked) -> Results:
    """Return what happened at each block of a flow."""
    counts = await runtime.store.flow_results.counts(asked.wanted)
    outlined = await _outlines(runtime, app, asked.flow, {(one.flow, one.block) for one in counts})
    return Results(
        flow_id=asked.flow.id, version=asked.version, run_id=asked.run_id, blocks=list(_count(counts, outlined))
    )


@router.get("/package", responses=problems(FlowNotFound))
async def describe_results(runtime: Served, app: Tenant, request: Request, flow_id: str) -> Package:
    """Describe what a flow collects as a Flow Results package (FLOIP)."""
    flow = await find_flow(runtime, app, flow_id)
    bodies = await runtime.store.flow_versions.bodies(app.no, flow.no)
    found: dict[str, Question] = {}
    for body in bodies.values():
        # What a later version says of a question counts; what it does not ask any more stays.
        found |= {question.block: question for question in questions(read_document(body))}
    document = read_document(bodies.get(flow.version, ""))
    name = _NO_NAME.sub("-", flow.name.lower()).strip("-") or flow.id
    schema = PackageSchema(
        language=language(document),
        fields=[PackageField(name=key, title=title, type=kind) for key, (title, kind) in _FIELDS.items()],
        questions={
            block: PackageQuestion(type=one.kind, label=one.label, type_options=dict(one.options))
            for block, one in found.items()
        },
    )
    resource = PackageResource(
        path=None,
        api_data_url=_url(request, app, flow, "rows"),
        name=f"{name}-rows",
        mediatype="application/json",
        encoding="utf-8",
        schema_=schema,
    )
    return Package(
        profile=_PROFILE,
        flow_results_specification=_SPECIFICATION,
        flow_results_specification_version=_SPECIFICATION,
        id=_package_id(flow),
        name=name,
        title=flow.name,
        created=flow.created_at.isoformat(),
        modified=flow.updated_at.isoformat(),
        resources=[resource],
    )


@router.get("/rows", responses=_FAILURES)
async def list_rows(
    runtime: Served, app: Tenant, request: Request, asked: AskedRows, after: After = None, limit: Limit = USUAL_LIMIT
) -> Rows:
    """Return answers as rows of a Flow Results package (FLOIP), in the order of their instants."""
    results = runtime.store.flow_results
    place = await results.place(app.no, asked.flow.no, after) if after else None
    if after and place is None:
        raise no_cursor()
    found = await results.answers(asked.wanted, after=place, limit=limit + 1)
    follows = found[limit - 1].id if len(found) > limit else None
    links = Links(
        self=str(request.url),
        next=str(request.url.include_query_params(after=follows)) if follows is not None else None,
        previous=None,
    )
    descriptor = Descriptor(links={"self": _url(request, app, asked.flow, "package")})
    page = RowsPage(
        type="flow-results-data",
        id=_package_id(asked.flow),
        attributes=RowsOf(responses=[_row(one) for one in found[:limit] if one.value is not None]),
        relationships=Relations(descriptor=descriptor, links=links),
    )
    return Rows(data=page, next=follows)


@router.get("/rows.csv", response_class=StreamingResponse, responses=CSV | _FAILURES)
async def export_rows(runtime: Served, asked: AskedRows, bom: Bom = False) -> StreamingResponse:
    """Return all answers as a CSV with the columns of a Flow Results package, written while it is read."""
    return csv_response(f"{asked.flow.id}-rows", tuple(_FIELDS), _cells(runtime, asked.wanted), bom=bom)


async def _cells(runtime: Runtime, wanted: Wanted) -> AsyncIterator[Iterable[Sequence[str]]]:
    after: Place | None = None
    while found := await runtime.store.flow_results.answers(wanted, after=after, limit=_BLOCK):
        yield [[_cell(value) for value in _row(one)] for one in found if one.value is not None]
        after = found[-1].place


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _row(answer: Answer) -> list[Any]:
    # An instant in UTC has +00:00 there, and no Z.
    return [
        answer.at.isoformat(timespec="milliseconds"),
        answer.id,
        answer.person.hex(),
        answer.conversation_id,
        answer.block,
        answer.value,
        {"response": answer.response, "version": answer.version},
    ]


async def _outlines(
    runtime: Runtime, app: App, flow: ListedFlow, wanted: set[tuple[str, str]]
) -> dict[tuple[str, str], Outline]:
    """Return blocks as the latest document writes that has them: those of the present one, and of these."""
    bodies = await runtime.store.flow_versions.bodies(app.no, flow.no)
    found: dict[tuple[str, str], Outline] = {}
    for version in sorted(bodies, reverse=True):
        if found and wanted <= found.keys():
            break
        for one in outlines(read_document(bodies[version])):
            if version == flow.version or (one.flow, one.block) in wanted:
                found.setdefault((one.flow, one.block), one)
    return found


def _count(counts: Sequence[Counted], outlined: dict[tuple[str, str], Outline]) -> Iterator[BlockCounts]:
    places = dict.fromkeys((*outlined, *((one.flow, one.block) for one in counts)))
    came: Counter[tuple[str, str]] = Counter()
    exits: dict[tuple[str, str], list[ExitCount]] = {}
    values: dict[tuple[str, str], list[ValueCount]] = {}
    for one in counts:
        place = one.flow, one.block
        if one.what == "came":
            came[place] += one.times
        elif one.what == "exit":
            exits.setdefault(place, []).append(ExitCount(name=one.name, count=one.times))
        else:
            values.setdefault(place, []).append(ValueCount(value=one.name, count=one.times))
    for place in places:
        outline = outlined.get(place) or Outline(*place, "", "", "")
        left = sum(way.count for way in exits.get(place, ()))
        yield BlockCounts(
            flow=outline.flow,
            block=outline.block,
            name=outline.name,
            label=outline.label,
            kind=outline.kind,
            came=came[place],
            exits=exits.get(place, []),
            values=values.get(place, []),
            stayed=came[place] - left,
        )


def _package_id(flow: ListedFlow) -> str:
    """Return the id of a flow's package: a version 4 UUID, as that of the flow is."""
    return flow.id.removeprefix(Prefix.flow)


def _url(request: Request, app: App, flow: ListedFlow, what: str) -> str:
    return f"{str(request.base_url).rstrip('/')}/v1/apps/{app.id}/flows/{flow.id}/results/{what}"
