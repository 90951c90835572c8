"""`callsheet import`: a CSV into a contact list, or into a DNC list."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from callsheet.cli.exits import FAILED
from callsheet.cli.options import DataOption

if TYPE_CHECKING:
    from callsheet.cli.progress import Bar
    from callsheet.client import Client, Import, Target
    from callsheet.settings import Settings

EXAMPLE = 'Example: callsheet import "Spring customers" customers.csv'

ASK_SECONDS = 0.1
_CHUNK_BYTES = 256 * 1024


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import", short_help="A CSV into a contact list or a DNC list.", epilog=EXAMPLE)(import_file)


def import_file(
    name: Annotated[str, typer.Argument(metavar="LIST", help="The list's name or id; made where there is none.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="A CSV.")],
    data: DataOption = None,
    dnc: bool = typer.Option(False, "--dnc", help="Into a DNC list: its numbers are contacted no more."),
) -> None:
    """Import a CSV into a contact list, or with --dnc into a DNC list.

    Uses the server that runs on the data folder, or one of its own for the time being, which contacts nobody. Rows
    that are rejected are listed in FILE.rejects.csv, with their row number and the reason.
    """
    from callsheet.cli.preparing import prepare
    from callsheet.cli.stopping import run

    settings = prepare(quiet=True, data=data)
    rejects = file.with_name(f"{file.name}.rejects.csv")
    # A list of an earlier import would mislead.
    rejects.unlink(missing_ok=True)
    done = run(_import(settings, name, file, rejects, dnc=dnc))
    typer.echo(
        f"{done.rows:,} rows: {done.accepted:,} accepted, {done.duplicates:,} duplicates, {done.rejected:,} rejected"
    )
    if done.rejected:
        typer.echo(f"Rejected rows, with reasons: {rejects}")
    if done.state == "failed":
        typer.echo(f"The import failed: {done.problem}", err=True)
        raise typer.Exit(FAILED)


async def _import(settings: Settings, name: str, file: Path, rejects: Path, *, dnc: bool) -> Import:
    from callsheet.cli.progress import Bar
    from callsheet.cli.reaching import reached

    async with reached(settings, start_engine=False) as client:
        if dnc:
            target = await client.find_dnc_list(name) or await client.create_dnc_list(name)
        else:
            target = await client.find_contact_list(name) or await client.create_contact_list(name)
        with Bar(target.name) as bar, file.open("rb") as source:
            import_id = await client.start_import(target, _chunks(source, bar), file.name)
            done = await follow(client, target, import_id, bar)
        if done.rejected:
            with rejects.open("wb") as out:
                await _write_rejects(client, target, done, out)
        return done


async def follow(client: Client, target: Target, import_id: str, bar: Bar) -> Import:
    """Show how an import goes on, until it is over."""
    import asyncio

    while True:
        found = await client.find_import(target, import_id)
        bar.show(found.bytes_done, found.bytes_total, f"{found.rows:,} rows, {found.rejected:,} rejected")
        if found.is_over:
            return found
        await asyncio.sleep(ASK_SECONDS)


async def _chunks(file: BinaryIO, bar: Bar) -> AsyncIterator[bytes]:
    import os

    total, done = os.fstat(file.fileno()).st_size, 0
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk
        done += len(chunk)
        bar.show(0, total, f"handed over {100 * done // max(total, 1)} %")


async def _write_rejects(client: Client, target: Target, done: Import, out: BinaryIO) -> None:
    async for chunk in client.rejects(target, done.id):
        out.write(chunk)
