"""The status of a campaign, and how each contact of its latest run stands."""

from __future__ import annotations

from typing import Any

from callsheet.api.compat.call import Call
from callsheet.api.compat.call_results import result_of
from callsheet.api.compat.fields import Fields
from callsheet.core.attempt import FINAL, Disposition
from callsheet.core.campaign import Campaign, Channel
from callsheet.core.contacts import columns_of
from callsheet.core.errors import FieldError, Invalid
from callsheet.core.ids import encode_dialing_entry
from callsheet.engine import campaigns
from callsheet.store.outcomes import ContactOutcome, OutcomePage

MOST_RESULTS = 100
"""On one page, as documented; also where the call does not say."""

_MOST_PAGES = 10_000_000
_STATUS, _CONTACTS = "status", "contacts"
_COMPLETED = "completed"
"""The documented word of a contact with which the run is through; empty while it is not."""


async def show(call: Call) -> dict[str, Any]:
    """Answer `view=status`, which is meant as well where nothing is said, or `view=contacts`."""
    said = call.parameter("view").lower() or _STATUS
    if said not in (_STATUS, _CONTACTS):
        raise Invalid([FieldError("view", "The view is status or contacts.")])
    campaign = await campaigns.find(call.runtime, call.app, call.thing)
    data = _status(campaign) if said == _STATUS else await _contacts(call, campaign)
    return {"status": "success", "data": data}


def _status(campaign: Campaign) -> dict[str, Any]:
    return {"id": campaign.id, "status": campaign.status.value, "name": campaign.definition.name}


async def _contacts(call: Call, campaign: Campaign) -> dict[str, Any]:
    """Return a page of results. Body and query may both name the page; the samples use the body."""
    named = {name: call.parameter(name) for name in ("page", "limit")}
    fields = Fields({**named, **call.document}, [])
    page = fields.whole("page", least=1, most=_MOST_PAGES, default=1)
    limit = fields.whole("limit", least=1, most=MOST_RESULTS, default=MOST_RESULTS)
    if fields.wrong:
        raise Invalid(fields.wrong)
    if campaign.run_no is None:
        found = OutcomePage((), 0)
    else:
        offset = (page - 1) * limit
        found = await call.runtime.store.outcomes.page(call.app.no, campaign.run_no, offset=offset, limit=limit)
    return {
        "results": [_result(campaign, contact) for contact in found.contacts],
        "page": page,
        "limit": limit,
        "totalPages": -(-found.total // limit),
        "totalResults": found.total,
    }


def _result(campaign: Campaign, contact: ContactOutcome) -> dict[str, Any]:
    """Show a contact in the documented shape, which speaks of calls: a message's outcome is its outbound status."""
    calls = campaign.definition.channel is Channel.voice
    run_no = campaign.run_no or 0
    unique_id = columns_of(tuple(contact.attributes)).unique_id
    through = contact.state in FINAL or contact.state == Disposition.suppressed or bool(calls and contact.spared)
    return {
        "campaignDialingListId": encode_dialing_entry(run_no, contact.person),
        "phoneNumber": contact.number.removeprefix("+"),
        "uniqueId": contact.attributes.get(unique_id, "") if unique_id else "",
        "dialerOutcome": _COMPLETED if through and not contact.comes_again else "",
        "numberOfAttemptsSoFar": contact.attempts,
        "botSessionId": "",
        "agentDispositionCodes": [],
        "botOutboundStatus": contact.state,
        "botOutboundStatusDetail": contact.code,
        **(result_of(contact) if calls else {}),
    }
