"""`callsheet credentials`: who may call, and where."""

from __future__ import annotations

import typer

from callsheet.cli.options import DataOption

EXAMPLE = "Example: callsheet credentials --json"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("credentials", short_help="Print who may call the API, and where.", epilog=EXAMPLE)(credentials)


def credentials(
    data: DataOption = None,
    as_json: bool = typer.Option(False, "--json", help="One JSON object, for programs."),
) -> None:
    """Print the credentials of the default app, the secret included; also while the server runs."""
    import json
    from dataclasses import asdict

    from callsheet.cli.preparing import prepare
    from callsheet.folder import DataFolder

    known = asdict(DataFolder(prepare(quiet=True, data=data).data).credentials())
    if as_json:
        typer.echo(json.dumps(known))
        return
    for name, value in known.items():
        typer.echo(f"{name:<14} {value}")
