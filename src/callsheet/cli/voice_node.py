"""`callsheet voice-node`: an Asterisk on this host, for a server on another one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callsheet.cli.node_name import NAME_FORM, is_node_name
from callsheet.cli.options import DataOption
from callsheet.core.sip import MOST_NODE_CALLS, USUAL_NODE_CALLS

if TYPE_CHECKING:
    from callsheet.settings import Settings
    from callsheet.voice.asterisk.remote.outpost import JoinPlace

EXAMPLE = """\b
Example:
  export CALLSHEET_VOICE_NODE_KEY_FILE=/etc/callsheet/voice_node_key
  callsheet voice-node --join https://callsheet.example.com:8032 --name berlin-1"""

_Join = Annotated[
    str, typer.Option(metavar="URL", help="Where the server lets voice nodes in: http://... or https://...")
]
_Name = Annotated[str, typer.Option(metavar="NAME", help="What it is called.  [default: this host's name]")]
_MostCalls = Annotated[
    int | None,
    typer.Option(
        min=1, max=MOST_NODE_CALLS, metavar="N", help=f"So many calls may go on at once.  [default: {USUAL_NODE_CALLS}]"
    ),
]
_Trunks = Annotated[
    list[str] | None,
    typer.Option("--trunk", metavar="ID", help="A trunk that it calls through; may be repeated.  [default: all]"),
]
_Ca = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The authority to trust, as PEM.  [default: those that this machine trusts]"),
]
_Drain = Annotated[int, typer.Option(min=0, metavar="SECONDS", help="So long calls may go on when it is told to stop.")]
_URL = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("voice-node", short_help="Run an Asterisk for a server on another host.", epilog=EXAMPLE)(voice_node)


def voice_node(
    join: _Join,
    name: _Name = "",
    data: DataOption = None,
    most_calls: _MostCalls = None,
    trunks: _Trunks = None,
    ca_file: _Ca = None,
    drain_seconds: _Drain = 60,
) -> None:
    """Fetch an Asterisk, run it, and let it carry calls of the server at URL.

    The server says what it is configured with. CALLSHEET_VOICE_NODE_KEY is the key of this node, as `callsheet
    voice-node-key NAME` prints it on the server. Ctrl-C or SIGTERM stops it: it takes no more calls, those that go on
    may end, and then Asterisk stops. If it is killed, Asterisk and its calls go on, and the next start finds them.
    """
    import asyncio

    from callsheet.cli.preparing import prepare
    from callsheet.folder import DataFolder

    settings = prepare(data=data)
    place = _place(settings, join, name, most_calls or settings.voice_node_most_calls, trunks, ca_file)
    DataFolder(settings.data).refuse_if_owned()
    asyncio.run(_run(settings, place, drain_seconds))


def _place(
    settings: Settings, join: str, name: str, most_calls: int, trunks: list[str] | None, ca_file: Path | None
) -> JoinPlace:
    import socket
    import ssl

    from callsheet.core.errors import FieldError, Invalid
    from callsheet.settings import variable
    from callsheet.voice.asterisk.remote.outpost import JoinPlace

    key = settings.voice_node_key.get_secret_value()
    name = name or socket.gethostname().partition(".")[0]
    wrong = []
    if not key:
        wrong.append(FieldError(variable("voice_node_key"), "Give the key that `voice-node-key` prints on the server."))
    if not _URL.fullmatch(join):
        wrong.append(FieldError("--join", "Give a URL such as https://callsheet.example.com:8032."))
    if not is_node_name(name):
        wrong.append(FieldError("--name", NAME_FORM))
    ca = ""
    try:
        if ca_file:
            ca = ca_file.read_text("ascii")
            ssl.create_default_context(cadata=ca)
    except (OSError, ValueError) as error:
        wrong.append(FieldError("--ca-file", f"{ca_file} cannot be used: {error}."))
    if wrong:
        raise Invalid(wrong)
    return JoinPlace(join.rstrip("/"), name, key, ca, most_calls, tuple(trunks) if trunks else None)


async def _run(settings: Settings, place: JoinPlace, drain_seconds: int) -> None:
    """Run until told to stop."""
    from callsheet import __version__
    from callsheet.cli.stopping import told_to_stop
    from callsheet.clock import SystemClock
    from callsheet.folder import DataFolder
    from callsheet.voice.asterisk.remote.outpost import Outpost
    from callsheet.voice_places import local_of

    folder = DataFolder(settings.data)
    folder.create()
    with told_to_stop() as told, folder.owned():
        outpost = Outpost(place, local_of(settings, folder), SystemClock())
        await outpost.open()
        typer.echo(f"callsheet {__version__} is voice node {place.name} of {place.url}; Ctrl-C stops it")
        try:
            await told.wait()
            typer.echo(f"stopping: calls that go on have {drain_seconds} seconds")
            await outpost.empty(drain_seconds)
        finally:
            await outpost.close()
