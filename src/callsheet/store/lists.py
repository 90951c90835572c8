"""Contact lists: named sets of contacts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.campaign import Named, Status
from callsheet.core.contacts import join_columns
from callsheet.core.errors import ContactListNotFound, ListInUse, ListNotEmpty, NameTaken
from callsheet.core.ids import Prefix
from callsheet.core.limits import Limit
from callsheet.core.names import MOST_LOOKED_AT, key_of
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.erasing import condemn
from callsheet.store.limits import refuse_another
from callsheet.store.pulls import forget
from callsheet.store.rows import all_of, insert, new_id, one, to_json
from callsheet.store.usage import User, told

_LIST_BYTES = 6
_POS_BYTES = 6

# Made once: making a statement takes longer than running it.
_OF_APP = sa.select(t.contact_list).where(t.contact_list.c.app == sa.bindparam("app"))
_BY_ID = _OF_APP.where(t.contact_list.c.id == sa.bindparam("sought"))
_BY_NAME = _OF_APP.where(t.contact_list.c.lname == sa.bindparam("sought"))


class Uses(NamedTuple):
    """Who uses a list."""

    campaigns: tuple[Named, ...] = ()
    is_going_on: bool = False
    """One of them runs, or pauses."""


@dataclass(frozen=True, slots=True)
class ContactList:
    """A named set of contacts."""

    app: int
    no: int
    id: str
    name: str
    description: str
    source: str
    allow_duplicates: bool
    columns: tuple[str, ...]
    size: int
    created_at: datetime
    updated_at: datetime
    uses: Uses | None = None
    """None: nobody asked for them, as they may be thousands."""

    @property
    def linked(self) -> tuple[Named, ...]:
        """The campaigns that use it."""
        assert self.uses is not None, "the list was read without its uses"
        return self.uses.campaigns

    @property
    def in_use(self) -> bool:
        """A running campaign uses it."""
        assert self.uses is not None, "the list was read without its uses"
        return self.uses.is_going_on


class Lists:
    """The contact lists of all apps."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def create(
        self, app: int, *, name: str, description: str, source: str, allow_duplicates: bool, now: datetime
    ) -> ContactList:
        """Create an empty list. Raises NameTaken and LimitReached."""
        list_id = new_id(Prefix.contact_list)

        def create(conn: sa.Connection) -> ContactList:
            refuse_another(conn, t.contact_list, app, Limit.contact_lists)
            _refuse_taken(conn, app, name)
            at = to_micros(now)
            no = insert(
                conn,
                t.contact_list,
                app=app,
                id=list_id,
                name=name,
                lname=key_of(name),
                description=description,
                source=source,
                allow_duplicates=int(allow_duplicates),
                created_at=at,
                updated_at=at,
            )
            return ContactList(app, no, list_id, name, description, source, allow_duplicates, (), 0, now, now, Uses())

        return await self._db.write(create)

    async def find(
        self, app: int, *, list_id: str | None = None, name: str | None = None, with_uses: bool = False
    ) -> ContactList | None:
        """Return a list by id, or by name: case and blanks at its ends do not count."""
        sought = {"app": app, "sought": list_id or key_of(name or "")}

        def find(conn: sa.Connection) -> ContactList | None:
            row = one(conn, _BY_ID if list_id else _BY_NAME, sought)
            if row is None:
                return None
            return _list(row, _uses(conn, app, row["no"])[row["no"]] if with_uses else None)

        return await self._db.read(find)

    async def of_app(self, app: int, *, after: int, limit: int, part: str = "") -> list[ContactList]:
        """Return the lists of an app in the order in which they were made, from a number on.

        Only those with `part` in their names, in any case.
        """
        lists = t.contact_list
        where = [lists.c.no > after]
        if part:
            where.append(lists.c.lname.contains(key_of(part), autoescape=True))
        return await self._db.read(lambda conn: _read(conn, app, sa.and_(*where), limit))

    async def latest(self, app: int) -> list[ContactList]:
        """Return all lists of an app, the one that changed last first."""
        lists = t.contact_list
        query = sa.select(lists).where(lists.c.app == app).order_by(lists.c.updated_at.desc(), lists.c.no.desc())

        def read(conn: sa.Connection) -> list[ContactList]:
            uses = _uses(conn, app)
            return [_list(row, uses[row["no"]]) for row in all_of(conn, query)]

        return await self._db.read(read)

    async def change(
        self,
        contact_list: ContactList,
        *,
        name: str | None,
        description: str | None,
        allow_duplicates: bool | None,
        now: datetime,
    ) -> ContactList:
        """Change what is given, and return the list; campaigns that use it follow its name.

        Raises NameTaken, ContactListNotFound, and ListNotEmpty where `allow_duplicates` is another for people who are
        in the list already.
        """

        def change(conn: sa.Connection) -> ContactList:
            held = _hold(conn, contact_list)
            values: dict[str, Any] = {"updated_at": to_micros(now)}
            if name is not None and name != held.name:
                _refuse_taken(conn, held.app, name, but=held.no)
                values |= {"name": name, "lname": key_of(name)}
                _rename_in_campaigns(conn, held, name)
            if description is not None:
                values["description"] = description
            if allow_duplicates is not None and allow_duplicates is not held.allow_duplicates:
                if held.size:
                    raise ListNotEmpty
                values["allow_duplicates"] = int(allow_duplicates)
            conn.execute(sa.update(t.contact_list).where(t.contact_list.c.no == held.no).values(**values))
            (changed,) = _read(conn, held.app, t.contact_list.c.no == held.no, 1)
            return changed

        return await self._db.write(change)

    async def delete(self, contact_list: ContactList) -> ContactList:
        """Delete a list, and return it as it was. Its contacts are seen no more, and erased later.

        Raises ListInUse where a campaign or a run that goes on uses it, and ContactListNotFound.
        """

        def delete(conn: sa.Connection) -> ContactList:
            held = _hold(conn, contact_list)
            if held.linked:
                raise ListInUse(_linked(held))
            if _is_walked(conn, held):
                raise ListInUse(f"The contact list {held.name} cannot be deleted while messages to its contacts wait.")
            condemn(conn, held.app, held.no, held.size)
            forget(conn, held.app, held.no)
            conn.execute(sa.delete(t.contact_list).where(t.contact_list.c.no == held.no))
            return held

        return await self._db.write(delete)

    async def add_columns(self, app: int, no: int, columns: Sequence[str]) -> None:
        """Remember which columns the contacts of a list have. Raises TooManyColumns."""

        def add(conn: sa.Connection) -> None:
            mine = sa.and_(t.contact_list.c.app == app, t.contact_list.c.no == no)
            # Held until the commit: what another import adds at this moment must not be written over.
            row = one(conn, sa.select(t.contact_list.c.columns).where(mine).with_for_update())
            known: list[str] = msgspec.json.decode(row["columns"]) if row else []
            joined = join_columns(known, columns)
            if joined != known:
                conn.execute(sa.update(t.contact_list).where(mine).values(columns=to_json(joined)))

        await self._db.write(add)

    async def names(self, app: int, limit: int = MOST_LOOKED_AT + 1) -> list[str]:
        """Return some of the names, for an answer that says which exist."""
        lists = t.contact_list
        query = sa.select(lists.c.name).where(lists.c.app == app).order_by(lists.c.lname).limit(limit)
        return await self._db.read(lambda conn: [row["name"] for row in all_of(conn, query)])


