"""Whose the replies are that a carrier told together."""

from __future__ import annotations

from collections.abc import Sequence

from callsheet.carriers.base import Inbound
from callsheet.core.phone import Number
from callsheet.core.whose import Readings, read_number, region_of, whose
from callsheet.store.store import Store
from callsheet.store.vault import AppKey


async def whose_are(store: Store, app: int, key: AppKey, messages: Sequence[Inbound]) -> list[tuple[Number, ...]]:
    """Return whose each reply may be: nobody's when its number cannot be read."""
    readings = [_read(message, None) for message in messages]
    if not all(one.is_certain for one in readings):
        region = await store.acquaintances.region(app)
        readings = [_read(message, region or region_of(message.sender)) for message in messages]
    persons = {key.person(number.e164) for one in readings if one.is_open for number in one.possible}
    known = await store.acquaintances.among(app, persons) if persons else ()
    return [whose(one, {number for number in one.possible if key.person(number.e164) in known}) for one in readings]


def _read(message: Inbound, region: str | None) -> Readings:
    return read_number(message.number, region, is_national=message.is_national)
