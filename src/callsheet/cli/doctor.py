"""`callsheet doctor`: look at everything that this program needs, and say what to do."""

from __future__ import annotations

import typer

from callsheet.cli.exits import FAILED
from callsheet.cli.options import DataOption, HostOption, PortOption

EXAMPLE = "Example: callsheet doctor --data /srv/callsheet"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor", short_help="Look whether everything is well, and say what to do.", epilog=EXAMPLE)(doctor)


def doctor(
    data: DataOption = None,
    host: HostOption = None,
    port: PortOption = None,
    as_json: bool = typer.Option(False, "--json", help="One JSON object, for programs."),
) -> None:
    """Look at folder, disk, key, database, clock, port, runs and imports; also while the server runs.

    It changes nothing, but writes a small file into the data folder and deletes it, to see how fast the disk is. Exit
    codes: 0 when all is well, or only warned about; 1 when something fails; 2 when a setting is wrong.
    """
    import asyncio
    import json
    from dataclasses import asdict

    from callsheet.cli.examining import examine
    from callsheet.cli.preparing import prepare
    from callsheet.core.checkup import Level, worst

    settings = prepare(quiet=True, data=data, host=host, port=port)
    findings = asyncio.run(examine(settings))
    level = worst(findings)
    if as_json:
        typer.echo(json.dumps({"level": level, "findings": [asdict(finding) for finding in findings]}))
    else:
        for finding in findings:
            typer.echo(f"{finding.level:<4}  {finding.check:<10}  {finding.sentence}")
            if finding.advice:
                typer.echo(f"{'':<18}{finding.advice}")
    if level is Level.fail:
        raise typer.Exit(FAILED)
