"""`callsheet backup`: everything that is needed to go on elsewhere, in one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callsheet.cli.options import DataOption

if TYPE_CHECKING:
    from callsheet.cli.backing_up import Backup

EXAMPLE = """\b
Examples:
  callsheet backup monday.tar.gz
  callsheet backup /safe/monday.tar --with-key"""


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("backup", short_help="Write everything into one file, while the server runs.", epilog=EXAMPLE)(backup)


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write; .gz at its end compresses it.")],
    data: DataOption = None,
    with_key: bool = typer.Option(False, "--with-key", help="Put the master key and the credentials into it too."),
    force: bool = typer.Option(False, "--force", help="Replace FILE if it is there."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object at the end, for programs."),
) -> None:
    """Write database and sandbox ledgers into one file, as they stood at one moment; the server may run meanwhile.

    Without the master key nobody reads the numbers in the database: keep the key elsewhere, or take it along with
    --with-key and guard the file like the key itself. A PostgreSQL database is not in it: pg_dump has that.
    """
    import json

    from callsheet.cli.backing_up import back_up
    from callsheet.cli.preparing import prepare

    settings = prepare(quiet=True, data=data)
    done = back_up(settings, file, with_key=with_key, force=force, show=not as_json)
    if as_json:
        typer.echo(json.dumps(done.document()))
        return
    for line in _sentences(done):
        typer.echo(line)


def _sentences(done: Backup) -> list[str]:
    manifest = done.manifest
    sentences = [f"{done.file} holds everything until {manifest.at}."]
    if manifest.database == "postgresql":
        sentences = [
            f"{done.file} holds the manifest and the sandbox ledgers of this node, NOT the database.",
            "PostgreSQL is backed up by its own tool; do it now, after this file:",
            f"  {done.pg_dump}",
        ]
    if manifest.has_key:
        return [*sentences, "The master key is in it: whoever has this file reads every number. Guard it like the key."]
    key = "The master key is NOT in it, and without the key it cannot be opened: keep a copy of master.key elsewhere."
    return [*sentences, key, "The sandbox ledgers show numbers and texts in plain, as a carrier's books do."]
