"""`callsheet voice-node-key`: the key of one voice node on another host."""

from __future__ import annotations

from typing import Annotated

import typer

from callsheet.cli.node_name import NAME_FORM, is_node_name
from callsheet.cli.options import DataOption

EXAMPLE = """\b
Example:
  callsheet voice-node-key berlin-1"""

_Name = Annotated[str, typer.Argument(metavar="NAME", help="What the node is called.")]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("voice-node-key", short_help="Print the key of a voice node.", epilog=EXAMPLE)(voice_node_key)


def voice_node_key(name: _Name, data: DataOption = None) -> None:
    """Print what the voice node NAME proves itself with: the value of CALLSHEET_VOICE_NODE_KEY on its host.

    It is made of the server's CALLSHEET_VOICE_NODE_KEY, is of use for this name only, and is the same each time.
    """
    from callsheet.cli.preparing import prepare
    from callsheet.core.errors import FieldError, Invalid
    from callsheet.settings import variable
    from callsheet.voice.asterisk.remote.key import secret_of

    key = prepare(quiet=True, data=data).voice_node_key.get_secret_value()
    wrong = []
    if not key:
        wrong.append(FieldError(variable("voice_node_key"), "Give the key that the server has."))
    if not is_node_name(name):
        wrong.append(FieldError("NAME", NAME_FORM))
    if wrong:
        raise Invalid(wrong)
    typer.echo(secret_of(key, name))
