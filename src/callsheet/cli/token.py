"""`callsheet token`: a signed token for the header `auth`."""

from __future__ import annotations

import typer

from callsheet.cli.options import DataOption

EXAMPLE = """\b
Example:
  curl -H "auth: $(callsheet token)" http://127.0.0.1:8030/v1/apps/st-.../runs"""


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("token", short_help="Print a token for the header auth.", epilog=EXAMPLE)(token)


def token(
    data: DataOption = None,
    hours: float = typer.Option(24.0, "--hours", min=0.01, help="For how long it is valid."),
) -> None:
    """Print a JWT of the default app's client, for the header `auth`; also while the server runs."""
    from datetime import timedelta

    from callsheet.cli.preparing import prepare
    from callsheet.clock import SystemClock
    from callsheet.folder import DataFolder
    from callsheet.signing import sign

    known = DataFolder(prepare(quiet=True, data=data).data).credentials()
    typer.echo(sign(known, until=SystemClock().now() + timedelta(hours=hours)))
