"""Users: people who sign in. A user belongs to an account, and is something in each of some of its apps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.errors import Conflict, LastAdmin, NameTaken, UserNotFound
from callsheet.core.ids import Prefix
from callsheet.core.names import key_of
from callsheet.core.permissions import Role
from callsheet.store import tables as t
from callsheet.store.apps import App
from callsheet.store.database import Database
from callsheet.store.rows import all_of, insert, new_id, one

_FIRST_USER_LOCK = 0x75736572
"""Number of the advisory lock on PostgreSQL under which the first user is made."""


@dataclass(frozen=True, slots=True)
class User:
    """A user, as an app sees him."""

    no: int
    id: str
    login: str
    name: str
    role: Role
    is_disabled: bool
    created_at: datetime


class Known(NamedTuple):
    """What is known of somebody who wants to sign in."""

    no: int
    id: str
    account_id: str
    password_hash: str
    is_enabled: bool
    """He is something in an app, and not disabled there."""


class Users:
    """The users of all accounts."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def create(self, app: App, login: str, name: str, role: Role, password_hash: str, now: datetime) -> User:
        """Create a user who is something in an app. Raises NameTaken when the account has this login."""

        def create(conn: sa.Connection) -> User:
            taken = sa.select(t.account_user.c.no).where(
                t.account_user.c.account_id == app.account_id, t.account_user.c.llogin == key_of(login)
            )
            if one(conn, taken) is not None:
                raise NameTaken(f"The login {login} exists already in this account.")
            no = _insert(conn, app.account_id, login, name, password_hash, now)
            _join(conn, app.no, no, role)
            return _find(conn, app.no, t.account_user.c.no == no)

        return await self._db.write(create)

    async def create_first(self, login: str, password_hash: str, now: datetime) -> User:
        """Create the first user: an admin in every app of the oldest account. Raises Conflict when there is a user."""

        def create(conn: sa.Connection) -> User:
            if conn.dialect.name == "postgresql":
                conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_FIRST_USER_LOCK)))
            if one(conn, sa.select(t.account_user.c.no).limit(1)) is not None:
                raise Conflict("There is a user already: sign in.")
            oldest = one(conn, sa.select(t.app).order_by(t.app.c.no).limit(1))
            assert oldest is not None, "the first start makes one"
            no = _insert(conn, oldest["account_id"], login, login, password_hash, now)
            for app in all_of(conn, sa.select(t.app.c.no).where(t.app.c.account_id == oldest["account_id"])):
                _join(conn, app["no"], no, Role.admin)
            return _find(conn, oldest["no"], t.account_user.c.no == no)

        return await self._db.write(create)

    async def find(self, app: int, user_id: str) -> User:
        """Return a user of an app. Raises UserNotFound."""
        return await self._db.read(lambda conn: _find(conn, app, t.account_user.c.id == user_id))

    async def of_app(self, app: int, *, after: int, limit: int) -> list[User]:
        """Return the users of an app in the order in which they were made, from a number on."""
        query = _members(app).where(t.account_user.c.no > after).order_by(t.account_user.c.no).limit(limit)
        return await self._db.read(lambda conn: [_read(row) for row in all_of(conn, query)])

    async def roles(self, user_id: str, *, with_disabled: bool = False) -> Mapping[int, Role]:
        """Return what a user is in each app, by the apps' numbers."""
        roles, user = t.user_role, t.account_user
        query = sa.select(roles).join(user, user.c.no == roles.c.user_no).where(user.c.id == user_id)
        if not with_disabled:
            query = query.where(roles.c.disabled == 0)
        return await self._db.read(lambda conn: {row["app"]: Role(row["role"]) for row in all_of(conn, query)})

    async def join(self, app: App, user_id: str, role: Role) -> User:
        """Make a user of the account something in an app, or something else. Raises UserNotFound, LastAdmin."""

        def put(conn: sa.Connection) -> User:
            mine = sa.and_(t.account_user.c.account_id == app.account_id, t.account_user.c.id == user_id)
            user = one(conn, sa.select(t.account_user.c.no).where(mine))
            if user is None:
                raise UserNotFound
            admins = _lock_admins(conn, app.no)
            there = sa.and_(t.user_role.c.app == app.no, t.user_role.c.user_no == user["no"])
            if one(conn, sa.select(t.user_role.c.role).where(there)) is None:
                _join(conn, app.no, user["no"], role)
            elif role is not Role.admin and admins == {user["no"]}:
                raise LastAdmin
            else:
                conn.execute(sa.update(t.user_role).where(there).values(role=role.value))
            return _find(conn, app.no, mine)

        return await self._db.write(put)

    async def change(
        self,
        app: int,
        user_id: str,
        *,
        name: str | None = None,
        role: Role | None = None,
        is_disabled: bool | None = None,
    ) -> User:
        """Change what is not None. Who is disabled is signed out. Raises UserNotFound, LastAdmin."""

        def change(conn: sa.Connection) -> User:
            admins = _lock_admins(conn, app)
            user = _find(conn, app, t.account_user.c.id == user_id)
            if (is_disabled or role not in (None, Role.admin)) and admins == {user.no}:
                raise LastAdmin
            here: dict[str, Any] = {} if role is None else {"role": role.value}
            if is_disabled is not None:
                here["disabled"] = int(is_disabled)
            if here:
                there = sa.and_(t.user_role.c.app == app, t.user_role.c.user_no == user.no)
                conn.execute(sa.update(t.user_role).where(there).values(here))
            if name is not None:
                conn.execute(sa.update(t.account_user).where(t.account_user.c.no == user.no).values(name=name))
            if is_disabled:
                _sign_out(conn, user.no)
            return _find(conn, app, t.account_user.c.no == user.no)

        return await self._db.write(change)

    async def leave(self, app: int, user_id: str) -> None:
        """Take a user out of an app; who is in no other is gone. Raises UserNotFound, LastAdmin."""

        def leave(conn: sa.Connection) -> None:
            admins = _lock_admins(conn, app)
            user = _find(conn, app, t.account_user.c.id == user_id)
            if admins == {user.no}:
                raise LastAdmin
            roles = t.user_role
            conn.execute(sa.delete(roles).where(roles.c.app == app, roles.c.user_no == user.no))
            _sign_out(conn, user.no)
            if one(conn, sa.select(roles.c.app).where(roles.c.user_no == user.no).limit(1)) is None:
                conn.execute(sa.delete(t.account_user).where(t.account_user.c.no == user.no))

        await self._db.write(leave)

    async def set_password(self, user_no: int, password_hash: str) -> None:
        """Give a user another password, and sign him out everywhere."""

        def put(conn: sa.Connection) -> None:
            mine = t.account_user.c.no == user_no
            conn.execute(sa.update(t.account_user).where(mine).values(password_hash=password_hash))
            _sign_out(conn, user_no)

        await self._db.write(put)

    async def known(self, login: str, account_id: str | None) -> Known | None:
        """Return who has a login, in an account or in the only one that has it; None when nobody, or several, have."""
        user = t.account_user
        query = sa.select(user).where(user.c.llogin == key_of(login)).limit(2)
        if account_id is not None:
            query = query.where(user.c.account_id == account_id)

        def find(conn: sa.Connection) -> Known | None:
            found = all_of(conn, query)
            if len(found) != 1:
                return None
            (row,) = found
            enabled = sa.select(t.user_role.c.app).where(
                t.user_role.c.user_no == row["no"], t.user_role.c.disabled == 0
            )
            is_enabled = one(conn, enabled.limit(1)) is not None
            return Known(row["no"], row["id"], row["account_id"], row["password_hash"], is_enabled)

        return await self._db.read(find)


