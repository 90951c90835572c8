"""`callsheet restore`: bring a backup back, so that nobody is contacted twice without somebody having said so."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callsheet.cli.options import DataOption

if TYPE_CHECKING:
    from callsheet.cli.restoring import Restore

EXAMPLE = """\b
Examples:
  callsheet restore monday.tar.gz --data /srv/callsheet
  callsheet restore --mark --at 2026-11-21T03:15:00+00:00"""


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("restore", short_help="Bring a backup back, with every run Paused.", epilog=EXAMPLE)(restore)


def restore(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", dir_okay=False, exists=True, help="What `backup` wrote.")
    ] = None,
    data: DataOption = None,
    force: bool = typer.Option(False, "--force", help="Also where something is; it is moved aside."),
    mark: bool = typer.Option(False, "--mark", help="The database is there (pg_restore): pause its runs."),
    at: str | None = typer.Option(None, "--at", metavar="INSTANT", help="With --mark: when the backup was made."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object, for programs."),
) -> None:
    """Bring a backup into an empty data folder, and pause every run that went on.

    The backup does not know what was done after it. So nobody is contacted until somebody says of each run what
    becomes of it. With PostgreSQL, run pg_restore first: then this pauses the runs in the database.
    """
    import asyncio
    import json

    from callsheet.cli import restoring
    from callsheet.cli.preparing import prepare

    if mark == (file is not None):
        raise typer.BadParameter("Give either a FILE, or --mark with --at.", param_hint="FILE")
    settings = prepare(quiet=True, data=data)
    if file is not None:
        done = asyncio.run(restoring.restore(settings, file, force=force))
    else:
        done = asyncio.run(restoring.mark(settings, _instant(at), force=force))
    if as_json:
        typer.echo(json.dumps(done.document()))
        return
    for line in _sentences(done):
        typer.echo(line)


def _instant(text: str | None) -> datetime:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise typer.BadParameter("Give an instant with its offset: 2026-11-21T03:15:00+00:00.", param_hint="--at")
    return found


def _sentences(done: Restore) -> list[str]:
    since = done.backup_at.isoformat(timespec="seconds")
    lines = [
        f"Restored as of {since}. What was done after that is not recorded: attempts, replies, and also",
        "opt-outs, DNC numbers and a stop of all sending. Bring those back before anything goes on.",
        "API clients, users, roles and secrets are those of the backup: revoke again what was revoked since.",
    ]
    if done.uncertain:
        lines.append(f"{done.uncertain} attempts were in the air and are uncertain now.")
    if done.evidence:
        lines.append(f"{done.evidence} messages in the sandbox ledgers were not recorded; they are now.")
    if done.unscheduled:
        lines.append(f"{done.unscheduled} campaigns waited for their schedule. They are Ready, and wait for a person.")
    if done.replaced:
        lines.append(f"What was in the folder is in {done.replaced} now.")
    if not done.runs:
        return [*lines, "No run went on. A campaign that has not run by these records may have run since."]
    return [
        *lines,
        f"{len(done.runs)} runs are Paused. Say of each whether it goes on (resume) or ends (skip):",
        *(f"  POST /v1/apps/{run.app_id}/runs/{run.run_id}/acknowledge-restore" for run in done.runs),
    ]
