"""Write the newest step from what `tables.py` says beyond the steps before it.

    python -m callsheet.store.migrations 0002 "Add queues"

A step that was not released yet is written again with the same words. Read what it wrote: Alembic sees neither
renames nor data.
"""

from __future__ import annotations

import sys

import sqlalchemy as sa
from alembic import command

from callsheet.store.migrate import FOLDER, alembic_config, upgrade


def write(number: str, sentence: str) -> None:
    """Write `versions/<number>_<words of the sentence>.py`, in place of an earlier one of that number."""
    for earlier in (FOLDER / "versions").glob(f"{number}_*.py"):
        earlier.unlink()
    with sa.create_engine("sqlite://").begin() as connection:
        upgrade(connection)
        command.revision(alembic_config(connection), sentence, autogenerate=True, rev_id=number)


if __name__ == "__main__":
    write(sys.argv[1], sys.argv[2])