def _insert(conn: sa.Connection, account_id: str, login: str, name: str, password_hash: str, now: datetime) -> int:
    return insert(
        conn,
        t.account_user,
        id=new_id(Prefix.user),
        account_id=account_id,
        login=login,
        llogin=key_of(login),
        name=name,
        password_hash=password_hash,
        created_at=to_micros(now),
    )


def _join(conn: sa.Connection, app: int, user_no: int, role: Role) -> None:
    insert(conn, t.user_role, app=app, user_no=user_no, role=role.value, disabled=0)


def _lock_admins(conn: sa.Connection, app: int) -> set[int]:
    """Return the enabled admins of an app, and keep others from changing one of them until this transaction ends.

    Two who each take the other's role away: the second waits here, and then finds himself the last.
    """
    roles = t.user_role
    query = (
        sa.select(roles.c.user_no)
        .where(roles.c.app == app, roles.c.role == Role.admin.value, roles.c.disabled == 0)
        .order_by(roles.c.user_no)
        .with_for_update()
    )
    return {row["user_no"] for row in all_of(conn, query)}


def _sign_out(conn: sa.Connection, user_no: int) -> None:
    conn.execute(sa.delete(t.user_session).where(t.user_session.c.user_no == user_no))


def _members(app: int) -> sa.Select[Any]:
    user, role = t.account_user, t.user_role
    return (
        sa.select(user, role.c.role, role.c.disabled).join(role, role.c.user_no == user.c.no).where(role.c.app == app)
    )


def _find(conn: sa.Connection, app: int, wanted: sa.ColumnElement[bool]) -> User:
    row = one(conn, _members(app).where(wanted))
    if row is None:
        raise UserNotFound
    return _read(row)


def _read(row: Mapping[str, Any]) -> User:
    return User(
        row["no"],
        row["id"],
        row["login"],
        row["name"],
        Role(row["role"]),
        bool(row["disabled"]),
        from_micros(row["created_at"]),
    )
