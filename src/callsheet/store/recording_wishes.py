"""Wishes to record: what somebody asked for of calls that go on, for the node that leads them, whichever it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from callsheet.core.ids import AttemptKey
from callsheet.core.recording import Recorded
from callsheet.store import tables as t
from callsheet.store.call_wishes import note_wish
from callsheet.store.database import Database

_WORDS: Final = {True: "on", False: "off"}


def is_recording_asked(row: Mapping[str, Any]) -> bool:
    """Tell of a row of `call` whether somebody asked for a recording that has not begun."""
    return not row["ended_at"] and row["recording_wish"] == _WORDS[True] and row["recording"] != Recorded.on


class RecordingWishes:
    """The wishes of all apps."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def wish(self, app: int, key: AttemptKey, *, wanted: bool) -> None:
        """Note whether a call is to be recorded from now on; its node sees to it. Raises CallNotFound, CallOver."""
        await self._db.write(lambda conn: note_wish(conn, app, key, recording_wish=_WORDS[wanted]))

    async def of_node(self, node_no: int) -> dict[AttemptKey, bool]:
        """Return whether the calls that a node leads are to be recorded, as far as somebody said so."""
        call = t.call
        mine = call.c.ended_at == 0, call.c.node_no == node_no, call.c.recording_wish != ""
        query = sa.select(call.c.run_no, call.c.person, call.c.n, call.c.recording_wish).where(*mine)

        def wishes(conn: sa.Connection) -> dict[AttemptKey, bool]:
            return {AttemptKey(*row[:3]): row.recording_wish == _WORDS[True] for row in conn.execute(query)}

        return await self._db.read(wishes)
