"""Texts that come in parts: kept part by part until they are whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.opting_out import Word, read_reply
from callsheet.core.part import Part
from callsheet.store import tables as t
from callsheet.store.gate import one_at_a_time
from callsheet.store.rows import all_of
from callsheet.store.vault import Seal

MISSING = "…"
"""What stands for parts that never came."""
_MOST_OVERDUE = 500


class SealedReply(NamedTuple):
    """A reply as it was heard, sealed."""

    inbound_id: str
    person: bytes
    number_sealed: bytes
    text_sealed: bytes
    sender: str
    at: datetime
    word: Word
    part: Part | None = None
    is_answered: bool = False
    """Its carrier has answered it."""
    teller: str = ""
    """Who gave it its id, where the carrier gave none."""
    digest: bytes = b""
    """What it has in common with the same message under another id; empty: the carrier gave it its id."""
    is_nobodys: bool = False
    """Nobody can read its number: it is kept, with the number as it was written, and nothing comes of it."""


def keep_parts(conn: sa.Connection, app: int, trunk_no: int, parts: Sequence[SealedReply], now: datetime) -> None:
    """Store parts of texts."""
    at = to_micros(now)
    rows = [
        {
            "app": app,
            "trunk_no": trunk_no,
            "inbound_id": heard.inbound_id,
            "person": heard.person,
            "sender": heard.sender,
            **heard.part._asdict(),
            "number_sealed": heard.number_sealed,
            "text_sealed": heard.text_sealed,
            "at": to_micros(heard.at),
            "waits_since": at,
            "heard_at": at,
            "teller": heard.teller,
            "digest": heard.digest,
        }
        for heard in parts
        if heard.part is not None
    ]
    if rows:
        conn.execute(sa.insert(t.inbound_part), rows)


def join(
    conn: sa.Connection, seal: Seal, app: int, trunk_no: int, parts: Sequence[SealedReply], *, as_they_are: bool = False
) -> list[SealedReply]:
    """Return the texts that are whole now, of those that `parts` belong to; or all, with gaps, `as_they_are`."""
    texts: list[SealedReply] = []
    if parts:
        # Two nodes may hear a part each at the same moment: whoever comes second has to see both.
        one_at_a_time(conn, app)
    for person, sender, reference, total in dict.fromkeys(
        (heard.person, heard.sender, heard.part.reference, heard.part.total)
        for heard in parts
        if heard.part is not None
    ):
        part = t.inbound_part
        mine = sa.and_(
            part.c.app == app,
            part.c.trunk_no == trunk_no,
            part.c.person == person,
            part.c.sender == sender,
            part.c.reference == reference,
            part.c.total == total,
            part.c.waits_since > 0,
        )
        rows = all_of(conn, sa.select(part).where(mine).order_by(part.c.number, part.c.at).with_for_update())
        latest = {row["number"]: row for row in rows}
        if latest and (as_they_are or set(range(1, total + 1)) <= latest.keys()):
            conn.execute(sa.update(part).where(mine).values(waits_since=0, number_sealed=b""))
            texts.append(_joined(seal, latest, total))
    return texts


def is_any_overdue(conn: sa.Connection, waited_since: datetime, kept_since: datetime) -> bool:
    """Tell whether a part has waited since before an instant, or is kept since before another."""
    part = t.inbound_part
    late = sa.select(part.c.app).where(part.c.waits_since.between(1, to_micros(waited_since))).limit(1)
    old = sa.select(part.c.app).where(part.c.heard_at < to_micros(kept_since)).limit(1)
    return any(conn.execute(query).first() is not None for query in (late, old))


def overdue(conn: sa.Connection, before: datetime) -> list[tuple[int, int, list[SealedReply]]]:
    """Return parts that have waited since before an instant, by app and trunk."""
    part = t.inbound_part
    waiting = part.c.waits_since.between(1, to_micros(before))
    rows = all_of(conn, sa.select(part).where(waiting).order_by(part.c.app, part.c.trunk_no).limit(_MOST_OVERDUE))
    found: dict[tuple[int, int], list[SealedReply]] = {}
    for row in rows:
        found.setdefault((row["app"], row["trunk_no"]), []).append(_read(row))
    return [(*key, parts) for key, parts in found.items()]


def drop_old_parts(conn: sa.Connection, before: datetime) -> None:
    """Forget parts that became part of a text long ago."""
    part = t.inbound_part
    conn.execute(sa.delete(part).where(part.c.heard_at < to_micros(before), part.c.waits_since == 0))


def _joined(seal: Seal, parts: Mapping[int, Mapping[str, Any]], total: int) -> SealedReply:
    first = parts[min(parts)]
    texts = [
        seal.open(parts[number]["text_sealed"], first["person"]).decode() if number in parts else MISSING
        for number in range(1, total + 1)
    ]
    text = "".join(texts)
    return _read(first)._replace(
        text_sealed=seal.close(text.encode(), first["person"]), word=read_reply(text), part=None
    )


def _read(row: Mapping[str, Any]) -> SealedReply:
    part = Part(row["reference"], row["total"], row["number"])
    return SealedReply(
        row["inbound_id"], row["person"], row["number_sealed"], row["text_sealed"], row["sender"],
        from_micros(row["at"]), Word.none, part,
    )  # fmt: skip
