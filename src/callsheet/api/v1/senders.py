"""Senders: the caller IDs that contacts see, and how fast each may speak."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, NamedTuple

from fastapi import Response
from pydantic import AfterValidator, Field, StrictBool, StringConstraints

from callsheet.api.v1.allowances import Limits, ShownLimits, changed_allowance, find_todays, show_limits
from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import Responses, problems
from callsheet.api.v1.shapes import USUAL_LIMIT, After, DltId, Limit, Page, Sifted, no_cursor, page_of
from callsheet.api.v1.strict import Router
from callsheet.core.allowance import UNLIMITED
from callsheet.core.day_use import Today
from callsheet.core.errors import BodyTooLarge, Conflict, FieldError, InUse, Invalid, SenderNotFound
from callsheet.core.pools import Pool
from callsheet.core.run import Sender
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App

router = Router(prefix="/v1/apps/{app}/senders", tags=["senders"])

_LIMITS = {*Limits.model_fields, "pool", "fail_over"}
_MOST_MEMBERS = 500


def _caller_id(text: str) -> str:
    shown = text.strip()
    if not shown or not shown.isprintable():
        raise ValueError("Give the number or the name that contacts see")
    return shown


class NewSender(Sifted, Limits):
    """A sender, or a pool of senders, and what limits it."""

    number: Annotated[str, StringConstraints(max_length=64), AfterValidator(_caller_id)]
    """What contacts see; of a pool its name, by which campaigns name it."""
    pool: Annotated[list[str], Field(max_length=_MOST_MEMBERS)] = Field(default_factory=list)
    """The ids of the senders among which it chooses, one for each contact, who keeps it; none: it is a caller ID."""
    fail_over: StrictBool = False
    """Of a pool: contacts of a member whose trunk is broken go to another one; otherwise they wait for it."""
    trunk_id: str | None = None
    """The trunk that carries its messages; null: the one that it has, the oldest one for a new sender."""


class ChangedSender(Sifted, Limits):
    """What is to change; what is not named stays as it is."""

    pool: Annotated[list[str], Field(max_length=_MOST_MEMBERS)] = Field(default_factory=list)
    """Of a pool: the ids of the senders among which it chooses."""
    fail_over: StrictBool = False
    """Of a pool: contacts of a member whose trunk is broken go to another one; otherwise they wait for it."""

    trunk_id: str = ""
    """The trunk that carries its messages. It cannot change while a run speaks through it."""
    flow_id: str | None = None
    """The experience flow that a single message through it starts (`outboundsms`); null: none."""
    dlt_entity_id: DltId = ""
    """Whose sender it is, as registered with the operators of India (DLT); empty: it is not."""


class ShownSender(ShownLimits):
    """A sender."""

    id: str
    number: str
    trunk_id: str
    flow_id: str | None
    dlt_entity_id: str
    pool: list[str] | None
    """The ids of its members; null: it is a caller ID."""
    fail_over: bool


@router.get("")
async def list_senders(
    runtime: Served, app: Tenant, after: After = None, limit: Limit = USUAL_LIMIT
) -> Page[ShownSender]:
    """Return the senders, oldest first. A sandbox trunk makes a caller ID known when a campaign starts with it."""
    last = await runtime.store.senders.find(app.no, sender_id=after) if after else None
    if after and last is None:
        raise no_cursor()
    senders = await runtime.store.senders.of_app(app.no, after=last.no if last is not None else 0, limit=limit + 1)
    ids = await _ids(runtime, app)
    todays = await find_todays(runtime, app, [(sender.id, sender.allowance) for sender in senders])
    return page_of([_show(sender, ids, todays) for sender in senders], limit, lambda one: one.id)


_CHANGED: Responses = {200: {"description": "The sender was there, and was changed.", "model": ShownSender}}


@router.post("", status_code=201, responses=_CHANGED | problems(Conflict, InUse, BodyTooLarge))
async def put_sender(runtime: Served, app: Tenant, new: NewSender, response: Response) -> ShownSender:
    """Create a sender, or change how fast one may speak."""
    ids, present = await _ids(runtime, app), await runtime.store.senders.find(app.no, label=new.number)
    if not ids.trunks:
        raise Conflict("This app has no trunk that could carry a sender's messages.")
    trunk_no = present.trunk_no if present is not None else min(ids.trunks)
    wrong = new.faults
    if new.trunk_id is not None:
        trunk_no = _trunk_no(ids, new.trunk_id, wrong)
    is_pool = "pool" in new.model_fields_set or (present is not None and present.pool is not None)
    pool = await _pool(runtime, app, present, new, wrong) if is_pool else {}
    if wrong:
        raise Invalid(wrong)
    allowance = changed_allowance(present.allowance if present is not None else UNLIMITED, new)
    sender = await runtime.store.senders.put(
        app.no, new.number, trunk_no, {"allowance": allowance, **pool}, runtime.clock.now()
    )
    if present is not None:
        response.status_code = 200
    runtime.conductor.wake()
    return await _show_one(runtime, app, sender, await _ids(runtime, app))


@router.get("/{sender_id}", responses=problems(SenderNotFound))
async def get_sender(runtime: Served, app: Tenant, sender_id: str) -> ShownSender:
    """Return a sender."""
    found = await runtime.store.senders.find(app.no, sender_id=sender_id)
    return await _show_one(runtime, app, found, await _ids(runtime, app))


@router.patch("/{sender_id}", responses=problems(SenderNotFound, InUse, BodyTooLarge))
async def change_sender(runtime: Served, app: Tenant, sender_id: str, changed: ChangedSender) -> ShownSender:
    """Change a sender. Runs that speak through it follow its rate at once."""
    ids = await _ids(runtime, app)
    changes, wrong = changed.model_dump(include=changed.model_fields_set - _LIMITS), changed.faults
    if changed.model_fields_set & _LIMITS:
        present = await runtime.store.senders.find(app.no, sender_id=sender_id)
        if present is None:
            raise SenderNotFound
        changes["allowance"] = changed_allowance(present.allowance, changed)
        if changed.model_fields_set & {"pool", "fail_over"}:
            changes |= await _pool(runtime, app, present, changed, wrong)
    if "trunk_id" in changes:
        changes["trunk_no"] = _trunk_no(ids, changes.pop("trunk_id"), wrong)
    if changes.get("flow_id") and await runtime.store.flows.find(app.no, thing_id=changes["flow_id"]) is None:
        wrong.append(FieldError("flow_id", "There is no such experience flow in this app."))
    if wrong:
        raise Invalid(wrong)
    if "flow_id" in changes:
        changes["flow_id"] = changes["flow_id"] or ""
    found = await runtime.store.senders.change(app.no, sender_id, changes, runtime.clock.now())
    runtime.conductor.wake()
    return await _show_one(runtime, app, found, ids)


@router.delete("/{sender_id}", status_code=204, responses=problems(SenderNotFound, InUse))
async def delete_sender(runtime: Served, app: Tenant, sender_id: str) -> None:
    """Delete a sender that no campaign uses, but for those that have ended. What its runs did stays."""
    if not await runtime.store.senders.delete(app.no, sender_id, runtime.clock.now()):
        raise SenderNotFound


class _Ids(NamedTuple):
    """The ids of an app's trunks and senders, by their numbers."""

    trunks: Mapping[int, str]
    senders: Mapping[int, str]


