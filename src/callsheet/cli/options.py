"""Options that several commands have."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

DataOption = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="The data folder.  [default: ./var, or CALLSHEET_DATA]"),
]
HostOption = Annotated[
    str | None,
    typer.Option("--host", metavar="H", help="The address to listen on.  [default: 127.0.0.1, or CALLSHEET_HOST]"),
]
PortOption = Annotated[
    int | None,
    typer.Option(
        "--port",
        metavar="P",
        min=0,
        max=65535,
        help="The port; 0 takes a free one.  [default: 8030, or CALLSHEET_PORT]",
    ),
]


def own_name() -> str:
    """Return how this program was called, as it is typed in a shell."""
    if Path(sys.argv[0]).name == "callsheet":
        return shlex.quote(sys.argv[0])
    return f"{shlex.quote(sys.executable)} -m callsheet"
