"""What was said in a call: its prompts, the keys that were pressed, and the answers that were spoken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from callsheet.core.flow.effects import Visit
from callsheet.core.ids import AttemptKey
from callsheet.store import tables as t
from callsheet.store.told_calls import read_timeline
from callsheet.store.vault import Seal


class SpokenLine(NamedTuple):
    """Something that was said, or pressed."""

    at: datetime
    by: str
    """`flow` or `contact`."""
    text: str
    """Of a spoken answer the id of its recording."""
    state: str
    """`spoken`, `pressed` or `recorded`."""


def spoken_lines(
    conn: sa.Connection, app: int, key: AttemptKey, seal: Seal, visits: Sequence[Visit]
) -> list[SpokenLine]:
    """Return what was said in a call, in order. While it goes on only the replies are known, from its visits."""
    call = t.call
    its = call.c.app == app, call.c.run_no == key.run_no, call.c.person == key.person, call.c.n == key.n
    sealed = conn.execute(sa.select(call.c.timeline_sealed).where(*its)).scalar()
    timeline = read_timeline(sealed or b"", seal, key.person)
    if timeline:
        return list(_of_timeline(timeline))
    return [
        SpokenLine(visit.at, "contact", visit.response, "pressed")
        for visit in visits
        if visit.has_left and visit.is_question and visit.response
    ]


def _of_timeline(timeline: Sequence[Mapping[str, Any]]) -> Iterator[SpokenLine]:
    """Yield lines; keys that are pressed one after the other are one."""
    pressed: SpokenLine | None = None
    for noted in timeline:
        at = datetime.fromisoformat(noted["at"])
        if noted["what"] == "pressed":
            digit = str(noted.get("digit", ""))
            before = pressed or SpokenLine(at, "contact", "", "pressed")
            pressed = before._replace(text=before.text + digit)
            continue
        if pressed is not None and noted["what"] in _ENDS:
            yield pressed
            pressed = None
        if noted["what"] == "said":
            yield SpokenLine(at, "flow", str(noted.get("text") or noted.get("audio") or ""), "spoken")
        elif noted["what"] == "recorded":
            yield SpokenLine(at, "contact", str(noted.get("recording", "")), "recorded")
    if pressed is not None:
        yield pressed


_ENDS = frozenset({"said", "recorded", "hung_up", "lost"})
"""What ends a row of keys."""
