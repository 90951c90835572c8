"""A first campaign, by hand: the same lines on the welcome page and after the demo."""

from __future__ import annotations

import json
import shlex
from typing import Any, NamedTuple

CALLER_ID = "+12025550100"
"""Set aside for fiction; the sandbox carrier takes any caller ID."""
_TO = "12025550123"

_ALWAYS = {
    "frequency": "DAILY",
    "timezone": "America/New_York",
    "days": [{"start": "12:00 AM", "end": "11:59 PM"}],
}


class Step(NamedTuple):
    """One thing to do in a shell, and why."""

    title: str
    command: str


def first_campaign(base_url: str, app_id: str, account_id: str, token_command: str) -> tuple[Step, ...]:
    """Return the calls that make a list of one contact and send it a message, ready for a POSIX shell."""
    public = f"{base_url}/agentassist/api/v1/public/{app_id}/campaign"
    trigger = f"{base_url}/campaign/api/v1/public/{app_id}/campaign"
    contacts = f"{base_url}/api/1.1/public/{app_id}/campaign/contactList/addContacts"
    headers = f'-H "auth: $TOKEN" -H "iid: {app_id}" -H "accountId: {account_id}"'
    new_list = {"name": "Welcome list", "description": "One contact", "source": "passiveApi"}
    contact = {"phoneNumber": _TO, "first_name": "Ada"}
    campaign: dict[str, Any] = {
        "name": "Welcome",
        "description": "One message",
        "contactLists": ["Welcome list"],
        "campaignType": "sms",
        "priority": "5",
        "format": "simple",
        "message": {"message": "Hello {{first_name}}, this is Callsheet."},
        "dialingStrategy": {"callerId": {"phoneNumber": CALLER_ID}, "callingHours": _ALWAYS},
        "schedule": {"isSchedulingEnabled": False},
    }
    return (
        Step("Sign a token", f"TOKEN=$({token_command})"),
        Step("Make a contact list", _post(f"{public}/contactList/createContactList", headers, new_list)),
        Step(
            "Put a contact on it",
            _post(contacts, headers, {"contact_list_name": "Welcome list", "data": [contact]}),
        ),
        Step("Create a campaign; it waits to be started", _post(f"{public}?campaignType=sms", headers, campaign)),
        Step(
            "Start it, by its name or by the id of the answer before",
            _post(f"{trigger}/Welcome?campaignType=sms&trigger=play", headers, {}),
        ),
        Step(
            "See what the sandbox carrier took",
            f"curl -s {headers} {shlex.quote(f'{base_url}/v1/apps/{app_id}/sandbox/outbox')}",
        ),
    )


def _post(url: str, headers: str, body: dict[str, Any]) -> str:
    written = shlex.quote(json.dumps(body))
    return f"curl -s {headers} -H 'Content-Type: application/json' \\\n  {shlex.quote(url)} \\\n  --data {written}"
