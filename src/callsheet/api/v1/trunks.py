"""Trunks: configured accounts with carriers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, StrictBool, StringConstraints, ValidationInfo

from callsheet.api.v1.allowances import Limits, ShownLimits, changed_allowance, find_todays, show_limits
from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import WrongField, problems
from callsheet.api.v1.shapes import Instant, LongName, Sifted
from callsheet.api.v1.strict import Router
from callsheet.carriers.known import KNOWN
from callsheet.core.allowance import UNLIMITED
from callsheet.core.breaker import Position
from callsheet.core.condition import State
from callsheet.core.day_use import Today
from callsheet.core.errors import BodyTooLarge, InUse, RateLimited, TrunkNotFound
from callsheet.engine.runtime import Runtime
from callsheet.engine.trunks import Wanted
from callsheet.store.apps import App, Trunk

router = Router(prefix="/v1/apps/{app}/trunks", tags=["trunks"])


def _carrier(text: str) -> str:
    if text not in KNOWN:
        raise ValueError(f"This release has these carriers and no other: {', '.join(KNOWN)}")
    return text


_CALLBACKS = "callbacks"
_LIMITS = set(Limits.model_fields)

Settings = dict[str, Any]
"""What a carrier wants to know: its room's account says which fields there are."""


def _of_carrier(settings: Settings, info: ValidationInfo) -> Settings:
    """Look at settings together with the rest of the body, so that one answer names whatever is wrong."""
    if "carrier" in info.data:
        KNOWN[info.data["carrier"]].account.model_validate(settings)
    return settings


class NewTrunk(Limits):
    """A trunk to be."""

    name: LongName
    """For those who look at it."""
    carrier: Annotated[str, StringConstraints(max_length=64), AfterValidator(_carrier)]
    """With whom the account is. It cannot change."""
    settings: Annotated[Settings, AfterValidator(_of_carrier)] = Field(default_factory=dict)
    """How to reach the carrier, and as whom, as the carrier's own page says; secrets too, which are not shown again."""
    takes_any_sender: StrictBool = False
    """Whether a caller ID that nobody configured is made known when a campaign starts with it."""
    carrier_answers_stop: StrictBool | None = None
    """Whether the carrier confirms a STOP itself, so that we do not; null: as is usual there (Twilio does)."""


class ChangedTrunk(Sifted, Limits):
    """What is to change; what is not named stays as it is."""

    name: LongName = ""
    """For those who look at it."""
    settings: Settings = Field(default_factory=dict)
    """What is to change of them, merged into what is there (RFC 7396): null takes a field back to its default, and a
    secret that is not named stays."""
    takes_any_sender: StrictBool = False
    """Whether a caller ID that nobody configured is made known when a campaign starts with it."""
    carrier_answers_stop: StrictBool = False
    """Whether the carrier confirms a STOP itself, so that we do not."""


class ShownCondition(BaseModel):
    """How the line of a trunk stands, on the node that answers."""

    state: State
    why: str
    """Why it stands so, where there is more to say."""
    sessions: int
    """Connections that are bound, where the carrier has such."""
    in_flight: int
    """Messages that wait for an answer."""
    since: Instant | None
    """Since when it has this state, to within a few seconds."""


class ShownBreaker(BaseModel):
    """Whether messages are handed to the trunk, on the node that answers."""

    state: Position
    why: str
    """Why nothing is handed over: the figures, what the last answer means, and since when; empty while it is closed."""
    since: Instant | None
    next_try_at: Instant | None
    """When one message is tried again."""


class ShownTrunk(ShownLimits):
    """A trunk."""

    id: str
    name: str
    carrier: str
    settings: Settings
    """How to reach the carrier, without the secrets."""
    secrets_set: list[str]
    """Which secrets there are, by their path in the settings."""
    takes_any_sender: bool
    carrier_answers_stop: bool
    condition: ShownCondition
    breaker: ShownBreaker
    findings: list[WrongField]
    """What is amiss although it takes messages, such as callbacks that cannot come."""


class TestedTrunk(BaseModel):
    """What came of a test call."""

    ok: bool
    said: str
    """What happened, in a sentence. No secret is in it."""
    seconds: float


class TrunkCallbacks(BaseModel):
    """Where a trunk's carrier calls us. Whoever knows these addresses may speak for a carrier that signs nothing."""

    status_url: str
    """Where it tells what became of messages, for a carrier that is not told with each; empty: nowhere."""
    inbound_url: str
    """Where it tells replies: enter it there. Empty: it does not call, or nobody set `CALLSHEET_PUBLIC_URL`."""


class Trunks(BaseModel):
    """The trunks of an app."""

    items: list[ShownTrunk]
    next: None = None


@router.get("")
async def list_trunks(runtime: Served, app: Tenant) -> Trunks:
    """Return the trunks, oldest first."""
    trunks = await runtime.store.apps.trunks(app.no)
    todays = await find_todays(runtime, app, [(trunk.id, trunk.allowance) for trunk in trunks])
    return Trunks(items=[_show(runtime, trunk, todays) for trunk in trunks])


