"""The contacts of conversations, as they stand in their lists: what flows know of them, and the columns that they set.

Of a campaign's conversation it is the contact of the attempt. Of one that a reply began it is the contact whom we
wrote to last by that sender, else the one of the person that was added last to any list: as of the reply, so that it
stays the same while they talk.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.contacts import TooManyColumns, join_columns
from callsheet.core.flow.effects import SetProperty
from callsheet.core.ids import NO_RUN, AttemptKey
from callsheet.core.placeholders import Headers
from callsheet.core.walk import Group
from callsheet.store import tables as t
from callsheet.store.flow_talks import ContactOf, Talk
from callsheet.store.rows import one, read_group, to_json

if TYPE_CHECKING:
    from callsheet.store.flow_turns import Turn


class _Place(NamedTuple):
    """Where a contact stands."""

    list_no: int
    group_no: int
    pos: int


def find_contacts(conn: sa.Connection, app: int, talks: Sequence[Talk]) -> dict[int, ContactOf]:
    """Return the contacts of conversations, by the numbers of those, where a list has them still.

    Of a conversation that a reply began, only until it has begun.
    """
    found = _of_attempts(conn, app, [talk for talk in talks if talk.run_no != NO_RUN])
    of_replies = [talk for talk in talks if talk.run_no == NO_RUN and talk.session is None]
    known = _known(conn, app, {talk.person for talk in of_replies})
    for talk in of_replies:
        if talk.person in known:
            row = _of_reply(conn, app, talk)
            if row is not None:
                named = "list_no", "group_no", "own_zone", "candidate_zones", "priority"
                group = _group(*(row[name] for name in named))
                found[talk.no] = ContactOf(row["sealed"], msgspec.json.decode(row["attributes"]), group)
    return found


def change_contacts(conn: sa.Connection, app: int, turns: Sequence[Turn]) -> None:
    """Write the columns that flows set into the rows of the contacts; a list learns of those that it did not have."""
    new: dict[int, dict[str, None]] = {}
    changes: list[tuple[Turn, _Place, Mapping[str, str]]] = []
    for turn in turns:
        set_now = {effect.name: effect.value for effect in turn.effects if isinstance(effect, SetProperty)}
        place = _place(conn, app, turn.talk) if set_now else None
        if place is not None:
            changes.append((turn, place, set_now))
            new.setdefault(place.list_no, {}).update(dict.fromkeys(set_now))
    # Whoever waits for a list has changed none of its contacts yet, and all hold lists in one order.
    known = {list_no: _add_columns(conn, app, list_no, list(new[list_no])) for list_no in sorted(new)}
    for turn, place, values in sorted(changes, key=lambda change: change[1]):
        _change(conn, app, turn.talk.person, place, values, known[place.list_no])


def _of_attempts(conn: sa.Connection, app: int, talks: Sequence[Talk]) -> dict[int, ContactOf]:
    wanted = {AttemptKey(talk.run_no, talk.person, talk.n): talk.no for talk in talks}
    if not wanted:
        return {}
    attempt, contact, group = t.attempt, t.contact, t.list_group
    query = (
        sa.select(attempt.c.run_no, attempt.c.person, attempt.c.n)
        .add_columns(contact.c.sealed, contact.c.attributes, attempt.c.at)
        .add_columns(contact.c.list_no, contact.c.group_no, *_of_group())
        .join(contact, _is_of_attempt())
        .outerjoin(group, _is_of_contact())
        .where(
            attempt.c.app == app,
            attempt.c.run_no.in_({key.run_no for key in wanted}),
            attempt.c.person.in_({key.person for key in wanted}),
        )
    )
    found = {}
    for run_no, person, n, sealed, attributes, at, *of in conn.execute(query):
        no = wanted.get(AttemptKey(run_no, person, n))
        if no is not None:
            found[no] = ContactOf(sealed, msgspec.json.decode(attributes), _group(*of), from_micros(at))
    return found


def _is_of_attempt() -> sa.ColumnElement[bool]:
    attempt, contact = t.attempt, t.contact
    same = (contact.c[name] == attempt.c[name] for name in ("app", "list_no", "group_no", "pos", "person"))
    return sa.and_(*same)


def _of_group() -> tuple[sa.ColumnElement[Any], ...]:
    """Return what is asked for of the contact's group, beside the contact."""
    group = t.list_group
    return group.c.own_zone, group.c.candidate_zones, group.c.priority


def _group(
    list_no: int, group_no: int, own_zone: str | None, candidate_zones: str | None, priority: int | None
) -> Group | None:
    if own_zone is None or candidate_zones is None or priority is None:
        return None
    return read_group(list_no, group_no, own_zone, candidate_zones, priority)


def _is_of_contact() -> sa.ColumnElement[bool]:
    contact, group = t.contact, t.list_group
    return sa.and_(*(group.c[name] == contact.c[name] for name in ("app", "list_no", "group_no")))


