"""`callsheet migrate`: bring the database to the schema of this program."""

from __future__ import annotations

import typer

from callsheet.cli.exits import STEPS_WAIT
from callsheet.cli.options import DataOption

EXAMPLE = "Example: callsheet migrate --check || callsheet migrate"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("migrate", short_help="Bring the database to the schema of this program.", epilog=EXAMPLE)(migrate)


def migrate(
    data: DataOption = None,
    check: bool = typer.Option(False, "--check", help="Change nothing; exit with 4 when steps wait."),
) -> None:
    """Bring the database to the schema of this program; `serve` and `work` do it by themselves.

    All steps that wait are taken in one transaction. Nodes that start together take turns. Exit codes: 0 when the
    database has the schema; 1 when it cannot be reached, or a newer program made it; 3 when another process owns the
    data folder; with --check, 4 when steps wait.
    """
    import asyncio

    from callsheet import bootstrap
    from callsheet.cli.preparing import prepare

    settings = prepare(quiet=True, data=data)
    steps = asyncio.run(bootstrap.waiting_steps(settings) if check else bootstrap.migrate(settings))
    for step in steps:
        typer.echo(f"{'waits' if check else 'taken'}  {step.number}  {step.sentence}")
    if not steps:
        typer.echo("The database has the schema of this program.")
    elif check:
        raise typer.Exit(STEPS_WAIT)
