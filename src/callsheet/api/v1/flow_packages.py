"""The shapes of a Flow Results package: its descriptor, and pages of its rows (FLOIP)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


class PackageField(BaseModel):
    """A column of the rows."""

    name: str
    title: str
    type: str


class PackageQuestion(BaseModel):
    """A question."""

    type: str
    label: str
    type_options: dict[str, Any]


class PackageSchema(BaseModel):
    """What is in the rows."""

    language: str
    """Of the labels, in ISO 639-3."""
    fields: list[PackageField]
    questions: dict[str, PackageQuestion]
    """By the uuids of their blocks."""


class PackageResource(BaseModel):
    """Where the rows are."""

    model_config = ConfigDict(populate_by_name=True)

    path: None
    """There is no file: the rows are behind the URL."""
    api_data_url: Annotated[str, Field(alias="api-data-url")]
    name: str
    mediatype: str
    encoding: str
    schema_: Annotated[PackageSchema, Field(alias="schema")]


class Package(BaseModel):
    """The descriptor of a Flow Results package: one of a flow, for all its versions."""

    model_config = ConfigDict(populate_by_name=True)

    profile: str
    flow_results_specification: Annotated[str, Field(alias="flow-results-specification")]
    flow_results_specification_version: str
    """The same: the specification of packages names it so, and implementations of its API the other way."""
    id: str
    name: str
    title: str
    created: str
    modified: str
    resources: list[PackageResource]


class Links(BaseModel):
    """Where to go on."""

    self: str
    next: str | None
    previous: None


class RowsOf(BaseModel):
    """The rows of a page."""

    responses: list[list[Any]]
    """Each: timestamp, row id, contact id, session id, question id, response, metadata of the response."""


class Descriptor(BaseModel):
    """The descriptor that tells what the rows mean."""

    links: dict[str, str]


class Relations(BaseModel):
    """What belongs to the rows."""

    descriptor: Descriptor
    links: Links


class RowsPage(BaseModel):
    """A page of rows as a resource."""

    type: str
    id: str
    attributes: RowsOf
    relationships: Relations


class Rows(BaseModel):
    """A page of rows, enveloped as the API part of the specification says."""

    data: RowsPage
    next: str | None
    """The cursor of the rows that follow; null when none follow."""
