"""The kinds of columns and tables that the schema is made of, once for both databases."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

# SQLite counts upwards by itself only in a column that is exactly INTEGER PRIMARY KEY.
_Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_Int = sa.BigInteger()


def whole(name: str, *, key: bool = False, default: str | None = None) -> sa.Column[int]:
    """Return a whole number: a count, a number of ours, or an instant in microseconds."""
    return sa.Column(name, _Int, primary_key=key, nullable=False, server_default=default, autoincrement=False)


def text(name: str, *, key: bool = False, default: str | None = None) -> sa.Column[str]:
    """Return a text."""
    return sa.Column(name, sa.Text(), primary_key=key, nullable=False, server_default=default)


def blob(name: str, *, key: bool = False) -> sa.Column[bytes]:
    """Return bytes: a person key, or something sealed."""
    return sa.Column(name, sa.LargeBinary(), primary_key=key, nullable=False)


def flag(name: str, default: str = "0") -> sa.Column[int]:
    """Return a yes or no, as 1 or 0 on both databases."""
    return sa.Column(name, sa.SmallInteger(), nullable=False, server_default=default)


def serial(name: str = "no") -> sa.Column[int]:
    """Return a key that the database counts up, and never uses again."""
    return sa.Column(name, _Serial, primary_key=True, autoincrement=True)


def clustered(name: str, *parts: sa.Column[int] | sa.Column[str] | sa.Column[bytes] | sa.schema.SchemaItem) -> sa.Table:
    """Return a table whose rows lie in the order of its key (on SQLite: WITHOUT ROWID)."""
    return sa.Table(name, metadata, *parts, sqlite_with_rowid=False)
