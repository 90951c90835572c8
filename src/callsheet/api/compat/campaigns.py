"""Create, get, update and delete a campaign."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from callsheet.api.compat.answers import success
from callsheet.api.compat.call import Call
from callsheet.api.compat.campaign_view import view
from callsheet.api.compat.wishes import read_new_wish, read_wish
from callsheet.core.campaign import Campaign, Channel
from callsheet.engine import campaigns


async def create(call: Call) -> dict[str, Any]:
    """Create a campaign: it waits in Ready, calls come there by way of Preparing, until it is started.

    Why one waits that the app wants to start at once is said beside the documented answer.
    """
    wish = read_new_wish(call.document, call.parameter("campaignType"), call.generation)
    campaign, hindrance = await campaigns.create(call.runtime, call.app, wish)
    call.noted.update(campaign=campaign.id)
    made = await _written(call, campaign, f"Campaign {campaign.definition.name} creation in progress")
    if hindrance is None:
        return made
    return {**made, "warnings": [{"msg": hindrance.message, "code": hindrance.code}]}


async def show(call: Call) -> dict[str, Any]:
    """Return a campaign."""
    campaign = await campaigns.find(call.runtime, call.app, call.thing)
    return success(
        f"Campaign {campaign.definition.name} retrieved successfully",
        await view(call.runtime, campaign),
    )


async def update(call: Call) -> dict[str, Any]:
    """Replace a campaign's definition: what the body leaves out is gone. Its kind stays, whatever the call says."""
    campaign = await campaigns.find(call.runtime, call.app, call.thing)
    wish = read_wish(call.document, campaign.definition.channel, call.generation)
    # The documented body has no word for a filter: without one everybody would be meant at once.
    wish = replace(wish, filter=campaign.definition.filter)
    call.noted.update(campaign=campaign.id)
    updated = await campaigns.update(call.runtime, call.app, campaign, wish)
    return await _written(call, updated, f"Campaign {updated.definition.name} details updated successfully")


async def delete(call: Call) -> dict[str, Any]:
    """Delete a campaign, and return it as it was."""
    campaign = await campaigns.find(call.runtime, call.app, call.thing)
    call.noted.update(campaign=campaign.id)
    deleted = await campaigns.delete(call.runtime, campaign)
    return success(
        f"Campaign {deleted.definition.name} deleted successfully",
        await view(call.runtime, deleted),
    )


async def _written(call: Call, campaign: Campaign, message: str) -> dict[str, Any]:
    """Return the answer to a create or update call. Pages of voice calls show the id in two more places."""
    data = await view(call.runtime, campaign)
    if campaign.definition.channel is not Channel.voice:
        return success(message, data)
    return {**success(message, {**data, "campId": campaign.id}), "id": campaign.id}
