"""Who uses a thing: the campaigns whose present definition names it. What is used is not deleted."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from callsheet.core.errors import InUse
from callsheet.store import tables as t
from callsheet.store.rows import to_json

_SHOWN = 5


def refuse_used(conn: sa.Connection, app: int, thing: str) -> None:
    """Refuse to delete what campaigns name. Raises InUse."""
    if users := campaigns_that_name(conn, app, thing):
        raise InUse(f"Campaigns use this: {', '.join(users)}.")


def campaigns_that_name(conn: sa.Connection, app: int, thing: str) -> list[str]:
    """Return the names of a few campaigns that name a thing by its id, or a sender by its caller ID.

    A definition is a document, and no table holds what it names: the text is searched, and what fits is read.
    """
    campaign, version = t.campaign, t.campaign_version
    query = (
        sa.select(version.c.definition)
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
    found: list[str] = []
    for definition in conn.execute(query).scalars():
        document = msgspec.json.decode(definition)
        if _names(document, thing):
            found.append(document["name"])
        if len(found) == _SHOWN:
            break
    return found


def _names(document: Any, thing: str) -> bool:
    """Tell whether a thing is named: as somebody's `id`, or as the sender. Texts that say the same do not count."""
    if isinstance(document, dict):
        named = thing in (document.get("id"), document.get("sender"))
        return named or any(_names(value, thing) for value in document.values())
    return isinstance(document, list) and any(_names(value, thing) for value in document)
