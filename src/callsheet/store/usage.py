"""Who uses a thing: the campaigns whose present definition names it. What is used is not deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from callsheet.core.campaign import Status
from callsheet.core.errors import InUse
from callsheet.store import tables as t
from callsheet.store.consequences import bare
from callsheet.store.rows import to_json

_SHOWN = 20
MOST_USERS = _SHOWN + 1
"""So many are asked for: one more than is told."""


class User(NamedTuple):
    """A campaign that uses a thing."""

    id: str
    name: str


def told(users: Sequence[User]) -> str:
    """Name campaigns in a sentence, a few, each so that it can be found."""
    shown = ", ".join(f"{user.name} ({user.id})" for user in users[:_SHOWN])
    return f"{shown} and more" if len(users) > _SHOWN else shown


def refuse_used(conn: sa.Connection, app: int, thing: str) -> None:
    """Refuse to delete what campaigns name. Raises InUse."""
    if users := campaigns_that_name(conn, app, thing):
        raise InUse(f"Campaigns use this: {told(users)}.")


def refuse_bound(conn: sa.Connection, app: int, flow_id: str) -> None:
    """Refuse to delete a flow that is bound to senders. Raises InUse."""
    sender = t.sender
    bound = sa.select(sender.c.label).where(sender.c.app == app, sender.c.flow_id == flow_id, sender.c.deleted_at == 0)
    if labels := list(conn.execute(bound.order_by(sender.c.no).limit(_SHOWN)).scalars()):
        raise InUse(f"Senders use this: {', '.join(labels)}.")


def refuse_spoken(conn: sa.Connection, app: int, flow_no: int) -> None:
    """Refuse to delete a flow that runs or conversations go on with: they keep its versions. Raises InUse."""
    run, session, talking = t.run, t.flow_session, t.open_session
    running = sa.select(run.c.no).where(run.c.app == app, run.c.flow_no == flow_no, run.c.ended_at == 0)
    if conn.execute(running.limit(1)).first() is not None:
        raise InUse("A run that has not ended uses this.")
    # All that are open, not all that ever were.
    spoken = sa.select(session.c.no).join(talking, talking.c.session_no == session.c.no)
    spoken = spoken.where(talking.c.app == app, session.c.flow_no == flow_no, session.c.ended_at == 0)
    if conn.execute(spoken.limit(1)).first() is not None:
        raise InUse("Open conversations use this.")


def refuse_talking(conn: sa.Connection, app: int, label: str) -> None:
    """Refuse to delete a sender through which conversations go on: it would speak without its pace. Raises InUse."""
    talking = t.open_session
    mine = talking.c.app == app, talking.c.sender == bare(label)
    if conn.execute(sa.select(talking.c.session_no).where(*mine).limit(1)).first() is not None:
        raise InUse("Open conversations go on through this sender.")


def refuse_waited_in(conn: sa.Connection, app: int, queue_no: int) -> None:
    """Refuse to delete a queue in which conversations wait. Raises InUse."""
    session = t.flow_session
    waiting = session.c.app == app, session.c.queue_no == queue_no, session.c.ended_at == 0
    if conn.execute(sa.select(session.c.no).where(*waiting).limit(1)).first() is not None:
        raise InUse("Conversations wait in this queue, or are worked on.")


def campaigns_that_name(conn: sa.Connection, app: int, thing: str, *, unfinished: bool = False) -> list[User]:
    """Return a few campaigns, or of those that have not ended, that name a thing.

    A sender is named by its caller ID, everything else by its id.

    A definition is a document, and no table holds what it names: the text is searched, and what fits is read.
    """
    campaign, version = t.campaign, t.campaign_version
    query = (
        sa.select(campaign.c.id, version.c.definition)
        .join(
            campaign,
            sa.and_(
                campaign.c.app == version.c.app,
                campaign.c.no == version.c.campaign_no,
                campaign.c.version == version.c.version,
            ),
        )
        .where(version.c.app == app, version.c.definition.contains(to_json(thing), autoescape=True))
        .order_by(campaign.c.no)
    )
    if unfinished:
        query = query.where(campaign.c.status.not_in((Status.completed.value, Status.stopped.value)))
    found: list[User] = []
    for campaign_id, definition in conn.execute(query):
        document = msgspec.json.decode(definition)
        if _names(document, thing):
            found.append(User(campaign_id, document["name"]))
        if len(found) == MOST_USERS:
            break
    return found


def _names(document: Any, thing: str) -> bool:
    """Tell whether a thing is named: as somebody's `id`, or as the sender. Texts that say the same do not count."""
    if isinstance(document, dict):
        named = thing in (document.get("id"), document.get("sender"))
        return named or any(_names(value, thing) for value in document.values())
    return isinstance(document, list) and any(_names(value, thing) for value in document)
