"""A conversation as a value: its row, with the session of its flow opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from callsheet.clock import from_micros
from callsheet.core.campaign import Channel
from callsheet.core.flow.session import Awaits, Session
from callsheet.core.walk import Group
from callsheet.store.flow_states import read_state
from callsheet.store.rows import DAMAGE
from callsheet.store.vault import Seal

_columns = msgspec.json.Decoder(dict[str, str])

ERRANDS = frozenset({Awaits.webhook, Awaits.model})
"""What is asked of others meanwhile: replies wait for it too."""


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation of ours with a person, through one sender."""

    app: int
    no: int
    id: str
    person: bytes
    channel: Channel
    sender: str
    """The sender's label."""
    trunk_no: int
    flow_no: int
    version: int
    run_no: int
    """Whose attempt began it; 0: a reply did."""
    n: int
    cause: str
    """The id of the attempt, or of the reply, that began it."""
    revision: int
    awaits: Awaits
    opened_at: datetime
    changed_at: datetime
    ended_at: datetime | None
    queue_no: int
    agent: str
    session: Session | None = None
    """None: it was not begun yet, has ended, or cannot be read."""
    is_damaged: bool = False
    """What is stored of it cannot be read."""
    columns: Mapping[str, str] | None = None
    """From which columns the campaign's message was made, until it has begun; None: nobody knows."""


class ContactOf(NamedTuple):
    """The contact of a conversation, as it stands in its list now."""

    sealed: bytes
    """Its number."""
    attributes: Mapping[str, str]
    group: Group | None
    armed_at: datetime | None = None
    """When the campaign's message was made; None: a reply began the conversation."""


def read_talk(row: Mapping[str, Any], seal: Seal) -> Talk:
    """Read a row of `flow_session`."""
    session, columns, is_damaged = None, None, False
    try:
        if row["state_sealed"]:
            session = read_state(seal.open(row["state_sealed"], row["person"]))
        elif row["columns_sealed"]:
            columns = _columns.decode(seal.open(row["columns_sealed"], row["person"]))
    except (*DAMAGE, KeyError):
        is_damaged = True
    return Talk(
        row["app"],
        row["no"],
        row["id"],
        row["person"],
        Channel(row["channel"]),
        row["sender"],
        row["trunk_no"],
        row["flow_no"],
        row["version"],
        row["run_no"],
        row["n"],
        row["cause"],
        row["revision"],
        Awaits(row["awaits"]),
        from_micros(row["opened_at"]),
        from_micros(row["changed_at"]),
        from_micros(row["ended_at"]) if row["ended_at"] else None,
        row["queue_no"],
        row["agent"],
        session,
        is_damaged,
        columns,
    )
