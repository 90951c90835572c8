"""People who opted out, and the replies by which they did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.campaign import Channel
from callsheet.core.notice import NoticeKind
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.gate import close_gate
from callsheet.store.outbox import announce
from callsheet.store.rows import all_of, insert, one


@dataclass(frozen=True, slots=True)
class OptOut:
    """Somebody who is not contacted on a channel, by their own word."""

    person: bytes
    channel: Channel
    source: str
    """`reply`: they said STOP. Anything else was written down by somebody for them."""
    added_at: datetime


class OptOuts:
    """Who said STOP, by any means."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def find(self, app: int, person: bytes) -> list[OptOut]:
        """Return what a person opted out of."""
        return await self._db.read(lambda conn: opt_outs_of(conn, app, person))

    async def hear(
        self,
        app: int,
        *,
        inbound_id: str,
        person: bytes,
        text_sealed: bytes,
        channel: Channel | None,
        now: datetime,
    ) -> bool:
        """Store an inbound message once, with the opt-out from `channel` that it says, if any. True when it was new."""
        at = to_micros(now)

        def hear(conn: sa.Connection) -> bool:
            inbound, opt_out = t.inbound, t.opt_out
            if one(conn, sa.select(inbound.c.at).where(inbound.c.app == app, inbound.c.inbound_id == inbound_id)):
                return False
            insert(conn, inbound, app=app, inbound_id=inbound_id, person=person, text_sealed=text_sealed, at=at)
            if channel is None:
                return True
            known = one(
                conn,
                sa.select(opt_out.c.added_at).where(
                    opt_out.c.app == app, opt_out.c.channel == channel, opt_out.c.person == person
                ),
            )
            if known is None:
                insert(conn, opt_out, app=app, channel=channel.value, person=person, source="reply", added_at=at)
                payload = {"person_id": person.hex(), "channel": channel.value, "source": "reply"}
                announce(conn, app, NoticeKind.contact_opted_out, payload, now)
            close_gate(conn, app)
            return True

        return await self._db.write(hear)


def opt_outs_of(conn: sa.Connection, app: int, person: bytes) -> list[OptOut]:
    """Return what a person opted out of."""
    opt_out = t.opt_out
    # By channel too: the key leads with it.
    mine = sa.and_(opt_out.c.app == app, opt_out.c.channel.in_(list(Channel)), opt_out.c.person == person)
    return [_read(row) for row in all_of(conn, sa.select(opt_out).where(mine).order_by(opt_out.c.channel))]


def _read(row: Mapping[str, Any]) -> OptOut:
    return OptOut(row["person"], Channel(row["channel"]), row["source"], from_micros(row["added_at"]))
