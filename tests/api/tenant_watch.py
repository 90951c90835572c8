"""Watches every statement that a request of the API makes: none may look at a tenant's rows without naming the tenant.

A statement names it by the app of the table's rows, by a number of ours that only a look-up of the same tenant can have
given, or by joining with a table that does. Take a tenant's filter away, and every test that comes through there fails.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import visitors
from sqlalchemy.sql.dml import Delete, Update
from sqlalchemy.sql.elements import BinaryExpression, ColumnClause
from sqlalchemy.sql.selectable import FromClause, Join, Select
from starlette.types import ASGIApp, Receive, Scope, Send

from callsheet.store import tables as t
from callsheet.store.store import Store

SERVING: ContextVar[bool] = ContextVar("SERVING", default=False)

# The front looks up who calls before it knows for whom: these rows are found by a secret, or an id nobody guesses.
_OF_CALLERS = frozenset({"client", "app", "account", "account_user", "user_session", "user_role"})
# Our own numbers of rows, counted up over all tenants: nobody is told them, so nobody can ask for one.
_NUMBERS = frozenset({"no", "seq"})
_TENANT = frozenset(table.name for table in t.metadata.tables.values() if "app" in table.c) - _OF_CALLERS

_guarded: set[Any] = set()
"""Statements that were found to name a tenant, by what SQLAlchemy keeps compiled ones under: all but the values."""


class Unguarded(AssertionError):
    """A statement looks at rows of every tenant."""


class Watched:
    """An ASGI application whose requests are watched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = SERVING.set(True)
        try:
            await self._app(scope, receive, send)
        finally:
            SERVING.reset(token)


def watch(store: Store) -> None:
    """Watch the statements of a store that requests make."""
    database: Any = store._database
    for name in ("read", "write"):
        setattr(database, name, _watched(getattr(database, name)))


def _watched(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def call(run: Callable[[Any], Any]) -> Any:
        if not SERVING.get():
            return await original(run)
        return await original(lambda conn: run(_Connection(conn)))

    return call


class _Connection:
    """A connection that refuses statements without a tenant."""

    def __init__(self, conn: sa.Connection) -> None:
        self._conn = conn

    def __getattr__(self, name: str) -> Any:
        return getattr(self._conn, name)

    def execute(self, statement: Any, *args: Any, **more: Any) -> Any:
        refuse_unguarded(statement)
        return self._conn.execute(statement, *args, **more)

    def scalar(self, statement: Any, *args: Any, **more: Any) -> Any:
        refuse_unguarded(statement)
        return self._conn.scalar(statement, *args, **more)

    def scalars(self, statement: Any, *args: Any, **more: Any) -> Any:
        refuse_unguarded(statement)
        return self._conn.scalars(statement, *args, **more)


def refuse_unguarded(statement: Any) -> None:
    """Raise Unguarded where a table of tenants is looked at without naming one."""
    # To walk through a statement takes ten times as long as to execute it: each is looked at once.
    known = statement._generate_cache_key()
    if known is not None and known.key in _guarded:
        return
    _refuse(statement)
    if known is not None:
        _guarded.add(known.key)


def _refuse(statement: Any) -> None:
    tables: set[Any] = set()
    compared: list[tuple[Any, Any]] = []
    for part in visitors.iterate(statement):
        if isinstance(part, Select | Update | Delete):
            tables.update(_tables(part))
        elif isinstance(part, BinaryExpression) and part.operator in (sa.sql.operators.eq, sa.sql.operators.in_op):
            compared += [(part.left, part.right), (part.right, part.left)]
    guarded = {table for table in tables if any(_names_tenant(*pair, table) for pair in compared)}
    guarded |= {table for table in tables if _name(table) not in _TENANT}
    while follows := {table for table in tables - guarded if any(_follows(*pair, table, guarded) for pair in compared)}:
        guarded |= follows
    if tables - guarded:
        raise Unguarded(f"no tenant for {sorted(map(_name, tables - guarded))} in: {statement}")


def _tables(part: Any) -> Iterator[Any]:
    if not isinstance(part, Select):
        yield part.table
        return
    waiting: list[FromClause] = list(part.get_final_froms())
    while waiting:
        one = waiting.pop()
        if isinstance(one, Join):
            waiting += [one.left, one.right]
        elif _name(one):
            yield one


def _name(table: Any) -> str:
    """Return the name of a table, or of the one behind an alias; empty for anything else."""
    while isinstance(table, sa.Alias):
        table = table.element
    return table.name if isinstance(table, sa.Table) else ""


def _names_tenant(side: Any, other: Any, table: Any) -> bool:
    """Tell whether a comparison names the tenant of a table's rows, or one row by our number of it."""
    mine = isinstance(side, ColumnClause) and side.table is table
    return mine and not isinstance(other, ColumnClause) and (side.name == "app" or side.name in _NUMBERS)


def _follows(side: Any, other: Any, table: Any, guarded: set[Any]) -> bool:
    """Tell whether a comparison ties a table's rows to those of a table that is guarded."""
    both = isinstance(side, ColumnClause) and isinstance(other, ColumnClause)
    return both and side.table is table and other.table in guarded and _name(other.table) in _TENANT
