"""Places: a person has one open text conversation with a sender, and whoever changes conversations holds theirs before.

Nobody waits in a circle, because all lock in one order: attempts, conversations that they open (by run, person and
try), the places of all people concerned (by person and sender), and then the rest: replies by their ids, opt-outs by
person and source. A conversation changes only under its place, with its errand and what its person wrote; who waits at
the gate of an app may hold places, but no answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

import sqlalchemy as sa

from callsheet.core.campaign import Channel
from callsheet.store import tables as t


class Standing(NamedTuple):
    """An open conversation that has a place, or is to take one."""

    no: int
    person: bytes
    sender: str
    """As `name_place` has it."""
    spoke_at: int
    """When its attempt was armed; 0: a reply began it."""

    @property
    def is_call(self) -> bool:
        """Tell whether it goes on in a call: nothing that is written belongs to it."""
        return is_call(self.sender)


class Held(NamedTuple):
    """A place that this transaction holds, and the conversation that has it."""

    no: int
    person: bytes
    sender: str


_CALL: Final = "call "


def name_place(channel: str, sender: str, cause: str) -> str:
    """Return under which sender a conversation has its place: a call has one of its own, beside texts and other calls.

    `sender`: bare. `cause`: the id of its attempt.
    """
    return f"{_CALL}{cause}" if channel == Channel.voice else sender


def is_call(sender: str) -> bool:
    """Tell whether a place is that of a call."""
    return sender.startswith(_CALL)


RESERVE = (
    "insert into open_session (app, person, sender, session_no) {}"
    " on conflict (app, person, sender) do update set session_no ="
)
"""Holds places, also where there is none yet: who comes to one meanwhile waits. What follows says whose it is."""


def places_of(conn: sa.Connection, app: int, persons: Collection[bytes]) -> list[Held]:
    """Return the places of people, which this transaction holds already."""
    talking = t.open_session
    mine = talking.c.app == app, talking.c.person.in_(persons)
    query = sa.select(talking.c.session_no, talking.c.person, talking.c.sender).where(*mine)
    return [Held(*row) for row in conn.execute(query)]


def hold_places(conn: sa.Connection, app: int, persons: Collection[bytes]) -> list[Held]:
    """Hold the places of people until this transaction ends: their conversations are nobody else's so long."""
    talking = t.open_session
    mine = talking.c.app == app, talking.c.person.in_(persons)
    query = sa.select(talking.c.session_no, talking.c.person, talking.c.sender).where(*mine)
    if not persons:
        return []
    return [Held(*row) for row in conn.execute(query.order_by(talking.c.person, talking.c.sender).with_for_update())]


def place(before: Iterable[Standing], opened: Iterable[Standing]) -> tuple[list[Standing], list[int]]:
    """Return which conversations have the places of those that were opened, and the numbers of those that have to end.

    The newest attempt has said the last word: what is heard late of an older one ends no newer conversation.
    """
    rivals: dict[tuple[bytes, str], set[Standing]] = {}
    for one_of_them in opened:
        rivals.setdefault((one_of_them.person, one_of_them.sender), set()).add(one_of_them)
    for one_of_them in before:
        if mine := rivals.get((one_of_them.person, one_of_them.sender)):
            mine.add(one_of_them)
    placed = [max(mine, key=lambda standing: (standing.spoke_at, standing.no)) for mine in rivals.values()]
    replaced = {standing.no for mine in rivals.values() for standing in mine} - {standing.no for standing in placed}
    return placed, sorted(replaced)
