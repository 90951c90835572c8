"""The contract of the documented API: its calls as an OpenAPI document, under the paths that the pages print.

The server reads more than is written here: other prefixes, other spellings, other places of the same fields. What is
written here is what the documentation shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import callsheet
from callsheet.api.compat.shapes import SCHEMAS

P1, T1 = "/agentassist/api/v1/public/{appId}", "/campaign/api/v1/public/{appId}"
P2, X2 = "/campaign/api/v2/public/{appId}", "/api/v2/public/{appId}"
P11 = "/api/1.1/public/{appId}"
BOT, BOT11 = "/api/public/bot/{appId}", "/api/1.1/public/bot/{appId}"
ANALYTICS = "/agentassist/api/public/analytics/account/{accountId}"

_ID = "/campaign/{campaignId}"
_LIST = "/campaign/contactList/{contactListId}"
_LISTS = "/campaign/contactList"


@dataclass(frozen=True, slots=True)
class Row:
    """One call, and every path under which the pages print it."""

    name: str
    method: str
    paths: Sequence[str]
    summary: str
    answer: str
    """A schema of its answer."""
    body: str | None = None
    """A schema of its body; none: it takes none."""
    query: Sequence[str] = ()
    fails: Sequence[int] = (404,)
    tells: str | None = None
    """A schema of what is posted to the body's `notifyurl`; none: nothing is."""


ROWS: Final[Sequence[Row]] = (
    Row(
        "Create a campaign", "POST", [f"{prefix}/campaign" for prefix in (P1, P2, X2)],
        "SMS campaigns answer `Ready`, voice campaigns `Preparing`, and soon `Ready`. Nothing starts by itself.",
        "CampaignAnswer", "Campaign", ("campaignType",), (409,),
    ),
    Row("Get a campaign", "GET", [P1 + _ID, P2 + _ID], "By its id, or by its name.", "CampaignAnswer"),
    Row(
        "Update a campaign", "PUT", [P1 + _ID, P2 + _ID], "What the body leaves out is gone.",
        "CampaignAnswer", "Campaign", ("campaignType",), (404, 409),
    ),
    Row(
        "Delete a campaign", "DELETE", [P1 + _ID, P2 + _ID], "Answers the campaign as it was.",
        "CampaignAnswer", None, ("campaignType",), (404, 409),
    ),
    Row(
        "Start or stop a campaign", "POST",
        [T1 + _ID, P2 + _ID, f"{P2}/campaign//trigger/{{campaignId}}", f"{X2}/campaign/trigger/{{campaignId}}"],
        "`play` and `stop` are documented; `pause`, `resume`, `rerun` and `emergency` are ours.",
        "TriggerAnswer", "Anything", ("trigger", "campaignType"), (404, 409),
    ),
    Row(
        "Status of a campaign, or of its contacts", "POST", [f"{P1}{_ID}/status", f"{P2}{_ID}/status"],
        "`view=status`, which is meant as well where nothing is said, or `view=contacts` with `page` and `limit`.",
        "StatusAnswer", "StatusPage", ("view",),
    ),
    Row(
        "List campaigns", "POST",
        [f"{P1}/campaign/getAllCampaignDetails", f"{P2}/campaign/getAllCampaignDetails"],
        "Of one type, filtered and sorted.", "CampaignsAnswer", "CampaignsQuestion", (), (),
    ),
    Row(
        "Switch a schedule on or off", "POST", [f"{P2}/campaign/schedule"],
        "Times are UTC. A schedule that is there is replaced.",
        "ScheduleAnswer", "Schedule", ("enableSchedule", "campaignName"), (404, 409),
    ),
    Row(
        "Call contacts of a running campaign at a time", "POST",
        [f"{P2}/campaign/{{campaignInstanceId}}/callContactAt"],
        "Each item says whether it was taken.", "CallbacksAnswer", "Callbacks",
    ),
    Row(
        "Create a contact list", "POST", [f"{prefix}{_LISTS}/createContactList" for prefix in (P1, P2)],
        "An empty list, to which contacts are added by calls.", "ListAnswer", "NewList", (), (409,),
    ),
    Row(
        "Add contacts", "POST", [f"{P11}{_LISTS}/addContacts"],
        "At most 100 in one call, all or none. They are there when this answers.",
        "Message", "NewContacts", (), (409,),
    ),
    Row("Get a contact list", "GET", [P1 + _LIST, P2 + _LIST], "By its id, or by its name.", "ListAnswer"),
    *(
        Row(
            "All contact lists", method, [f"{prefix}{_LISTS}/getAllListDetails" for prefix in (P1, P2)],
            "The one that changed last comes first.", "ListsAnswer", None, ("type",), (),
        )
        for method in ("POST", "GET")
    ),
    Row(
        "Contacts of a list", "GET", [f"{P1}{_LIST}/getAllContacts", f"{P2}{_LIST}/getAllContacts"],
        "In the order of the list, page by page.", "ContactsAnswer", None, ("skip", "limit", "page"),
    ),
    Row(
        "Update a contact list", "PUT", [P1 + _LIST, P2 + _LIST], "What the body leaves out stays.",
        "ListUpdateAnswer", "ChangedList", (), (404, 409),
    ),
    Row(
        "Delete a contact list", "DELETE", [P1 + _LIST, P2 + _LIST],
        "With its contacts. One that a campaign uses stays.",
        "ListAnswer", None, (), (404, 409),
    ),
    Row(
        "Report of conversations", "POST", [f"{ANALYTICS}/v2/interactionDetails", f"{ANALYTICS}/v2/calldetails"],
        "At most seven days; with `campaigninfo` among `selectedFields` each names its campaign.",
        "InteractionsAnswer", "InteractionsQuestion", ("offset", "limit"), (),
    ),
    Row(
        "Send one SMS that starts a flow", "POST", [f"{BOT}/outboundsms"],
        "The flow is the one of the sender.", "Message", "OutboundSms", (), (404, 409),
    ),
    Row("Queues", "GET", [f"{P1}/queues"], "Page by page.", "Queues", None, ("page", "limit"), ()),
    Row(
        "Priorities of queues", "PUT", [f"{P1}/queues/dynamicqueues/priorities"], "1 to 10.",
        "Anything", "Priorities", (), (404,),
    ),
    Row(
        "Call somebody", "POST", [f"{BOT11}/smartassist/dialout", f"{BOT11}/V2/smartassist/dialout"],
        "Through the trunk of the caller ID; `notifyurl` is told what becomes of it.",
        "DialoutAnswer", "Dialout", (), (404, 409), "DialoutNotice",
    ),
)  # fmt: skip
"""The documented calls. Where the pages print one call under several paths, all of them are here."""


