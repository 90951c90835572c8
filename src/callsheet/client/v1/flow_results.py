"""What flows collected."""

from __future__ import annotations

from typing import Any

import msgspec

from callsheet.client.record import Record


class ExitCount(Record, frozen=True):
    """How many left a block by an exit."""

    name: str
    count: int


class ValueCount(Record, frozen=True):
    """How many chose a value."""

    value: str
    count: int


class BlockCounts(Record, frozen=True):
    """What happened at a block."""

    flow: str
    block: str
    name: str
    label: str
    kind: str
    came: int
    exits: tuple[ExitCount, ...]
    values: tuple[ValueCount, ...]
    stayed: int


class Results(Record, frozen=True):
    """The counts of a flow."""

    flow_id: str
    version: int | None
    run_id: str | None
    blocks: tuple[BlockCounts, ...]


class PackageField(Record, frozen=True):
    """A column of the rows."""

    name: str
    title: str
    type: str


class PackageQuestion(Record, frozen=True):
    """A question."""

    type: str
    label: str
    type_options: dict[str, Any]


class PackageSchema(Record, frozen=True):
    """What is in the rows."""

    language: str
    fields: tuple[PackageField, ...]
    questions: dict[str, PackageQuestion]


class PackageResource(Record, frozen=True):
    """Where the rows are."""

    path: None
    name: str
    mediatype: str
    encoding: str
    schema: PackageSchema
    api_data_url: str = msgspec.field(name="api-data-url")


class Package(Record, frozen=True):
    """The descriptor of a Flow Results package."""

    profile: str
    flow_results_specification_version: str
    id: str
    name: str
    title: str
    created: str
    modified: str
    resources: tuple[PackageResource, ...]
    flow_results_specification: str = msgspec.field(name="flow-results-specification")


class Links(Record, frozen=True):
    """Where to go on."""

    self: str
    next: str | None
    previous: None


class RowsOf(Record, frozen=True):
    """The rows of a page."""

    responses: tuple[tuple[Any, ...], ...]


class Descriptor(Record, frozen=True):
    """The descriptor that tells what the rows mean."""

    links: dict[str, str]


class Relations(Record, frozen=True):
    """What belongs to the rows."""

    descriptor: Descriptor
    links: Links


class RowsPage(Record, frozen=True):
    """A page of rows as a resource."""

    type: str
    id: str
    attributes: RowsOf
    relationships: Relations


class Rows(Record, frozen=True):
    """A page of rows."""

    data: RowsPage
    next: str | None
    """Give it as `after` for those that follow."""
