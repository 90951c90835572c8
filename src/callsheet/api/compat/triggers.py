"""Start, stop, pause and resume. The answers are flat, and their `status` is the campaign's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callsheet.api.compat.call import Call
from callsheet.api.compat.campaign_view import EXECUTION_TYPE
from callsheet.api.instants import write_instant
from callsheet.core.campaign import Campaign, Move
from callsheet.core.errors import FieldError, Invalid
from callsheet.engine import campaigns

# `play` and `stop` are documented, `run` is the release notes' word; the others are ours.
_MOVES: Mapping[str, Move] = {
    **dict.fromkeys(("play", "run", "start", "rerun"), Move.start),
    "stop": Move.stop,
    "pause": Move.pause,
    "resume": Move.resume,
}
_MESSAGES: Mapping[Move, str] = {
    Move.start: "Campaign Started",
    Move.stop: "Campaign Stopped",
    Move.pause: "Campaign Paused",
    Move.resume: "Campaign Resumed",
}


async def pull(call: Call) -> dict[str, Any]:
    """Do what `trigger` says."""
    said = call.parameter("trigger")
    move = _MOVES.get(said.lower())
    if move is None:
        raise Invalid([FieldError("trigger", f"The trigger is one of {', '.join(_MOVES)}.")])
    campaign = await campaigns.find(call.runtime, call.app, call.thing)
    call.noted.update(campaign=campaign.id, trigger=move.value)
    if move is Move.start:
        moved = await campaigns.start(call.runtime, call.app, campaign)
    else:
        moved = await campaigns.move(call.runtime, campaign, move)
    return _told(moved, _MESSAGES[move])


def _told(campaign: Campaign, message: str) -> dict[str, Any]:
    return {
        "status": campaign.status.value,
        "message": message,
        "updatedAt": write_instant(campaign.updated_at),
        "totalCallsCompleted": 0,
        "campaignInstanceId": campaign.run_id,
        "campaignExecutionType": EXECUTION_TYPE,
    }
