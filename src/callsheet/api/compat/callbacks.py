"""Callbacks: contacts of a running campaign that are to be contacted at a time that somebody asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from callsheet.api.compat.call import Call
from callsheet.core.errors import FieldError, Invalid, RunNotFound
from callsheet.core.ids import decode_dialing_entry
from callsheet.core.run import Run
from callsheet.store.callbacks import Wanted

MOST_CALLBACKS = 1000
"""In one call."""
FARTHEST = timedelta(days=366)

_ID, _TIME = "campaignDialingListId", "timeToContact"


async def ask(call: Call) -> dict[str, Any]:
    """Ask for callbacks: the items that can be are taken, and each of the others says why it is not.

    The run is named by its id; one of a campaign, or its name, means its latest run.
    """
    items = call.body
    if not isinstance(items, list) or not items:
        raise Invalid([FieldError("body", f"Give an array of objects with {_ID} and {_TIME}.")])
    if len(items) > MOST_CALLBACKS:
        raise Invalid([FieldError("body", f"Give at most {MOST_CALLBACKS} callbacks in one call.")])
    run = await _find_run(call)
    now = call.runtime.clock.now()
    read = [_read(item, run, now) for item in items]
    wanted = [one for one in read if isinstance(one, Wanted)]
    reasons = iter(await call.runtime.store.callbacks.ask(run, wanted, now))
    call.runtime.conductor.wake()
    answers = [
        _told(item, next(reasons) if isinstance(one, Wanted) else one) for item, one in zip(items, read, strict=True)
    ]
    return {"status": "success", "data": answers}


async def _find_run(call: Call) -> Run:
    runs = call.runtime.store.runs
    run = await runs.find(call.app.no, call.thing)
    if run is not None:
        return run
    store = call.runtime.store.campaigns
    campaign = await store.find(call.app.no, campaign_id=call.thing) or await store.find(call.app.no, name=call.thing)
    run = await runs.by_no(campaign.run_no) if campaign is not None and campaign.run_no is not None else None
    if run is None:
        raise RunNotFound
    return run


def _read(item: object, run: Run, now: datetime) -> Wanted | str:
    """Return who wants to be contacted when, or the word that says what is wrong."""
    said = item if isinstance(item, dict) else {}
    entry = decode_dialing_entry(said[_ID].strip()) if isinstance(said.get(_ID), str) else None
    if entry is None or entry.run_no != run.no:
        return "not_found"
    at = read_time(said.get(_TIME))
    if at is None or at > now + FARTHEST:
        return "invalid_time"
    return Wanted(entry.person, at) if at > now else "time_in_past"


def read_time(value: object) -> datetime | None:
    """Read an instant in ISO 8601; without an offset it is UTC. None when it is none."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value.strip().upper())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _told(item: object, reason: str) -> dict[str, Any]:
    shown: dict[str, Any] = {_ID: item.get(_ID) if isinstance(item, dict) else None}
    return shown | ({"status": "failed", "reason": reason} if reason else {"status": "success"})