def write_contract() -> dict[str, Any]:
    """Return the OpenAPI document of the documented API."""
    paths: dict[str, dict[str, Any]] = {}
    for row in ROWS:
        for path in row.paths:
            paths.setdefault(path, {})[row.method.lower()] = dict(_operation(row, path))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Callsheet: the documented campaign API",
            "version": callsheet.__version__,
            "description": "The public campaign API of Kore.ai Contact Center, as its pages print it.",
        },
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "auth"}},
        },
        "security": [{"token": []}],
    }


def _operation(row: Row, path: str) -> Iterator[tuple[str, Any]]:
    yield "summary", row.name
    yield "description", row.summary
    yield "operationId", f"{row.method} {path}"
    yield "tags", ["v2" if "/v2/" in path.lower() else "v1"]
    yield "parameters", [*_in_path(path), *_in_query(row)]
    if row.body is not None:
        yield "requestBody", {"content": _json(row.body), "required": False}
    yield "responses", {"200": {"description": row.name, "content": _json(row.answer)}, **_failures(row)}
    if row.tells is not None:
        heard = {"200": {"description": "Heard. After any other answer but 2xx it is told again."}}
        told = {"requestBody": {"content": _json(row.tells), "required": True}, "responses": heard}
        yield "callbacks", {"notices": {"{$request.body#/notifyurl}": {"post": told}}}


def _in_path(path: str) -> Iterator[Mapping[str, Any]]:
    for name in (word[1:-1] for word in path.split("/") if word.startswith("{")):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _in_query(row: Row) -> Iterator[Mapping[str, Any]]:
    for name in (*row.query, "accountId"):
        yield {"name": name, "in": "query", "schema": SCHEMAS.get(name, {"type": "string"})}


def _failures(row: Row) -> dict[str, Any]:
    failure = _json("Failure")
    of_bodies = () if row.body is None else (413, 422)
    statuses = sorted({400, 401, 403, 429, 503, *of_bodies, *row.fails})
    return {str(status): {"description": _STATUS[status], "content": failure} for status in statuses}


_STATUS: Final[Mapping[int, str]] = {
    400: "Some fields are wrong; each of them is named.",
    401: "The token is missing, malformed, expired, or not signed by a known client.",
    403: "The token is not for this account or app, or its scope is not enough.",
    404: "There is no such thing in this app.",
    409: "This cannot be done in the present state.",
    413: "The body is larger than this call accepts.",
    422: "The idempotency key belongs to another request.",
    429: "The app's limit of calls a minute is reached.",
    503: "The service cannot take this now; nothing was stored.",
}


def _json(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