def _known(conn: sa.Connection, app: int, persons: Collection[bytes]) -> set[bytes]:
    """Return those of these people whom a list has."""
    contact, lists = t.contact, t.contact_list
    of_app = sa.select(lists.c.no).where(lists.c.app == app)
    mine = contact.c.app == app, contact.c.list_no.in_(of_app), contact.c.person.in_(persons)
    return set(conn.execute(sa.select(contact.c.person).where(*mine)).scalars()) if persons else set()


def _of_reply(conn: sa.Connection, app: int, talk: Talk) -> Mapping[str, Any] | None:
    """Return the row of the contact of a conversation that a reply began; None: no list has the person."""
    values = {"app": app, "person": talk.person, "sender": talk.sender, "opened_at": to_micros(talk.opened_at)}
    return one(conn, _WRITTEN_TO, values) or one(conn, _LISTED, values)


def _written_to() -> sa.Select[Any]:
    attempt, contact, group, run, sender, lists = (
        t.attempt, t.contact, t.list_group, t.run, t.sender, t.contact_list,
    )  # fmt: skip
    there = sa.and_(lists.c.app == contact.c.app, lists.c.no == contact.c.list_no)
    spoke = sa.case((attempt.c.sender_no > 0, attempt.c.sender_no), else_=run.c.sender_no)
    return (
        sa.select(contact, *_of_group())
        .select_from(attempt)
        .join(run, run.c.no == attempt.c.run_no)
        .join(sender, sender.c.no == spoke)
        .join(contact, _is_of_attempt())
        .join(lists, there)
        .outerjoin(group, _is_of_contact())
        .where(attempt.c.app == sa.bindparam("app"), attempt.c.person == sa.bindparam("person"))
        .where(attempt.c.at <= sa.bindparam("opened_at"), sender.c.label == sa.bindparam("sender"))
        .order_by(attempt.c.at.desc(), attempt.c.run_no.desc(), attempt.c.n.desc())
        .limit(1)
    )


def _listed() -> sa.Select[Any]:
    contact, group, lists = t.contact, t.list_group, t.contact_list
    of_app = sa.select(lists.c.no).where(lists.c.app == sa.bindparam("app"))
    return (
        sa.select(contact, *_of_group())
        .select_from(contact)
        .outerjoin(group, _is_of_contact())
        .where(contact.c.app == sa.bindparam("app"), contact.c.person == sa.bindparam("person"))
        .where(contact.c.created_at <= sa.bindparam("opened_at"), contact.c.list_no.in_(of_app))
        .order_by(contact.c.created_at.desc(), contact.c.list_no.desc(), contact.c.pos.desc())
        .limit(1)
    )


_WRITTEN_TO, _LISTED = _written_to(), _listed()
"""Asked for each conversation that begins: made once."""


def _place(conn: sa.Connection, app: int, talk: Talk) -> _Place | None:
    if talk.run_no == NO_RUN:
        row = _of_reply(conn, app, talk)
    else:
        attempt = t.attempt
        mine = (
            attempt.c.app == app, attempt.c.run_no == talk.run_no, attempt.c.person == talk.person,
            attempt.c.n == talk.n,
        )  # fmt: skip
        row = one(conn, sa.select(attempt.c.list_no, attempt.c.group_no, attempt.c.pos).where(*mine))
    return _Place(row["list_no"], row["group_no"], row["pos"]) if row is not None else None


def _add_columns(conn: sa.Connection, app: int, list_no: int, names: Sequence[str]) -> frozenset[str]:
    """Let a list know of columns, as many as it has room for, and return those that it knows."""
    lists = t.contact_list
    mine = lists.c.app == app, lists.c.no == list_no
    columns = sa.select(lists.c.columns).where(*mine)
    known = _read_columns(one(conn, columns))
    if set(names) <= set(known):
        return frozenset(known)
    row = one(conn, columns.with_for_update())
    known = joined = _read_columns(row)
    headers = Headers(tuple(known))
    for name in names:
        if headers.find(name) not in known:
            try:
                joined = join_columns(joined, [name])
            except TooManyColumns:
                break
    if row is not None and joined != known:
        conn.execute(sa.update(lists).where(*mine).values(columns=to_json(joined)))
    return frozenset(joined)


def _read_columns(row: Mapping[str, Any] | None) -> list[str]:
    columns: list[str] = msgspec.json.decode(row["columns"]) if row is not None else []
    return columns


def _change(
    conn: sa.Connection, app: int, person: bytes, place: _Place, set_now: Mapping[str, str], known: frozenset[str]
) -> None:
    contact = t.contact
    mine = [contact.c.app == app, *(contact.c[name] == value for name, value in place._asdict().items())]
    row = one(conn, sa.select(contact.c.attributes).where(*mine, contact.c.person == person).with_for_update())
    if row is None:
        return
    columns = msgspec.json.decode(row["attributes"])
    headers, of_list = Headers(tuple(columns)), Headers(tuple(known))
    for name, value in set_now.items():
        header = headers.find(name) or of_list.find(name)
        # One that its list has no room for is known in the conversation only.
        if header in columns or header in known:
            columns[header] = value
    conn.execute(sa.update(contact).where(*mine).values(attributes=to_json(columns)))
