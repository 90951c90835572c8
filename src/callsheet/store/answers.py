"""Answers that were given to requests with an idempotency key, so that a repeat gets the same one and does nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from callsheet.clock import to_micros
from callsheet.core.errors import KeyBrokenOff, KeyInUse, KeyReused
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.rows import insert, one
from callsheet.store.vault import Vault

KEPT = timedelta(hours=24)
"""How long an answer is remembered."""

PATIENCE = timedelta(minutes=5)
"""No request takes longer: one that has no answer by then broke off with its process."""


@dataclass(frozen=True, slots=True)
class Key:
    """An idempotency key: what a caller of an app made up for one request."""

    app: int
    """0: the call was for an account."""
    caller: str
    text: str

    @property
    def purpose(self) -> str:
        """What its answer is sealed for."""
        return f"answer {self.app} {self.caller} {self.text}"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was given."""

    status: int
    content_type: str
    body: bytes
    """JSON mostly, and now and then a file."""
    fingerprint: bytes
    """The hash of the request."""


class Answers:
    """The answers of all apps; bodies are sealed, because some show a secret, or numbers, once."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def begin(self, key: Key, fingerprint: bytes, now: datetime) -> Answer | None:
        """Begin a request, or return the answer that it got before.

        An empty fingerprint is compared by the caller. Raises KeyReused, KeyInUse, KeyBrokenOff.
        """

        def begin(conn: sa.Connection) -> Answer | None:
            answer = t.answer
            outdated = answer.c.app == key.app, answer.c.at <= to_micros(now - KEPT)
            conn.execute(sa.delete(answer).where(*outdated))
            row = one(conn, sa.select(answer).where(*_is(key)))
            if row is None:
                values = {"app": key.app, "caller": key.caller, "key": key.text, "fingerprint": fingerprint}
                insert(conn, answer, **values, body_sealed=b"", at=to_micros(now))
                return None
            if fingerprint and row["fingerprint"] and fingerprint != row["fingerprint"]:
                raise KeyReused
            if not row["status"]:
                raise KeyBrokenOff if row["at"] <= to_micros(now - PATIENCE) else KeyInUse
            body = self._vault.open_bytes(row["body_sealed"], key.purpose)
            return Answer(row["status"], row["content_type"], body, row["fingerprint"])

        try:
            return await self._db.write(begin)
        except sa.exc.IntegrityError:
            # Another node began the same request between our look and our insert.
            raise KeyInUse from None

    async def keep(self, key: Key, answer: Answer) -> None:
        """Keep the answer of a request that was begun."""
        sealed = self._vault.close_bytes(answer.body, key.purpose)
        values = {
            "status": answer.status,
            "content_type": answer.content_type,
            "body_sealed": sealed,
            "fingerprint": answer.fingerprint,
        }
        await self._db.write(lambda conn: conn.execute(sa.update(t.answer).where(*_is(key)).values(values)))

    async def forget(self, key: Key) -> None:
        """Forget a request that did nothing: it may be corrected and sent again under its key."""
        await self._db.write(lambda conn: conn.execute(sa.delete(t.answer).where(*_is(key))))

    async def break_off(self, key: Key, now: datetime) -> None:
        """Write down that a request ended of which nobody knows whether it took effect."""
        at = to_micros(now - PATIENCE)
        await self._db.write(lambda conn: conn.execute(sa.update(t.answer).where(*_is(key)).values(at=at)))


def _is(key: Key) -> tuple[sa.ColumnElement[bool], ...]:
    answer = t.answer
    return answer.c.app == key.app, answer.c.caller == key.caller, answer.c.key == key.text
