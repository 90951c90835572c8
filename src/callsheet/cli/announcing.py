"""What a server says of itself when it is up."""

from __future__ import annotations

import shlex

import typer

from callsheet import __version__
from callsheet.cli.options import own_name
from callsheet.cli.serving import Serving


def announce(server: Serving, *, suggest_demo: bool) -> None:
    """Print where it is, how to sign in, who carries messages, where its data are, and how to stop."""
    data = server.runtime.data.resolve()
    lines = [
        (f"callsheet {__version__}", server.known.base_url),
        ("sign in", f"{server.invitation}   (once, within 30 minutes: a first campaign, step by step)"),
        ("carrier", "sandbox: nothing leaves this machine"),
        ("data", str(data)),
        ("stop", "Ctrl-C"),
    ]
    if suggest_demo:
        lines.insert(-1, ("try", f"{own_name()} demo --data {shlex.quote(str(data))}   (in another terminal)"))
    for name, value in lines:
        typer.echo(f"  {name:<16}  {value}")
