"""The demo's second campaign: contacts by the documented call, an own text, open hours; it runs to its end."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from callsheet.client import AsyncClient

PEOPLE = 100
"""As many as the documented call takes at once."""
ASK_SECONDS = 0.1
TEXT = "Dear <First Name>, thank you for your patience."
HOURS = {"frequency": "DAILY", "timezone": "UTC", "days": [{"start": "12:00 AM", "end": "11:59 PM"}]}


async def play_encore(client: AsyncClient, no: int, caller_id: str) -> None:
    """Run a small campaign from contacts to `Completed`, and say each step."""
    name = f"Demo {no} thanks"
    await client.compat.contact_lists.create(name, description="Made up")
    # A range of New York numbers that the first campaign does not use; their endings mean nothing to the sandbox.
    people = [{"phoneNumber": f"1212556{no % 90:02d}{i:02d}", "First Name": f"Guest {i}"} for i in range(PEOPLE)]
    await client.compat.contact_lists.add(name, people)
    print(f"\n5  Another campaign, with a text of its own, to {PEOPLE} contacts by the documented addContacts call")
    created = await client.compat.campaigns.create(
        {
            "name": name,
            "description": "Everybody's hours are open",
            "contactLists": [name],
            "campaignType": "sms",
            "priority": "5",
            "format": "simple",
            "message": {"message": quote(base64.b64encode(TEXT.encode()).decode(), safe="")},
            "dialingStrategy": {"callerId": {"phoneNumber": caller_id}, "callingHours": HOURS},
            "schedule": {"isSchedulingEnabled": False},
        }
    )
    campaign = created.data
    started = await client.compat.campaigns.start(campaign.id)
    while True:
        status = (await client.compat.campaigns.status(campaign.id)).data.status
        if status != "Active":
            break
        await asyncio.sleep(ASK_SECONDS)
    outcome = (await client.runs.get(str(started.campaign_instance_id))).outcome
    reached = outcome.delivered + outcome.accepted
    print(f"     {campaign.status}  ->  {started.status}  ->  {status}: {reached} messages taken")
