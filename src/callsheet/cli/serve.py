"""`callsheet serve`: everything in one process."""

from __future__ import annotations

import typer

from callsheet.cli.options import DataOption, HostOption, PortOption

EXAMPLE = "Example: callsheet serve --data /srv/callsheet --port 8030"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve", short_help="Run everything in one process.", epilog=EXAMPLE)(serve)


def serve(data: DataOption = None, host: HostOption = None, port: PortOption = None) -> None:
    """Run everything in one process: the engine, the HTTP API, and the database.

    The first start makes the data folder, its key, the database, a default account, app and API client. It stops at
    Ctrl-C or SIGTERM: nobody more is contacted, what was handed over is waited for and recorded, and calls go on to
    their end, for CALLSHEET_DRAIN_SECONDS at most; pressed again, it ends them.
    """
    import asyncio

    from callsheet.cli.preparing import prepare
    from callsheet.cli.stopping import told_to_stop
    from callsheet.folder import DataFolder

    settings = prepare(data=data, host=host, port=port)
    # Before the whole program is imported, for nothing.
    DataFolder(settings.data).refuse_if_owned()
    from callsheet.cli.announcing import announce
    from callsheet.cli.leaving import leave
    from callsheet.cli.serving import serving
    from callsheet.garbage import collect_seldom

    async def run() -> None:
        with told_to_stop() as told:
            async with serving(settings) as server:
                collect_seldom()
                announce(server, suggest_demo=True)
                await told.wait()
                await leave(server.runtime.conductor, told, settings.drain_seconds)

    asyncio.run(run())
