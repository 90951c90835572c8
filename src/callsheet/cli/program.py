"""The command `callsheet`: its verbs, and what becomes of errors."""

from __future__ import annotations

import sys

import typer

from callsheet import __version__
from callsheet.cli.backup import add_to as add_backup
from callsheet.cli.config import add_to as add_config
from callsheet.cli.credentials import add_to as add_credentials
from callsheet.cli.demo import add_to as add_demo
from callsheet.cli.doctor import add_to as add_doctor
from callsheet.cli.exits import FAILED, INTERRUPTED, exit_code, explain
from callsheet.cli.importing import add_to as add_import
from callsheet.cli.migrate import add_to as add_migrate
from callsheet.cli.restore import add_to as add_restore
from callsheet.cli.sandbox import add_to as add_sandbox
from callsheet.cli.serve import add_to as add_serve
from callsheet.cli.token import add_to as add_token
from callsheet.cli.voice_node import add_to as add_voice_node
from callsheet.cli.voice_node_key import add_to as add_voice_node_key
from callsheet.cli.work import add_to as add_work
from callsheet.core.errors import CallsheetError
from callsheet.garbage import look_seldom

EXITS = """\b
Exit codes
  0    done
  1    failed; standard error says why
  2    wrong usage, or a wrong setting
  3    another process owns the data folder
  4    `migrate --check`: the database waits for steps
  130  interrupted by Ctrl-C or SIGTERM"""

app = typer.Typer(
    help="Outbound SMS and voice campaigns on your own machine.",
    epilog=EXITS,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Plain help: one that is painted takes twice as long to come.
    rich_markup_mode=None,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"callsheet {__version__}")
        raise typer.Exit


@app.callback()
def callsheet(
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Print the version."),
) -> None:
    """Run SMS and voice campaigns on this machine; without a configured carrier nothing leaves it."""


for add_to in (
    add_serve,
    add_work,
    add_voice_node,
    add_voice_node_key,
    add_credentials,
    add_token,
    add_import,
    add_demo,
    add_sandbox,
    add_migrate,
    add_backup,
    add_restore,
    add_doctor,
    add_config,
):
    add_to(app)


def main() -> None:
    """Run a command; what goes wrong becomes a sentence and an exit code."""
    look_seldom()
    try:
        app()
    except CallsheetError as error:
        typer.echo(explain(error), err=True)
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:  # noqa: BLE001 (whatever it is, its trace goes through the log, which masks numbers)
        from callsheet.cli.preparing import log_failure

        log_failure(error)
        sys.exit(FAILED)
