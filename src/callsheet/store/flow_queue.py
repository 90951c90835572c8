"""The inbox of a queue: conversations that were handed over, until somebody takes and closes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.answering import ReplyKind
from callsheet.core.errors import WrongState
from callsheet.core.flow.session import Awaits
from callsheet.core.segments import USUAL, measure
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.flow_effects import answer_of, find_trunks
from callsheet.store.flow_talks import read_talk
from callsheet.store.forbidden_replies import forbidden_persons
from callsheet.store.rows import one, read_writing
from callsheet.store.vault import AppKey, Vault


class FlowQueue:
    """What was handed over, of all apps."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def waiting(self) -> tuple[int, datetime | None]:
        """Return how many conversations wait in all queues for somebody who takes them, and since when the first."""
        session, queue = t.flow_session, t.queue
        query = (
            sa.select(sa.func.count(), sa.func.min(session.c.queued_at))
            .select_from(queue)
            .join(session, sa.and_(session.c.app == queue.c.app, session.c.queue_no == queue.c.no))
            .where(session.c.agent == "", session.c.ended_at == 0)
        )
        count, since = await self._db.read(lambda conn: conn.execute(query).one())
        return int(count), from_micros(since) if since is not None else None

    async def take(self, app: int, talk_id: str, agent: str, now: datetime) -> str | None:
        """Give a conversation to somebody who asks for it, and return who has it now.

        Another one who took it before keeps it. None: it is in no queue.
        """
        session = t.flow_session
        mine = session.c.app == app, session.c.id == talk_id

        def take(conn: sa.Connection) -> str | None:
            row = one(conn, sa.select(session.c.agent, session.c.awaits).where(*mine).with_for_update())
            if row is None or row["awaits"] != Awaits.person.value:
                return None
            if row["agent"]:
                return str(row["agent"])
            taken = {"agent": agent, "changed_at": to_micros(now)}
            conn.execute(sa.update(session).where(*mine).values(**taken))
            return agent

        return await self._db.write(take)

    async def let_go(self, app: int, talk_id: str, agent: str, now: datetime) -> bool:
        """Put a conversation back that somebody took, and say whether it was his."""
        session = t.flow_session
        mine = session.c.app == app, session.c.id == talk_id, session.c.agent == agent
        waits = session.c.awaits == Awaits.person.value
        back = sa.update(session).where(*mine, waits).values(agent="", changed_at=to_micros(now))
        return await self._db.write(lambda conn: conn.execute(back).rowcount > 0)

    async def say(self, app: int, talk_id: str, agent: str, text: str, now: datetime) -> bool:
        """Say something to the person of a conversation that somebody took; False: it is not his, or not open.

        Raises WrongState for whoever opted out, or is on the global DNC list.
        """
        key = self._vault.app(app)
        assert key is not None, "the app was opened when its token was read"
        session = t.flow_session
        mine = session.c.app == app, session.c.id == talk_id, session.c.agent == agent
        query = sa.select(session).where(*mine, session.c.awaits == Awaits.person.value).with_for_update()

        def say(conn: sa.Connection) -> bool:
            row = one(conn, query)
            number = _number_sealed(key, row) if row is not None else b""
            if row is None or not number:
                return False
            if forbidden_persons(conn, app, {row["person"]}):
                raise WrongState("The person opted out, or is on the global DNC list: nothing is said to them.")
            conn.execute(sa.insert(t.reply).values(**_said(conn, app, key, row, number, text, now)))
            return True

        return await self._db.write(say)


def _said(
    conn: sa.Connection, app: int, key: AppKey, row: Mapping[str, Any], number: bytes, text: str, now: datetime
) -> Mapping[str, Any]:
    trunk_no = find_trunks(conn, app, [row["sender"]]).get(row["sender"], row["trunk_no"])
    written = conn.execute(sa.select(t.trunk.c.writing).where(t.trunk.c.no == trunk_no)).scalar()
    writing = read_writing(written) if written is not None else USUAL
    return {
        **answer_of(trunk_no, row["sender"], row["person"], row["no"], ReplyKind.agent, now),
        "app": app,
        "number_sealed": number,
        "text_sealed": key.seal.close(text.encode(errors="replace"), row["person"]),
        "segments": measure(text, writing).count,
    }


def _number_sealed(key: AppKey, row: Mapping[str, Any]) -> bytes:
    """Return the number of a conversation's person, sealed; empty: it is nowhere any more."""
    talk = read_talk(row, key.seal)
    if talk.session is None:
        return b""
    return key.close_number(talk.session.number, talk.person)
