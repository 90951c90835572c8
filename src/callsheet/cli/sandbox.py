"""`callsheet sandbox`: the handset simulator as a process of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from callsheet.cli.options import DataOption, HostOption

if TYPE_CHECKING:
    from callsheet.carriers.sandbox.smpp_session import Account
    from callsheet.settings import Settings

EXAMPLE = "Example: callsheet sandbox --smpp-port 2775 --http-port 8031 --data ./var"

_SmppPort = Annotated[
    int, typer.Option(min=0, max=65535, metavar="P", help="The port that speaks SMPP 3.4; 0 takes a free one.")
]
_HttpPort = Annotated[
    int, typer.Option(min=0, max=65535, metavar="P", help="The port that speaks HTTP; 0 takes a free one.")
]
_ANYBODY = "callsheet"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sandbox", short_help="Run the handset simulator by itself.", epilog=EXAMPLE)(sandbox)


def sandbox(
    smpp_port: _SmppPort = 2775,
    http_port: _HttpPort = 8031,
    data: DataOption = None,
    host: HostOption = None,
    system_id: str = typer.Option("", metavar="ID", help="Who may bind.  [default: anybody]"),
    password: str = typer.Option("", metavar="PASSWORD", help="With which password.  [default: any]"),
    seed: int | None = typer.Option(None, metavar="N", help="Makes the handsets behave the same in every run."),
) -> None:
    """Simulate handsets behind an SMPP port and an HTTP port, for any sender that is pointed here.

    Numbers behave by their last four digits, POST /replies makes one of them write what you say, and POST /misbehave
    makes everything worse. A message is on the disk, in DIR/handsets/ledger.db, before it is answered. Nothing leaves
    this machine, and nobody is asked who he is: let no stranger reach the ports.
    """
    import asyncio

    from callsheet.carriers.sandbox.smpp_session import Account
    from callsheet.cli.preparing import prepare
    from callsheet.core.errors import Conflict

    settings = prepare(data=data, host=host)
    try:
        asyncio.run(_simulate(settings, smpp_port, http_port, Account(system_id, password), seed))
    except OSError as error:
        raise Conflict(f"The handset simulator cannot begin: {error.strerror or error}.") from error


async def _simulate(settings: Settings, smpp_port: int, http_port: int, account: Account, seed: int | None) -> None:
    """Simulate until told to stop."""
    from callsheet.carriers.sandbox.simulator import simulating
    from callsheet.cli.stopping import told_to_stop
    from callsheet.clock import SystemClock
    from callsheet.folder import DataFolder

    DataFolder(settings.data).create()
    folder = DataFolder(settings.data / "handsets")
    folder.path.mkdir(mode=0o700, exist_ok=True)
    host = settings.host
    with told_to_stop() as told, folder.owned():
        async with simulating(
            folder.path / "ledger.db",
            SystemClock(),
            host=host,
            smpp_port=smpp_port,
            http_port=http_port,
            account=account,
            seed=seed,
        ) as ports:
            _announce(host, ports.smpp_port, ports.http_port, account.system_id, account.password)
            await told.wait()


def _announce(host: str, smpp_port: int, http_port: int, system_id: str, password: str) -> None:
    """Say where it listens, and what to put into a trunk. The password is the one that was typed."""
    account = {"host": host, "port": smpp_port, "system_id": system_id or _ANYBODY, "password": password or "any"}
    trunk = {"name": "Handset simulator", "carrier": "smpp", "settings": account}
    typer.echo(f"handsets listen: SMPP {host}:{smpp_port}, HTTP http://{host}:{http_port}")
    typer.echo(f"a trunk for them: {json.dumps(trunk)}")
    typer.echo("a server on this machine reaches them when CALLSHEET_ALLOW_PRIVATE_ADDRESSES=true")