def contact_id(list_no: int, pos: int) -> str:
    """Name a contact by its place: `cc-` and 24 hexadecimal digits."""
    return Prefix.contact + (list_no.to_bytes(_LIST_BYTES, "big") + pos.to_bytes(_POS_BYTES, "big")).hex()


def read_contact_id(text: str) -> tuple[int, int] | None:
    """Return the list and the position that a contact's id names; None when it was not made by us."""
    try:
        raw = bytes.fromhex(text.removeprefix(Prefix.contact))
    except ValueError:
        return None
    if not text.startswith(Prefix.contact) or len(raw) != _LIST_BYTES + _POS_BYTES:
        return None
    return int.from_bytes(raw[:_LIST_BYTES], "big"), int.from_bytes(raw[_LIST_BYTES:], "big")


def _read(conn: sa.Connection, app: int, where: sa.ColumnElement[bool], limit: int) -> list[ContactList]:
    lists = t.contact_list
    query = sa.select(lists).where(lists.c.app == app, where).order_by(lists.c.no).limit(limit)
    rows = all_of(conn, query)
    uses = _uses(conn, app, *(row["no"] for row in rows))
    return [_list(row, uses[row["no"]]) for row in rows]


def _hold(conn: sa.Connection, contact_list: ContactList) -> ContactList:
    """Return the list as it is inside this transaction, and keep others from adding to it meanwhile."""
    mine = t.contact_list.c.app == contact_list.app, t.contact_list.c.no == contact_list.no
    conn.execute(sa.select(t.contact_list.c.no).where(*mine).with_for_update())
    found = _read(conn, contact_list.app, t.contact_list.c.no == contact_list.no, 1)
    if not found:
        raise ContactListNotFound
    return found[0]