async def _ids(runtime: Runtime, app: App) -> _Ids:
    trunks, senders = await runtime.store.apps.trunks(app.no), await runtime.store.apps.senders(app.no)
    return _Ids({trunk.no: trunk.id for trunk in trunks}, {sender.no: sender.id for sender in senders})


def _trunk_no(ids: _Ids, trunk_id: str, wrong: list[FieldError]) -> int:
    """Return the number of a trunk; when there is none, that is added to `wrong`."""
    found = next((no for no, known in ids.trunks.items() if known == trunk_id), 0)
    if not found:
        wrong.append(FieldError("trunk_id", "There is no such trunk in this app."))
    return found


async def _pool(
    runtime: Runtime, app: App, present: Sender | None, body: NewSender | ChangedSender, wrong: list[FieldError]
) -> Mapping[str, Pool]:
    """Return what is to change of a pool; faults, of members that are none and of a caller ID, are added to `wrong`."""
    before = present.pool if present is not None else None
    if present is not None and before is None:
        wrong.append(FieldError("pool", "This is a caller ID, and no pool: give the pool a name of its own."))
        return {}
    members = before.members if before is not None else ()
    if "pool" in body.model_fields_set:
        known = {one.id: one for one in await runtime.store.apps.senders(app.no) if one.pool is None}
        wrong += [
            FieldError(f"pool[{i}]", "There is no such sender in this app, or it is a pool or named twice.")
            for i, sender_id in enumerate(body.pool)
            if sender_id not in known or sender_id in body.pool[:i]
        ]
        if not body.pool:
            wrong.append(FieldError("pool", "A pool has one member at least."))
        members = tuple(known[sender_id].no for sender_id in body.pool if sender_id in known)
    fail_over = body.fail_over if "fail_over" in body.model_fields_set else before is not None and before.fail_over
    return {"pool": Pool(members, fail_over)}


async def _show_one(runtime: Runtime, app: App, sender: Sender | None, ids: _Ids) -> ShownSender:
    if sender is None:
        raise SenderNotFound
    todays = await find_todays(runtime, app, [(sender.id, sender.allowance)])
    return _show(sender, ids, todays)


def _show(sender: Sender, ids: _Ids, todays: Mapping[str, Today]) -> ShownSender:
    pool = sender.pool
    return ShownSender(
        id=sender.id,
        number=sender.label,
        **show_limits(sender.id, sender.allowance, todays),
        trunk_id=ids.trunks.get(sender.trunk_no, ""),
        flow_id=sender.flow_id or None,
        dlt_entity_id=sender.dlt_entity_id,
        pool=[ids.senders[no] for no in pool.members if no in ids.senders] if pool is not None else None,
        fail_over=pool is not None and pool.fail_over,
    )
