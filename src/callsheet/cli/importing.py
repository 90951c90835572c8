"""`callsheet import`: a CSV or XLSX into a contact list, or into a DNC list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from callsheet.cli.exits import FAILED
from callsheet.cli.options import DataOption

if TYPE_CHECKING:
    from callsheet.cli.progress import Bar
    from callsheet.cli.target import Target
    from callsheet.client import AsyncClient, Import
    from callsheet.core.errors import CallsheetError
    from callsheet.settings import Settings

EXAMPLE = """\b
Examples:
  callsheet import "Spring customers" customers.csv
  callsheet import "Never again" complaints.csv --dnc"""

ASK_SECONDS = 0.1
_CHUNK_BYTES = 256 * 1024

_IS_DNC = (
    '"{name}" is a DNC list. Add --dnc, and the numbers of this file are contacted no more; or give another name,'
    " and a contact list is made."
)
_IS_CONTACTS = (
    '"{name}" is a contact list. Leave out --dnc, and the people of this file are added to it; or give another name,'
    " and a DNC list is made."
)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import", short_help="Bring a CSV or XLSX into a contact list or a DNC list.", epilog=EXAMPLE)(
        import_file
    )


def import_file(
    name: Annotated[str, typer.Argument(metavar="LIST", help="The list's name or id; made where there is none.")],
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="A CSV or XLSX.")
    ],
    data: DataOption = None,
    dnc: bool = typer.Option(False, "--dnc", help="Into a DNC list: its numbers are contacted no more."),
) -> None:
    """Import a CSV or XLSX into a contact list, or with --dnc into a DNC list.

    Uses the server that runs on the data folder, or one of its own for the time being, which contacts nobody. Rows
    that are rejected are listed in FILE.rejects.csv, with their row number and the reason.
    """
    from callsheet.cli.counting import counted
    from callsheet.cli.preparing import prepare
    from callsheet.cli.stopping import run
    from callsheet.engine.importing.looking import look_into

    settings = prepare(quiet=True, data=data)
    rejects = file.with_name(f"{file.name}.rejects.csv")
    _forget(rejects)
    problem = look_into(file, numbers_only=dnc)
    if problem:
        raise _failed(problem)
    target, done, unlisted = run(_import(settings, name, file, rejects if file.is_file() else None, dnc=dnc))
    typer.echo(
        f'{"DNC" if dnc else "Contact"} list "{target.name}": {counted(done.rows, "row")}: {done.accepted:,} accepted,'
        f" {counted(done.duplicates, 'duplicate')}, {done.rejected:,} rejected"
    )
    if unlisted:
        _forget(rejects)
        typer.echo(unlisted, err=True)
    elif done.rejected:
        typer.echo(f"Rejected rows, with reasons: {rejects}")
    if done.state == "failed":
        raise _failed(done.problem)


def _forget(rejects: Path) -> None:
    """Delete a list of rejected rows that would mislead. Raises Conflict when it stays."""
    import os

    from callsheet.core.errors import Conflict

    try:
        rejects.unlink(missing_ok=True)
    except OSError as error:
        if not os.path.lexists(rejects):
            return  # a file system that takes no file says no to this too
        raise Conflict(
            f"The rejected rows of an earlier import are in {rejects}, which cannot be deleted ({error.strerror})."
            " Move it, or the file that is imported."
        ) from error


def _failed(problem: str) -> typer.Exit:
    typer.echo(f"The import failed: {problem}", err=True)
    return typer.Exit(FAILED)


async def _import(
    settings: Settings, name: str, file: Path, rejects: Path | None, *, dnc: bool
) -> tuple[Target, Import, str]:
    """Import, and list what was rejected; return also what to say where that cannot be."""
    from callsheet.cli.progress import Bar
    from callsheet.cli.reaching import reached

    async with reached(settings, start_engine=False) as client:
        target = await _target(client, name, dnc=dnc)
        with Bar(target.name) as bar, file.open("rb") as source:
            chunks = _chunks(source, bar)
            started = await client.imports.start(target.kind, target.id, chunks, filename=file.name)
            done = await follow(client, target, started.id, bar)
        unlisted = ""
        if done.rejected:
            unlisted = await _write_rejects(client, target, done, rejects)
        if unlisted:
            path = f"/v1/apps/{client.app_id}/{target.kind}/{target.id}/imports/{done.id}/rejects"
            unlisted += f". A server tells the rejected rows, with reasons: GET {path}"
        return target, done, unlisted


async def _target(client: AsyncClient, name: str, *, dnc: bool) -> Target:
    """Find the list, or make it. Raises Invalid where the name is one of a list of the other kind only.

    Whoever takes people who must not be contacted for contacts contacts them.
    """
    from callsheet.cli.target import create_target, find_target
    from callsheet.client import ApiError, Kind

    kind, other_kind = (Kind.dnc_lists, Kind.contact_lists) if dnc else (Kind.contact_lists, Kind.dnc_lists)
    if not name.strip():
        raise _wrong_list("Give the list a name.")
    found = await find_target(client, kind, name)
    if found is not None:
        return found
    other = await find_target(client, other_kind, name)
    if other is not None:
        raise _wrong_list((_IS_CONTACTS if dnc else _IS_DNC).format(name=other.name))
    try:
        return await create_target(client, kind, name)
    except ApiError as error:
        if error.status != 400:
            raise
        # Without the field's name in the body of a call that nobody here made.
        raise _wrong_list(error.message.removeprefix("name: ")) from error


def _wrong_list(sentence: str) -> CallsheetError:
    from callsheet.core.errors import FieldError, Invalid

    return Invalid([FieldError("LIST", sentence)])


async def follow(client: AsyncClient, target: Target, import_id: str, bar: Bar) -> Import:
    """Show how an import goes on, until it is over."""
    import asyncio

    from callsheet.cli.counting import counted

    while True:
        found = await client.imports.get(target.kind, target.id, import_id)
        words = f"{counted(found.rows, 'row')}, {found.rejected:,} rejected"
        bar.show(found.bytes_done, found.bytes_total, f"{words}, {_size(found.bytes_done, found.bytes_total)}")
        if found.is_over:
            return found
        await asyncio.sleep(ASK_SECONDS)


def _chunks(file: BinaryIO, bar: Bar) -> Iterator[bytes]:
    import os

    total, done = os.fstat(file.fileno()).st_size, 0
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk
        done += len(chunk)
        bar.show(0, total, f"handing over, {_size(done, total)}")


def _size(done: int, total: int) -> str:
    from rich.filesize import decimal

    return f"{decimal(done)} of {decimal(total)}" if total else decimal(done)


async def _write_rejects(client: AsyncClient, target: Target, done: Import, rejects: Path | None) -> str:
    """Write the rejected rows, or return why there is no place for them."""
    if rejects is None:
        return "Beside a pipe no file is written"
    try:
        await client.imports.save_rejects(target.kind, target.id, done.id, rejects)
    except OSError as error:
        return f"{rejects} cannot be written: {error.strerror}"
    return ""
