"""The list of campaigns, by kind: filtered, sorted, and a page at a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from callsheet.api.compat.answers import success
from callsheet.api.compat.call import Call
from callsheet.api.compat.campaign_view import connection_of, execution_of, view_all
from callsheet.api.compat.fields import Fields, T
from callsheet.core.campaign import HIGHEST_PRIORITY, LOWEST_PRIORITY, Campaign, Channel, Mode, Status
from callsheet.core.errors import Invalid
from callsheet.store.campaign_search import SortKey, Wanted

USUAL_RESULTS, MOST_RESULTS = 50, 100
"""On one page; the documentation does not say."""

_MOST_SKIPPED = 10_000_000
_LONGEST_INSTANT = 40
_DAY_CHARACTERS = len("2026-01-31")
_IN_QUERY = ("type", "limit", "skip", "page", "startDate", "endDate")
_CHANNELS = {channel.value: channel for channel in Channel}
_STATUSES = {status.lower(): status for status in Status}
_MODES = {mode.lower(): mode for mode in Mode}
_SORTS = {"name": SortKey.name, "createdAt": SortKey.created_at, "updatedAt": SortKey.updated_at}
_DIRECTIONS = {"asc": False, "desc": True}
_NEWEST_FIRST = ((SortKey.created_at, True),)


async def show_all(call: Call) -> dict[str, Any]:
    """Return a page of the campaigns of one kind. The documented message has two spaces: it names no campaign."""
    in_query = {name: call.parameter(name) for name in _IN_QUERY}
    fields = Fields({**in_query, **call.document}, [])
    wanted = _read_wanted(fields)
    sort = _read_sort(fields.inside("sortBy")) or _NEWEST_FIRST
    limit = fields.whole("limit", least=1, most=MOST_RESULTS, default=USUAL_RESULTS)
    page = fields.whole("page", least=1, most=_MOST_SKIPPED, default=1)
    skip = fields.whole("skip", least=0, most=_MOST_SKIPPED, default=0) or (page - 1) * limit
    if fields.wrong:
        raise Invalid(fields.wrong)
    found = await call.runtime.store.campaigns.page(call.app.no, wanted, sort, offset=skip, limit=limit)
    shown = await view_all(call.runtime, call.app.no, found.campaigns)
    data = {
        "results": [_in_list(campaign, body) for campaign, body in zip(found.campaigns, shown, strict=True)],
        "skip": skip,
        "limit": limit,
        "hasMore": skip + len(shown) < found.total,
        "totalPages": -(-found.total // limit),
        "totalResults": found.total,
    }
    return success("Campaign  retrieved successfully", data)


def _in_list(campaign: Campaign, body: dict[str, Any]) -> dict[str, Any]:
    """Return a campaign as lists show it: with whom its calls are connected, and how it runs."""
    body.setdefault("campaignExecutionType", execution_of(campaign))
    if campaign.definition.channel is Channel.voice:
        body["connection"] = connection_of(campaign.definition)
    return body


def _read_wanted(fields: Fields) -> Wanted:
    channel = fields.word("type", _CHANNELS, Channel.sms, required=True)
    filters = fields.inside("filters")
    since = _read_instant(fields, "startDate", timedelta(0))
    # A day means all of it, and an instant is shown in whole milliseconds.
    before = _read_instant(fields, "endDate", timedelta(days=1))
    if since is not None and before is not None and before <= since:
        fields.blame("endDate", "The end must be later than the start.")
    modes = _read_choices(filters, "dialingMode", lambda one: _MODES.get(str(one).strip().lower()), ", ".join(Mode))
    return Wanted(
        channel,
        _read_choices(filters, "status", lambda one: _STATUSES.get(str(one).strip().lower()), ", ".join(Status)),
        _read_choices(filters, "priority", _priority, f"{LOWEST_PRIORITY} to {HIGHEST_PRIORITY}"),
        modes if channel is Channel.voice else (),
        since,
        before,
    )


def _read_choices(filters: Fields, key: str, read: Callable[[Any], T | None], allowed: str) -> tuple[T, ...]:
    """Read a filter: an array, or one value alone."""
    given = filters.get(key)
    if given is None or given == "":
        return ()
    values = given if isinstance(given, list) else [given]
    found = [read(value) for value in values]
    for index, one in enumerate(found):
        if one is None:
            filters.blame(f"{key}[{index}]" if isinstance(given, list) else key, f"This is one of {allowed}.")
    return tuple(one for one in found if one is not None)


def _priority(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    said = str(value).strip()
    return int(said) if said in {str(one) for one in range(LOWEST_PRIORITY, HIGHEST_PRIORITY + 1)} else None


def _read_sort(sort_by: Fields) -> list[tuple[SortKey, bool]]:
    """Read the keys to sort by. A table claims that the name must be among them; both samples do without it."""
    given = [(key, column) for key, column in _SORTS.items() if sort_by.get(key) not in (None, "")]
    return [(column, sort_by.word(key, _DIRECTIONS, default=False)) for key, column in given]


def _read_instant(fields: Fields, key: str, day: timedelta) -> datetime | None:
    """Read an instant in ISO 8601, of UTC where it does not say; `day` is added to one without a time of day."""
    said = fields.text(key, longest=_LONGEST_INSTANT).strip().upper()
    if not said:
        return None
    try:
        at = datetime.fromisoformat(said)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        if len(said) == _DAY_CHARACTERS:
            return at + day
        return at + timedelta(milliseconds=1) if day else at
    except (ValueError, OverflowError):
        fields.blame(key, "Write an instant like 2026-01-31T09:00:00.000Z.")
        return None
