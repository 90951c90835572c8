"""Sessions: who is signed in. Only the SHA-256 of a token is stored, so nobody can sign in with what stands here."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.permissions import Role
from callsheet.store import tables as t
from callsheet.store.apps import App, read_app
from callsheet.store.database import Database
from callsheet.store.rows import all_of, insert, one
from callsheet.store.vault import Vault


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lasts: without a call, and altogether."""

    idle: timedelta
    longest: timedelta


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in."""

    user_no: int
    user_id: str
    login: str
    name: str
    account_id: str
    roles: Mapping[str, tuple[App, Role]]
    """By the ids of the apps in which he is something and not disabled, the oldest app first."""
    seen_at: datetime
    until: datetime
    """When it ends at the latest."""


class Sessions:
    """The sessions of all users."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def begin(self, user_no: int, token: str, limits: Limits, now: datetime) -> None:
        """Store a session under its token, and forget those that are over."""
        at = to_micros(now)
        session = t.user_session
        over = sa.or_(
            session.c.created_at <= to_micros(now - limits.longest), session.c.seen_at <= to_micros(now - limits.idle)
        )

        def begin(conn: sa.Connection) -> None:
            conn.execute(sa.delete(session).where(over))
            insert(conn, session, token_hash=_hash(token), user_no=user_no, created_at=at, seen_at=at)

        await self._db.write(begin)

    async def find(self, token: str, limits: Limits, now: datetime) -> Session | None:
        """Return who is signed in with a token; None when nobody is, or not any more."""
        session, user, roles = t.user_session, t.account_user, t.user_role
        query = (
            sa.select(user, session.c.created_at.label("begun_at"), session.c.seen_at)
            .join(session, session.c.user_no == user.c.no)
            .where(
                session.c.token_hash == _hash(token),
                session.c.created_at > to_micros(now - limits.longest),
                session.c.seen_at > to_micros(now - limits.idle),
            )
        )

        def find(conn: sa.Connection) -> Session | None:
            row = one(conn, query)
            if row is None:
                return None
            enabled = sa.select(roles).where(roles.c.user_no == row["no"], roles.c.disabled == 0).order_by(roles.c.app)
            held = [
                (read_app(conn, self._vault, t.app.c.no == one["app"]), Role(one["role"]))
                for one in all_of(conn, enabled)
            ]
            return Session(
                row["no"],
                row["id"],
                row["login"],
                row["name"],
                row["account_id"],
                {app.id: (app, role) for app, role in held if app is not None},
                from_micros(row["seen_at"]),
                from_micros(row["begun_at"]) + limits.longest,
            )

        return await self._db.read(find)

    async def touch(self, token: str, now: datetime) -> None:
        """Note that somebody who is signed in did something."""
        session = t.user_session
        seen = sa.update(session).where(session.c.token_hash == _hash(token)).values(seen_at=to_micros(now))
        await self._db.write(lambda conn: conn.execute(seen))

    async def end(self, token: str) -> None:
        """Sign somebody out."""
        session = t.user_session
        await self._db.write(lambda conn: conn.execute(sa.delete(session).where(session.c.token_hash == _hash(token))))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
