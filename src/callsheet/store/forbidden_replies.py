"""Which answers of ours may not leave, and why: asked where they are taken, for all that are taken together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from callsheet.core.answering import ReplyKind
from callsheet.core.campaign import Channel
from callsheet.core.run import global_dnc_applies
from callsheet.store import tables as t
from callsheet.store.rows import read_settings

SPARING = frozenset({ReplyKind.stop, ReplyKind.help})
"""They are sent to people who are opted out too."""


def stopped_of(conn: sa.Connection, apps: Collection[int]) -> set[int]:
    """Return those of these apps whose sending was stopped: what they have to say waits."""
    stop = t.sending_stop
    return set(conn.execute(sa.select(stop.c.app).where(stop.c.app.in_(apps))).scalars())


def forbidden_of(conn: sa.Connection, rows: Sequence[Mapping[str, Any]], at: int) -> dict[int, str]:
    """Say why messages may not leave any more, by their number; those that may are missing."""
    found: dict[int, str] = {row["no"]: "late" for row in rows if row["deadline_at"] <= at}
    for app in {row["app"] for row in rows}:
        mine = [row for row in rows if row["app"] == app and row["no"] not in found]
        rest = [row for row in mine if ReplyKind(row["kind"]) not in SPARING]
        persons = {row["person"] for row in rest}
        # Who is on both is called opted out.
        for why, whom in (("dnc", _on_dnc(conn, app, persons)), ("opted_out", _opted_out(conn, app, persons))):
            found.update((row["no"], why) for row in rest if row["person"] in whom)
    return found


def forbidden_persons(
    conn: sa.Connection, app: int, persons: Collection[bytes], channel: Channel = Channel.sms
) -> set[bytes]:
    """Return those of these people who opted out of a channel, or are spared from it by the global DNC list."""
    return _opted_out(conn, app, persons, channel) | _on_dnc(conn, app, persons, channel)


def _opted_out(conn: sa.Connection, app: int, persons: Collection[bytes], channel: Channel = Channel.sms) -> set[bytes]:
    if not persons:
        return set()
    opt_out = t.opt_out
    mine = opt_out.c.app == app, opt_out.c.channel == channel.value, opt_out.c.person.in_(persons)
    return set(conn.execute(sa.select(opt_out.c.person).where(*mine)).scalars())


def _on_dnc(conn: sa.Connection, app: int, persons: Collection[bytes], channel: Channel = Channel.sms) -> set[bytes]:
    """Return whom the app's global DNC list spares from a channel."""
    if not persons:
        return set()
    entry, dnc_list = t.dnc_entry, t.dnc_list
    everybody = sa.select(dnc_list.c.no).where(dnc_list.c.app == app, dnc_list.c.is_global == 1)
    mine = entry.c.app == app, entry.c.dnc_no.in_(everybody), entry.c.person.in_(persons)
    found = set(conn.execute(sa.select(entry.c.person).where(*mine)).scalars())
    if not found:
        return found
    settings = conn.execute(sa.select(t.app.c.settings).where(t.app.c.no == app)).scalar_one()
    return found if global_dnc_applies(channel, read_settings(settings)) else set()
