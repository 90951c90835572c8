"""Starter flows: experience flows that come with Callsheet."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import UNSET

from callsheet.client.call import Call, Given, given
from callsheet.client.method import Mode, Resource, Single
from callsheet.client.record import Page, Record
from callsheet.client.v1.flows import Flow

_ALL = "/v1/apps/{app}/flow-starters"


class StarterParameter(Record, frozen=True):
    """What is said when a starter is installed."""

    name: str
    kind: str
    """`text`, `url` or `queue`."""
    description: str
    required: bool
    example: str


class FlowStarter(Record, frozen=True):
    """A flow that is ready to be used."""

    name: str
    title: str
    """What the flow is called, if nobody calls it something else."""
    description: str
    languages: tuple[str, ...]
    parameters: tuple[StarterParameter, ...]


class FlowStarters(Resource[Mode]):
    """Starter flows: experience flows that come with Callsheet."""

    @Single
    def list(self) -> Call[Page[FlowStarter]]:
        """Return the starters, all on one page."""
        return Call("GET", _ALL, Page[FlowStarter])

    @Single
    def install(
        self, starter: str, *, name: Given[str] = UNSET, parameters: Given[Mapping[str, str]] = UNSET
    ) -> Call[Flow]:
        """Make a flow of a starter."""
        body = given(name=name, parameters=parameters)
        return Call("POST", f"{_ALL}/{{starter}}/install", Flow, {"starter": starter}, body=body)
