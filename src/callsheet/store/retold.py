"""Replies that are told again under another id.

SMPP gives a reply no id, so whoever hears one makes one up, and knows it again by itself. Another does not: the carrier
may tell it to the next connection of a trunk that was opened again, to another node, or after a crash. Until it is
certain that the carrier knows that we have it, equal words that another teller brings soon are the same reply.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.store import tables as t
from callsheet.store.gate import one_at_a_time
from callsheet.store.parts import SealedReply
from callsheet.store.rows import all_of

SAME_WITHIN = timedelta(seconds=90)
"""So long after a reply the same words from another teller are that reply; a person may repeat himself later."""
_TABLES = (t.inbound, t.inbound_part)


def drop_retold(conn: sa.Connection, app: int, trunk_no: int, heard: Sequence[SealedReply]) -> Sequence[SealedReply]:
    """Leave out what another teller brought before. That has the new id from now on, and stands for no second one."""
    by_digest: dict[bytes, list[SealedReply]] = {}
    for one in heard:
        if one.digest:
            by_digest.setdefault(one.digest, []).append(one)
    if not by_digest:
        return heard
    # Two nodes may hear it at the same moment: whoever comes second has to see it.
    one_at_a_time(conn, app)
    since = to_micros(min(one.at for one in heard) - SAME_WITHIN)
    retold: set[str] = set()
    for table in _TABLES:
        mine = (
            table.c.app == app, table.c.trunk_no == trunk_no, table.c.person.in_({one.person for one in heard}),
            table.c.at >= since, table.c.digest.in_(by_digest),
        )  # fmt: skip
        for row in all_of(conn, sa.select(table).where(*mine).order_by(table.c.at)):
            equal = by_digest[row["digest"]]
            again = next((one for one in equal if _is_again(one, row["teller"], row["at"])), None)
            if again is not None:
                equal.remove(again)
                retold.add(again.inbound_id)
                it = table.c.app == app, table.c.trunk_no == trunk_no, table.c.inbound_id == row["inbound_id"]
                conn.execute(sa.update(table).where(*it).values(inbound_id=again.inbound_id, teller=again.teller))
    return [one for one in heard if one.inbound_id not in retold]


def _is_again(heard: SealedReply, teller: str, at: int) -> bool:
    return heard.teller != teller and abs(heard.at - from_micros(at)) <= SAME_WITHIN


def copy_of(inbound_id: str) -> str:
    """Name what is kept of a reply for the second of the two whose it may be."""
    return f"{inbound_id}~1"


def forget_tellers(conn: sa.Connection, app: int, trunk_no: int, inbound_ids: Collection[str]) -> None:
    """Let nothing that is told from now on be one of these replies, for whomever each is kept."""
    names = {*inbound_ids, *(copy_of(name) for name in inbound_ids)}
    for table in _TABLES:
        mine = table.c.app == app, table.c.trunk_no == trunk_no, table.c.inbound_id.in_(names)
        conn.execute(sa.update(table).where(*mine).values(teller="", digest=b""))
