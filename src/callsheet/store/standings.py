"""How one person stands with one campaign: the facts that arming would judge by, and what the latest run did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.attempt import NOT_TAKEN, PENDING, fold
from callsheet.core.campaign import Campaign, Definition, Status
from callsheet.core.gate import Cap, Facts, capped_until
from callsheet.core.retrying import CALLBACK
from callsheet.core.run import NORMALLY, AppSettings, Run, global_dnc_applies
from callsheet.core.why import Place, Standing
from callsheet.store import tables as t
from callsheet.store.arming import find_reached
from callsheet.store.database import Database
from callsheet.store.lists import contact_id
from callsheet.store.rows import all_of, one, read_group

_MOST_PLACES = 100
_MOST_COMING = 100
_GOING_ON = (Status.active, Status.paused)


@dataclass(frozen=True, slots=True)
class Membership:
    """A DNC list that a person is on."""

    list_id: str
    list_name: str
    is_global: bool
    source: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Latest:
    """What the latest run of the campaign did about a person. Empty texts: nothing of the kind."""

    run_id: str
    tries: int
    state: str
    """Of the latest attempt."""
    tried_at: datetime | None
    suppressed: str
    """Why the person was not contacted."""
    suppressed_at: datetime | None


class Sighting(NamedTuple):
    """All that is known of a person and a campaign."""

    standing: Standing
    memberships: Sequence[Membership]
    """On the DNC lists that apply."""
    opted_out_at: datetime | None
    latest: Latest | None
    sender_no: int | None = None
    """The member of the run's pool that the person heard last; none: none of them."""


class Standings:
    """Reads how people stand with campaigns."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def of(
        self, campaign: Campaign, run: Run | None, settings: AppSettings, person: bytes, now: datetime
    ) -> Sighting:
        """Return how a person stands with a campaign; `run` is its latest, if it ever ran."""

        def read(conn: sa.Connection) -> Sighting:
            going_on = run if run is not None and run.status in _GOING_ON else None
            on_lists = [
                one for one in memberships(conn, campaign.app, person) if _applies(one, campaign.definition, settings)
            ]
            opted_out_at = _opted_out_at(conn, campaign, person)
            latest = _latest(conn, run, person) if run is not None else None
            facts = Facts(
                bool(on_lists),
                opted_out_at is not None,
                _capped_until(conn, campaign, settings.cap, person, now) if settings.cap is not None else None,
                going_on is not None and going_on.launch.only_unreached and _was_reached(conn, going_on, person),
            )
            coming = coming_back(conn, campaign.app, person, going_on.no) if going_on is not None else []
            standing = Standing(
                campaign.status,
                going_on.launch if going_on is not None else NORMALLY,
                facts,
                _places(conn, campaign, person),
                (latest.state or latest.suppressed) if latest is not None and going_on is not None else "",
                coming[0].due_at if coming else None,
                coming[0].reason if coming else "",
            )
            members = [one.no for one in run.members] if run is not None else []
            return Sighting(standing, on_lists, opted_out_at, latest, _heard_last(conn, campaign.app, person, members))

        return await self._db.read(read)

    async def is_spared(self, run: Run, person: bytes) -> bool:
        """Tell whether a person is on a DNC list that applies to a run, or has opted out of its channel."""

        def read(conn: sa.Connection) -> bool:
            opt_out = t.opt_out
            mine = opt_out.c.app == run.app, opt_out.c.channel == run.channel.value, opt_out.c.person == person
            is_out = one(conn, sa.select(opt_out.c.person).where(*mine).limit(1)) is not None
            lists = memberships(conn, run.app, person)
            return is_out or any(_applies(found, run.definition, run.settings) for found in lists)

        return await self._db.read(read)


def memberships(conn: sa.Connection, app: int, person: bytes) -> list[Membership]:
    """Return the DNC lists that a person is on, the oldest list first."""
    lists, entry = t.dnc_list, t.dnc_entry
    query = (
        sa.select(lists.c.id, lists.c.name, lists.c.is_global, entry.c.source, entry.c.added_at)
        .join(entry, sa.and_(entry.c.app == lists.c.app, entry.c.dnc_no == lists.c.no, entry.c.person == person))
        .where(lists.c.app == app)
        .order_by(lists.c.no)
    )
    return [
        Membership(row["id"], row["name"], bool(row["is_global"]), row["source"], from_micros(row["added_at"]))
        for row in all_of(conn, query)
    ]


class Coming(NamedTuple):
    """A run comes back to a person."""

    run_no: int
    due_at: datetime
    reason: str


def coming_back(conn: sa.Connection, app: int, person: bytes, run_no: int | None = None) -> list[Coming]:
    """Return the runs that go on and come back to a person, or one of them; the soonest first.

    What waited when a run ended waits for nothing.
    """
    retry, callback, run = t.retry, t.callback, t.run
    going_on = [run.c.app == app, run.c.ended_at == 0, *([run.c.no == run_no] if run_no is not None else [])]
    retries = (
        sa.select(retry.c.run_no, retry.c.due, retry.c.reason)
        .join(run, run.c.no == retry.c.run_no)
        .where(retry.c.app == app, retry.c.person == person, *going_on)
    )
    callbacks = (
        sa.select(callback.c.run_no, callback.c.due, sa.literal(CALLBACK).label("reason"))
        .join(run, run.c.no == callback.c.run_no)
        .where(callback.c.app == app, callback.c.person == person, callback.c.n == 0, *going_on)
    )
    query = sa.union_all(retries, callbacks).order_by("due").limit(_MOST_COMING)
    return [Coming(row.run_no, from_micros(row.due), row.reason) for row in conn.execute(query)]


def _applies(on_list: Membership, definition: Definition, settings: AppSettings) -> bool:
    everywhere = on_list.is_global and global_dnc_applies(definition.channel, settings)
    return everywhere or on_list.list_id in {named.id for named in definition.dnc_lists}


def _opted_out_at(conn: sa.Connection, campaign: Campaign, person: bytes) -> datetime | None:
    opt_out = t.opt_out
    row = one(
        conn,
        sa.select(opt_out.c.added_at)
        .where(
            opt_out.c.app == campaign.app,
            opt_out.c.channel == campaign.definition.channel.value,
            opt_out.c.person == person,
        )
        .order_by(opt_out.c.added_at)
        .limit(1),
    )
    return from_micros(row["added_at"]) if row is not None else None


def _capped_until(conn: sa.Connection, campaign: Campaign, cap: Cap, person: bytes, now: datetime) -> datetime | None:
    """Say until when the app's cap holds: attempts of all its campaigns count, but those that nobody took."""
    attempt, event = t.attempt, t.event
    not_taken = sa.exists().where(
        *(event.c[key] == attempt.c[key] for key in ("app", "run_no", "person", "n")),
        event.c.kind.in_(sorted(NOT_TAKEN)),
    )
    query = (
        sa.select(attempt.c.at)
        .join(t.run, t.run.c.no == attempt.c.run_no)
        .where(
            attempt.c.app == campaign.app,
            attempt.c.person == person,
            attempt.c.at > to_micros(now - timedelta(hours=cap.hours)),
            t.run.c.channel == campaign.definition.channel.value,
            ~not_taken,
        )
    )
    return capped_until(cap, [from_micros(at) for at in conn.execute(query).scalars()])