def _is_walked(conn: sa.Connection, contact_list: ContactList) -> bool:
    """Tell whether a run goes on that contacts people of a list: single messages use one that no campaign names."""
    run, walked = t.run, t.run_list
    going_on = (
        sa.select(run.c.no)
        .join(walked, sa.and_(walked.c.app == run.c.app, walked.c.run_no == run.c.no))
        .where(run.c.app == contact_list.app, run.c.ended_at == 0, walked.c.list_no == contact_list.no)
    )
    return one(conn, going_on.limit(1)) is not None


def _refuse_taken(conn: sa.Connection, app: int, name: str, but: int = 0) -> None:
    lists = t.contact_list
    query = sa.select(lists.c.no).where(lists.c.app == app, lists.c.lname == key_of(name), lists.c.no != but)
    if one(conn, query):
        raise NameTaken(f"A contact list with the name {name} exists already.")


def _linked(contact_list: ContactList) -> str:
    users = told([User(campaign.id, campaign.name) for campaign in contact_list.linked])
    return f"The contact list {contact_list.name} cannot be deleted while campaigns use it: {users}."


def _rename_in_campaigns(conn: sa.Connection, contact_list: ContactList, name: str) -> None:
    """Let the campaigns that use a list call it by its new name."""
    campaign, version = t.campaign, t.campaign_version
    query = (
        sa.select(version)
        .join(campaign, sa.and_(campaign.c.no == version.c.campaign_no, campaign.c.version == version.c.version))
        .where(version.c.app == contact_list.app, version.c.campaign_no.in_([one.no for one in contact_list.linked]))
    )
    for row in all_of(conn, query):
        definition = msgspec.json.decode(row["definition"])
        for named in definition["contact_lists"]:
            if named["no"] == contact_list.no:
                named["name"] = name
        mine = (version.c[key] == row[key] for key in ("app", "campaign_no", "version"))
        conn.execute(sa.update(version).where(*mine).values(definition=to_json(definition)))


def _uses(conn: sa.Connection, app: int, *list_nos: int) -> Mapping[int, Uses]:
    """Return who uses lists, by the number of any list; without numbers, of all lists of an app."""
    campaign, link = t.campaign, t.campaign_list
    query = (
        sa.select(link.c.list_no, campaign.c.no, campaign.c.id, campaign.c.name, campaign.c.status)
        .join(link, sa.and_(link.c.app == campaign.c.app, link.c.campaign_no == campaign.c.no))
        .where(link.c.app == app)
        .order_by(link.c.list_no, campaign.c.no)
    )
    if list_nos:
        query = query.where(link.c.list_no.in_(list_nos))
    users: dict[int, list[Mapping[str, Any]]] = {}
    for row in all_of(conn, query):
        users.setdefault(row["list_no"], []).append(row)
    return defaultdict(Uses, {list_no: _used_by(rows) for list_no, rows in users.items()})


def _used_by(campaigns: Sequence[Mapping[str, Any]]) -> Uses:
    named = tuple(Named(row["no"], row["id"], row["name"]) for row in campaigns)
    return Uses(named, any(row["status"] in (Status.active, Status.paused) for row in campaigns))


def _list(row: Mapping[str, Any], uses: Uses | None) -> ContactList:
    return ContactList(
        row["app"],
        row["no"],
        row["id"],
        row["name"],
        row["description"],
        row["source"],
        bool(row["allow_duplicates"]),
        tuple(msgspec.json.decode(row["columns"])),
        row["size"],
        from_micros(row["created_at"]),
        from_micros(row["updated_at"]),
        uses,
    )
