"""Starter flows: experience flows that come with the package, to be installed in an app."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body as InBody
from fastapi import Path
from pydantic import BaseModel, Field

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.flows import Flow
from callsheet.api.v1.shapes import Body, LongName, Page
from callsheet.api.v1.strict import Router
from callsheet.core.errors import NameTaken, StarterNotFound
from callsheet.core.fence import LONGEST_URL
from callsheet.core.flow.starter import Parameter, ParameterKind, Starter
from callsheet.engine import starters

router = Router(prefix="/v1/apps/{app}/flow-starters", tags=["flows"])

MOST_PARAMETERS = 20

Said = Annotated[str, Field(max_length=LONGEST_URL)]


class ShownParameter(BaseModel):
    """What is said when a starter is installed."""

    name: str
    kind: ParameterKind
    description: str
    required: bool
    example: str


class ShownStarter(BaseModel):
    """A flow that is ready to be used."""

    name: str
    """By which it is installed."""
    title: str
    """What the flow is called, if nobody calls it something else. A campaign may name it so without installing it
    first, where nothing is required."""
    description: str
    languages: list[str]
    """ISO 639-3 codes; the first is spoken with contacts that have no language."""
    parameters: list[ShownParameter]


class Installation(Body):
    """How a starter is to be installed."""

    name: LongName | None = None
    """What campaigns call the flow; null: the starter's title."""
    parameters: Annotated[dict[str, Said], Field(max_length=MOST_PARAMETERS)] = Field(default_factory=dict)
    """By their names."""


@router.get("")
async def list_starters(app: Tenant) -> Page[ShownStarter]:  # noqa: ARG001 (the token is looked at)
    """Return the starters that come with this release."""
    return Page(items=[_show(one) for one in starters.all_starters().values()], next=None)


@router.post("/{starter}/install", status_code=201, responses=problems(StarterNotFound, NameTaken))
async def install_starter(
    runtime: Served,
    app: Tenant,
    starter: Annotated[str, Path(max_length=128, description="Its name.")],
    wanted: Annotated[Installation | None, InBody()] = None,
) -> Flow:
    """Make a flow of a starter. It is a flow like others from then on, and can be changed."""
    found = starters.find_starter(starter)
    wanted = wanted or Installation()
    made = await starters.install(runtime, app, found, wanted.parameters, name=wanted.name or "")
    return Flow(id=made.named.id, name=made.named.name)


def _show(starter: Starter) -> ShownStarter:
    return ShownStarter(
        name=starter.name,
        title=starter.title,
        description=starter.description,
        languages=list(starter.languages),
        parameters=[_show_parameter(one) for one in starter.parameters],
    )


def _show_parameter(parameter: Parameter) -> ShownParameter:
    return ShownParameter(
        name=parameter.name,
        kind=parameter.kind,
        description=parameter.description,
        required=parameter.is_required,
        example=parameter.example,
    )
