"""How rows become values, and values rows."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag

from callsheet.clock import from_micros
from callsheet.core.allowance import Allowance
from callsheet.core.campaign import Definition
from callsheet.core.ids import Prefix, make_id
from callsheet.core.pools import Pool
from callsheet.core.retrying import Turn
from callsheet.core.run import AppSettings
from callsheet.core.segments import Writing
from callsheet.core.walk import Group

DAMAGE = (InvalidTag, OverflowError, TypeError, ValueError)
"""What reading stored values raises that were damaged, sealed by another key, or written by another release."""

_encoder = msgspec.json.Encoder()
_definition = msgspec.json.Decoder(Definition)
_settings = msgspec.json.Decoder(AppSettings)
_allowance = msgspec.json.Decoder(Allowance)
_writing = msgspec.json.Decoder(Writing)
_pool = msgspec.json.Decoder(Pool)


def new_id(prefix: Prefix) -> str:
    """Make a new public id."""
    return make_id(prefix, os.urandom(16))


def to_json(value: Any) -> str:
    """Write a core value as JSON text."""
    return _encoder.encode(value).decode()


def read_definition(text: str) -> Definition:
    """Read a campaign's definition."""
    return _definition.decode(text)


def read_settings(text: str) -> AppSettings:
    """Read an app's settings; what was not chosen has its default."""
    return _settings.decode(text)


def read_allowance(text: str) -> Allowance:
    """Read what a trunk or a sender may send."""
    return _allowance.decode(text)


def read_writing(text: str) -> Writing:
    """Read how a trunk writes texts."""
    return _writing.decode(text)


def read_pool(text: str) -> Pool | None:
    """Read the senders among which a pool chooses; none: it is no pool."""
    return _pool.decode(text) if text else None


def read_group(list_no: int, group_no: int, own_zone: str, candidate_zones: str, priority: int) -> Group:
    """Read a group from the columns of its row."""
    return Group(list_no, group_no, own_zone or None, frozenset(candidate_zones.split()), priority)


def read_dues(dues: Sequence[int | None]) -> dict[Turn, datetime]:
    """Read when contacts come again, from a column for each turn; a turn without any is missing."""
    return {turn: from_micros(due) for turn, due in zip(Turn, dues, strict=True) if due is not None}


def insert(conn: sa.Connection, table: sa.Table, **values: Any) -> int:
    """Insert a row and return the number that the database gave it (0 for tables without one)."""
    if any(isinstance(value, sa.ClauseElement) for value in values.values()):
        result = conn.execute(sa.insert(table).values(**values))
    else:
        result = conn.execute(_insert_into(table), values)
    key = result.inserted_primary_key
    return key[0] if key is not None and isinstance(key[0], int) else 0


@cache
def _insert_into(table: sa.Table) -> sa.Insert:
    """Make the statement once: to make it anew for each row takes as long as to execute it."""
    return sa.insert(table)


def one(
    conn: sa.Connection, statement: sa.Select[Any], values: Mapping[str, Any] | None = None
) -> Mapping[str, Any] | None:
    """Return one row by column name, or None; `values` are those of a statement that was made before."""
    row = conn.execute(statement, values).mappings().first()
    return dict(row) if row is not None else None


def all_of(
    conn: sa.Connection, statement: sa.Select[Any], values: Mapping[str, Any] | None = None
) -> list[Mapping[str, Any]]:
    """Return all rows by column name; `values` are those of a statement that was made before."""
    result = conn.execute(statement, values)
    names = tuple(result.keys())
    return [dict(zip(names, row, strict=True)) for row in result.all()]
