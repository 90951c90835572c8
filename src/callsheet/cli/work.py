"""`callsheet work`: the engine without the HTTP API."""

from __future__ import annotations

import typer

from callsheet import __version__
from callsheet.cli.options import DataOption

EXAMPLE = """\b
Example:
  export CALLSHEET_DATABASE_URL=postgresql://callsheet@db/callsheet
  export CALLSHEET_MASTER_KEY=$(cat node-1/master.key)
  callsheet work --data ./node-2"""


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("work", short_help="Run the engine alone: one more node on PostgreSQL.", epilog=EXAMPLE)(work)


def work(data: DataOption = None) -> None:
    """Run the engine without the HTTP API: one more node on a PostgreSQL database.

    Each node has a data folder of its own, and all have the same master key (CALLSHEET_MASTER_KEY). It stops at
    Ctrl-C or SIGTERM as `serve` does.
    """
    import asyncio

    from callsheet.cli.preparing import prepare
    from callsheet.cli.stopping import told_to_stop
    from callsheet.core.errors import Conflict

    settings = prepare(data=data)
    if not settings.is_shared:
        raise Conflict("More nodes need PostgreSQL: set CALLSHEET_DATABASE_URL. On SQLite one `serve` does everything.")

    from callsheet.bootstrap import open_runtime
    from callsheet.cli.leaving import leave
    from callsheet.garbage import collect_seldom

    async def run() -> None:
        with told_to_stop() as told:
            async with open_runtime(settings) as runtime:
                collect_seldom()
                typer.echo(f"callsheet {__version__} works on the shared database; Ctrl-C stops this node")
                await told.wait()
                await leave(runtime.conductor, told, settings.drain_seconds)

    asyncio.run(run())
