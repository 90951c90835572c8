"""`callsheet config show`: each setting, and where it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from callsheet.cli.options import DataOption, HostOption, PortOption

if TYPE_CHECKING:
    from callsheet.settings import Choice

EXAMPLE = "Example: CALLSHEET_PORT=9000 callsheet config show --json"


def add_to(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(help="Look at the settings.", no_args_is_help=True)
    group.command("show", short_help="Print each setting, and where it came from.", epilog=EXAMPLE)(show)
    # Without this one a group with one command would be that command.
    group.callback()(_config)
    app.add_typer(group, name="config", short_help="Look at the settings.")


def _config() -> None:
    """Look at the settings."""


def show(
    data: DataOption = None,
    host: HostOption = None,
    port: PortOption = None,
    as_json: bool = typer.Option(False, "--json", help="One JSON object, for programs."),
) -> None:
    """Print each setting with its value and where it came from: default, file, environment or flag.

    Secrets are masked. It opens and changes nothing. Variables and keys that mean nothing are named at the end.
    """
    import json

    from callsheet.settings import choices, unknown_names

    chosen = choices(data=data, host=host, port=port)
    unknown = unknown_names()
    if as_json:
        typer.echo(json.dumps({"settings": [one._asdict() for one in chosen], "unknown": unknown}))
        return
    widths = [max(len(column) for column in columns) for columns in zip(*map(_row, chosen), strict=True)]
    for row in map(_row, chosen):
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for name in unknown:
        typer.echo(f"{name} means nothing: see the spelling.", err=True)


def _row(choice: Choice) -> tuple[str, str, str]:
    value = "-" if choice.value in (None, "") else str(choice.value)
    return choice.variable, value, f"{choice.source} {choice.place}".rstrip()
