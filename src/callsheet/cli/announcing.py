"""What a server says of itself when it is up."""

from __future__ import annotations

import typer

from callsheet import __version__
from callsheet.cli.serving import Serving


def announce(server: Serving) -> None:
    """Print where it is, how to sign in, who carries messages, and where its data are."""
    lines = (
        (f"callsheet {__version__}", server.known.base_url),
        ("first sign-in", f"{server.invitation}   (valid 30 minutes, once)"),
        ("carrier", "sandbox: nothing leaves this machine"),
        ("data", str(server.runtime.data.resolve())),
    )
    for name, value in lines:
        typer.echo(f"  {name:<16}  {value}")
