"""What the handsets show: the texts that were taken, long ones put together from their parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from callsheet.carriers.sandbox.ledger import LedgerReader, Message
from callsheet.carriers.sandbox.origin import Origin

_LOOK_BACK: Final = 5_000
"""How many messages before a part its siblings are looked for."""


def read_outbox(ledger: LedgerReader, after: int, limit: int, *, parts: bool = False) -> dict[str, Any]:
    """Give a page of texts, oldest first, and where the next one begins (None: there is no more now).

    A long text stands where its last part came; with `parts` each part stands for itself, also where some never came.
    """
    rows = ledger.outbox(after, limit)
    first = rows[0].id if rows else 0
    older = [] if parts else ledger.outbox(max(0, first - _LOOK_BACK - 1), min(_LOOK_BACK, first - 1)) if rows else []
    items = _items(older, rows, parts=parts)
    return {"items": items, "next": rows[-1].id if len(rows) == limit else None}


def _items(older: Sequence[Message], rows: Sequence[Message], *, parts: bool) -> list[dict[str, Any]]:
    items = []
    known: dict[tuple[object, ...], dict[int, Message]] = {}
    first = rows[0].id if rows else 0
    for row in (*(row for row in older if row.id < first), *rows):
        origin = Origin.read(row.reference)
        if origin.part is None or parts:
            together: Sequence[Message] = [row]
        else:
            key = (origin.way, origin.who, row.to, row.sender, origin.part.reference, origin.part.total)
            siblings = known.setdefault(key, {})
            siblings[origin.part.number] = row
            if len(siblings) < origin.part.total:
                continue
            together = [siblings[number] for number in sorted(siblings)]
            known.pop(key)
        if row.id >= first:
            items.append(_item(origin, row, together))
    return items


def _item(origin: Origin, row: Message, together: Sequence[Message]) -> dict[str, Any]:
    return {
        "id": row.carrier_id,
        "ids": [part.carrier_id for part in together],
        "to": row.to,
        "from": row.sender,
        "text": "".join(part.text for part in together),
        "part": None if origin.part is None or len(together) > 1 else origin.part._asdict(),
        "reference": origin.reference,
        "way": origin.way,
        "status": row.status,
        "accepted_at": row.accepted_at.isoformat(),
    }
