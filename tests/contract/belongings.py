"""One of everything in an app, with its id by the name of the path parameter that means it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from e2e.running import Process, campaign, create_and_start, csv_of
from phone_numbers import numbers


@dataclass(frozen=True, slots=True)
class Belongings:
    """Ids by the names of path parameters."""

    ids: Mapping[str, str]

    def known(self, parameters: Mapping[str, Any], *, only: Sequence[str] | None = None) -> dict[str, Any]:
        """Return the parameters of a path, with ids of things that are there where we have one."""
        return {
            name: self.ids[name] if name in self.ids and (only is None or name in only) else value
            for name, value in parameters.items()
        }


def make_belongings(process: Process) -> Belongings:
    """Make one of everything."""
    v1 = process.v1
    people = numbers("IN", 3)
    contact_list = v1("POST", "/contact-lists", {"name": "Strangers' list"})
    imported = v1("POST", f"/contact-lists/{contact_list['id']}/imports", csv_of(people))
    dnc_list = v1("POST", "/dnc-lists", {"name": "Strangers' DNC"})
    template = v1("POST", "/templates", {"name": "Strangers' template", "body": "Hello {{ first_name }}"})
    flow = v1("POST", "/flows", {"name": "Strangers' flow"})
    speaks = {"url": "http://127.0.0.1:8443/say", "body": '{"text": "{{text}}"}'}
    service = v1("POST", "/speech-services", {"name": "Strangers' voice", "settings": speaks})
    sender = v1("POST", "/senders", {"number": "+12025550123"})
    campaign_id, run_id = create_and_start(process, campaign("Strangers' campaign", ["Strangers' list"]))
    return Belongings(
        {
            "app": process.known["app_id"],
            "appId": process.known["app_id"],
            "accountId": process.known["account_id"],
            "account": process.known["account_id"],
            "kind": "contact-lists",
            "campaignId": campaign_id,
            "campaign_id": campaign_id,
            "campaignInstanceId": run_id,
            "run_id": run_id,
            "contactListId": contact_list["id"],
            "list_id": contact_list["id"],
            "dnc_list_id": dnc_list["id"],
            "import_id": imported["id"],
            "template_id": template["id"],
            "flow_id": flow["id"],
            "sender_id": sender["id"],
            "speech_service_id": service["id"],
        }
    )
