"""Start, stop, pause, resume, and start as an emergency. The answers are flat, and their `status` is the campaign's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callsheet.api.compat.call import Call
from callsheet.api.compat.campaign_view import execution_of
from callsheet.api.compat.fields import Fields
from callsheet.api.instants import write_instant
from callsheet.core.attempt import FINAL
from callsheet.core.campaign import MAX_DESCRIPTION_CHARACTERS, Campaign, Channel, Move, Status
from callsheet.core.errors import FieldError, Invalid
from callsheet.core.run import NORMALLY, Execution, Launch
from callsheet.engine import campaigns

# `play` and `stop` are documented, `run` is the release notes' word; the others are ours.
_MOVES: Mapping[str, Move] = {
    **dict.fromkeys(("play", "run", "start"), Move.start),
    "rerun": Move.rerun,
    "emergency": Move.emergency,
    "stop": Move.stop,
    "pause": Move.pause,
    "resume": Move.resume,
}
_MESSAGES: Mapping[Move, str] = {
    **dict.fromkeys((Move.start, Move.rerun, Move.emergency), "Campaign Started"),
    Move.stop: "Campaign Stopped",
    Move.pause: "Campaign Paused",
    Move.resume: "Campaign Resumed",
}


async def pull(call: Call) -> dict[str, Any]:
    """Do what `trigger` says, to a campaign that is named by its id or its name."""
    said = call.parameter("trigger")
    move = _MOVES.get(said.lower())
    if move is None:
        raise Invalid([FieldError("trigger", f"The trigger is one of {', '.join(_MOVES)}.")])
    launch = _read_emergency(call) if move is Move.emergency else NORMALLY
    campaign = await campaigns.find(call.runtime, call.app, call.thing)
    call.noted.update(campaign=campaign.id, trigger=move.value)
    if launch.reason:
        call.noted.update(reason=launch.reason)
    if move in (Move.start, Move.rerun, Move.emergency):
        again = move is Move.rerun
        moved = await campaigns.start(call.runtime, call.app, campaign, launch=launch, again=again)
    else:
        moved = await campaigns.move(call.runtime, campaign, move)
    # A stop ends this run, also where the schedule begins another: the documented answer says Stopped.
    told = await _told(call, moved, _MESSAGES[move])
    return {**told, **({"status": Status.stopped.value} if move is Move.stop else {})}


def _read_emergency(call: Call) -> Launch:
    """Read why this is an emergency, from the query or the body: nobody ignores the hours without a reason."""
    fields = Fields({"reason": call.parameter("reason"), **call.document}, [])
    reason = fields.text("reason", longest=MAX_DESCRIPTION_CHARACTERS, required=True).strip()
    if fields.wrong:
        raise Invalid(fields.wrong)
    return Launch(Execution.emergency, reason=reason)


async def _told(call: Call, campaign: Campaign, message: str) -> dict[str, Any]:
    return {
        "status": campaign.status.value,
        "message": message,
        "updatedAt": write_instant(campaign.updated_at),
        "totalCallsCompleted": await _calls_completed(call, campaign),
        "campaignInstanceId": campaign.run_id,
        "campaignExecutionType": execution_of(campaign),
    }


async def _calls_completed(call: Call, campaign: Campaign) -> int:
    """Return how many calls of the latest run are known to have ended somehow, or were answered; of texts none."""
    if campaign.definition.channel is not Channel.voice or campaign.run_no is None:
        return 0
    counters = await call.runtime.store.reports.counters(campaign.app, campaign.run_no)
    return sum(counters.get(state, 0) for state in FINAL)
