"""Imports: files that go into a contact list, or into a DNC list."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from callsheet.client.call import Call
from callsheet.client.method import Mode, Resource, Single
from callsheet.client.record import Record
from callsheet.client.upload import Source, Upload

_ALL = "/v1/apps/{app}/{kind}/{list_id}/imports"
_ONE = "/v1/apps/{app}/{kind}/{list_id}/imports/{import_id}"


class Kind(StrEnum):
    """What a file goes into, as its path names it."""

    contact_lists = "contact-lists"
    dnc_lists = "dnc-lists"


class StartedImport(Record, frozen=True):
    """An import that has begun."""

    id: str


class Import(Record, frozen=True):
    """How far an import has come. `state` is waiting, running, done or failed; `problem` says why it failed."""

    id: str
    state: str
    file: str
    rows: int
    accepted: int
    rejected: int
    duplicates: int
    bytes_done: int
    bytes_total: int
    problem: str

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more comes."""
        return self.state in ("done", "failed")


class Imports(Resource[Mode]):
    """Imports: files that go into a contact list, or into a DNC list."""

    @Single
    def start(self, kind: Kind, list_id: str, source: Source, *, filename: str | None = None) -> Call[StartedImport]:
        """Hand a CSV or XLSX over, in constant memory. The file is durable when this answers.

        A path is read anew when the connection breaks; what can be read once only, such as a pipe, is not sent again.
        """
        name = filename or (source.name if isinstance(source, Path) else "")
        names, query = {"kind": kind.value, "list_id": list_id}, {"filename": name or None}
        return Call("POST", _ALL, StartedImport, names, query, upload=Upload(source, name))

    @Single
    def get(self, kind: Kind, list_id: str, import_id: str) -> Call[Import]:
        """Return how far an import has come."""
        return Call("GET", _ONE, Import, {"kind": kind.value, "list_id": list_id, "import_id": import_id})

    @Single
    def save_rejects(self, kind: Kind, list_id: str, import_id: str, to: Path | BinaryIO) -> Call[None]:
        """Write the rejected rows into a file, as CSV: row number, reason, sentence."""
        names = {"kind": kind.value, "list_id": list_id, "import_id": import_id}
        return Call("GET", f"{_ONE}/rejects", type(None), names, save_to=to)