def _was_reached(conn: sa.Connection, run: Run, person: bytes) -> bool:
    """Say whether an earlier run of the campaign reached the person."""
    attempt, event = t.attempt, t.event
    same = sa.and_(*(event.c[key] == attempt.c[key] for key in ("app", "run_no", "person", "n")))
    query = (
        sa.select(attempt.c.person, attempt.c.run_no, attempt.c.n, event.c.kind)
        .join(t.run, t.run.c.no == attempt.c.run_no)
        .outerjoin(event, same)
        .where(
            attempt.c.app == run.app,
            attempt.c.person == person,
            attempt.c.run_no < run.no,
            t.run.c.campaign_no == run.campaign_no,
        )
    )
    return bool(find_reached((row.person, row.run_no, row.n, row.kind) for row in conn.execute(query)))


def _latest(conn: sa.Connection, run: Run, person: bytes) -> Latest:
    attempt, event, suppression = t.attempt, t.event, t.suppression
    mine = sa.and_(attempt.c.app == run.app, attempt.c.run_no == run.no, attempt.c.person == person)
    tried = one(conn, sa.select(attempt.c.n, attempt.c.at).where(mine).order_by(attempt.c.n.desc()).limit(1))
    kinds: list[str] = []
    if tried is not None:
        happened = sa.and_(event.c.app == run.app, event.c.run_no == run.no, event.c.person == person)
        kinds = list(conn.execute(sa.select(event.c.kind).where(happened, event.c.n == tried["n"])).scalars())
    spared = one(
        conn,
        sa.select(suppression.c.reason, suppression.c.at)
        .where(suppression.c.app == run.app, suppression.c.person == person, suppression.c.run_no == run.no)
        .order_by(suppression.c.at)
        .limit(1),
    )
    return Latest(
        run.id,
        tried["n"] if tried is not None else 0,
        (fold(kinds) if kinds else PENDING) if tried is not None else "",
        from_micros(tried["at"]) if tried is not None else None,
        spared["reason"] if spared is not None else "",
        from_micros(spared["at"]) if spared is not None else None,
    )


def _heard_last(conn: sa.Connection, app: int, person: bytes, members: Sequence[int]) -> int | None:
    """Return through which of some senders a person was attempted last."""
    attempt = t.attempt
    query = sa.select(attempt.c.sender_no).where(
        attempt.c.app == app, attempt.c.person == person, attempt.c.sender_no.in_(members)
    )
    latest = query.order_by(attempt.c.at.desc()).limit(1)
    return conn.execute(latest).scalar_one_or_none() if members else None


def _places(conn: sa.Connection, campaign: Campaign, person: bytes) -> tuple[Place, ...]:
    """Return where the person stands in the campaign's lists, in their order."""
    contact, group = t.contact, t.list_group
    lists = {named.no: named for named in reversed(campaign.definition.contact_lists)}
    query = (
        sa.select(contact.c.pos, contact.c.attributes, group)
        .join(group, sa.and_(*(group.c[key] == contact.c[key] for key in ("app", "list_no", "group_no"))))
        .where(contact.c.app == campaign.app, contact.c.list_no.in_(list(lists)), contact.c.person == person)
        .order_by(contact.c.list_no, contact.c.pos)
        .limit(_MOST_PLACES)
    )
    wanted = campaign.definition.filter
    order = [named.no for named in campaign.definition.contact_lists]
    rows = sorted(all_of(conn, query), key=lambda row: order.index(row["list_no"]))
    return tuple(
        Place(
            lists[row["list_no"]],
            contact_id(row["list_no"], row["pos"]),
            read_group(row["list_no"], row["group_no"], row["own_zone"], row["candidate_zones"], row["priority"]),
            wanted is None or wanted.accepts(msgspec.json.decode(row["attributes"])),
        )
        for row in rows
    )
