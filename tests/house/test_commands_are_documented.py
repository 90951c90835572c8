"""Every command has an example in its help and a heading on `docs/reference/cli.md`, which has no other.

The help is what one reads at three in the morning; the page is what one reads before trusting the program
with it.
"""

import importlib
import re
from collections.abc import Iterator

import typer

from house.tree import page

HEADING = r"^## `callsheet ([a-z -]+)`$"


def commands(group: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the full name and the help of every command."""
    for name, command in getattr(group, "commands", {}).items():
        full = f"{path} {name}".strip()
        if getattr(command, "commands", None):
            yield from commands(command, full)
        elif not command.hidden:
            yield full, f"{command.help or ''}\n{command.epilog or ''}"


def known() -> dict[str, str]:
    return dict(commands(typer.main.get_command(importlib.import_module("callsheet.cli").app)))


def test_every_command_has_an_example_in_its_help():
    assert not [name for name, text in known().items() if f"callsheet {name}" not in text]


def test_every_command_is_on_the_page_and_the_page_has_no_other():
    listed = re.findall(HEADING, page("docs/reference/cli.md"), flags=re.MULTILINE)

    assert sorted(listed) == sorted(known())