@router.post("", status_code=201, responses=problems(BodyTooLarge))
async def create_trunk(runtime: Served, app: Tenant, new: NewTrunk) -> ShownTrunk:
    """Create a trunk."""
    made = await runtime.trunks.create(app.no, _wanted(new))
    runtime.conductor.look_at_trunks()
    return await _show_one(runtime, app, made)


@router.get("/{trunk_id}", responses=problems(TrunkNotFound))
async def get_trunk(runtime: Served, app: Tenant, trunk_id: str) -> ShownTrunk:
    """Return a trunk."""
    return await _show_one(runtime, app, await runtime.store.trunks.find(app.no, trunk_id))


@router.get("/{trunk_id}/callbacks", responses=problems(TrunkNotFound))
async def get_trunk_callbacks(runtime: Served, app: Tenant, trunk_id: str) -> TrunkCallbacks:
    """Return where a trunk's carrier calls us."""
    found = await _find(runtime, app, trunk_id)
    doors = runtime.ingest.doors(found)
    if not doors.base or KNOWN[found.carrier].ears is None:
        return TrunkCallbacks(status_url="", inbound_url="")
    return TrunkCallbacks(status_url=f"{doors.base}/status", inbound_url=doors.inbound())


@router.patch("/{trunk_id}", responses=problems(TrunkNotFound, BodyTooLarge))
async def change_trunk(runtime: Served, app: Tenant, trunk_id: str, changed: ChangedTrunk) -> ShownTrunk:
    """Change a trunk. When its settings change every node opens its line anew; what the old one has is answered."""
    changes = changed.model_dump(include=changed.model_fields_set - _LIMITS)
    settings = changes.pop("settings", None)
    if changed.model_fields_set & _LIMITS:
        before = await runtime.store.trunks.find(app.no, trunk_id)
        changes["allowance"] = changed_allowance(before.allowance if before is not None else UNLIMITED, changed)
    found = await runtime.trunks.change(app.no, trunk_id, changes, settings, changed.faults)
    runtime.conductor.look_at_trunks()
    runtime.conductor.wake()
    return await _show_one(runtime, app, found)


@router.delete("/{trunk_id}", status_code=204, responses=problems(TrunkNotFound, InUse))
async def delete_trunk(runtime: Served, app: Tenant, trunk_id: str) -> None:
    """Delete a trunk that no sender belongs to."""
    if not await runtime.store.trunks.delete(app.no, trunk_id):
        raise TrunkNotFound
    runtime.conductor.look_at_trunks()


@router.post("/test", responses=problems(RateLimited, BodyTooLarge))
async def test_new_trunk(runtime: Served, app: Tenant, new: NewTrunk) -> TestedTrunk:
    """Try whether an account works before it is stored. No message is sent."""
    return TestedTrunk(**(await runtime.trunks.try_new(app.no, _wanted(new)))._asdict())


@router.post("/{trunk_id}/test", responses=problems(TrunkNotFound, RateLimited))
async def test_trunk(runtime: Served, app: Tenant, trunk_id: str) -> TestedTrunk:
    """Try whether the stored account works, on a connection of its own. No message is sent."""
    return TestedTrunk(**(await runtime.trunks.try_out(await _find(runtime, app, trunk_id)))._asdict())


@router.post("/{trunk_id}/reset", responses=problems(TrunkNotFound))
async def reset_trunk(runtime: Served, app: Tenant, trunk_id: str) -> ShownTrunk:
    """Try a trunk again at once that a breaker has stopped, with one message first. Of the node that answers."""
    found = await _find(runtime, app, trunk_id)
    runtime.conductor.try_trunk(found.no)
    return await _show_one(runtime, app, found)


def _wanted(new: NewTrunk) -> Wanted:
    return Wanted(**new.model_dump(exclude=_LIMITS), allowance=changed_allowance(KNOWN[new.carrier].allowance, new))


async def _find(runtime: Runtime, app: App, trunk_id: str) -> Trunk:
    found = await runtime.store.trunks.find(app.no, trunk_id)
    if found is None:
        raise TrunkNotFound
    return found


async def _show_one(runtime: Runtime, app: App, found: Trunk | None) -> ShownTrunk:
    if found is None:
        raise TrunkNotFound
    todays = await find_todays(runtime, app, [(found.id, found.allowance)])
    return _show(runtime, found, todays)


def _show(runtime: Runtime, found: Trunk, todays: Mapping[str, Today]) -> ShownTrunk:
    condition, since, breaker = runtime.conductor.standing(found.no)
    return ShownTrunk(
        id=found.id,
        name=found.name,
        carrier=found.carrier,
        settings=dict(found.settings),
        secrets_set=runtime.trunks.secrets_set(found),
        takes_any_sender=found.takes_any_sender,
        carrier_answers_stop=found.carrier_answers_stop,
        **show_limits(found.id, found.allowance, todays),
        condition=ShownCondition(**condition._asdict(), since=since),
        breaker=ShownBreaker(
            state=breaker.position, why=breaker.why, since=breaker.since, next_try_at=breaker.next_try_at
        ),
        findings=[WrongField(field=_CALLBACKS, message=amiss)] if (amiss := runtime.ingest.amiss(found)) else [],
    )
