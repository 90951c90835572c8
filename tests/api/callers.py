"""Calls the API as its clients do: HTTP in, HTTP out."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

import httpx2
import jwt

from callsheet.carriers.sandbox.behaviour import Timings
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import Apps
from callsheet.store.clients import Client

T = TypeVar("T")

PATIENCE_SECONDS = 60.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.01, 0.1
"""To ask is a request, of as much work for the machine as what is waited for."""

V1 = "/agentassist/api/v1/public"
V2 = "/campaign/api/v2/public"
PREFIXES = (V1, "/campaign/api/v1/public", V2, "/api/v2/public", "/api/1.1/public", "/api/v1/public")

ALWAYS = {"frequency": "DAILY", "timezone": "UTC", "days": [{"start": "12:00 AM", "end": "12:00 AM"}]}
SENDER = "+12125550100"

HASTY = Timings(
    answer_seconds=(0.0, 0.0), receipt_seconds=(0.0, 0.01), late_seconds=0.2, reply_seconds=0.0, give_up_seconds=0.2
)
"""Handsets that answer at once."""

_serial = count(1)


def unique(word: str) -> str:
    """Return a name that no other test has."""
    return f"{word} {next(_serial)}"


@dataclass(frozen=True, slots=True)
class Server:
    """A process that serves the API, and a connection to it."""

    runtime: Runtime
    http: httpx2.AsyncClient


async def make_client(server: Server, *, name: str = "Shop") -> Client:
    """Make an account with an app, a sandbox trunk and an API client."""
    apps: Apps = server.runtime.store.apps
    now = server.runtime.clock.now()
    app = await apps.create(await apps.create_account(f"{name} account", now), name, now)
    await apps.create_trunk(app.no, name="Sandbox", carrier="sandbox", takes_any_sender=True, now=now)
    return await server.runtime.store.clients.create(app, now)


class Caller:
    """A program that calls for one app."""

    def __init__(self, server: Server, client: Client) -> None:
        self.server = server
        self.client = client
        self.app_id = client.app.id
        self.account_id = client.app.account_id
        self._token = ""

    def token(self, claims: Mapping[str, Any] | None = None, **changes: Any) -> str:
        """Return a token: the documented claims, unless others are given."""
        claims = {"sub": "tests", "appId": self.client.id} if claims is None else claims
        return jwt.encode({**claims, **changes}, self.client.secret, algorithm="HS256")

    @property
    def headers(self) -> dict[str, str]:
        """The headers that the pages show."""
        # The claims say no time: to sign them anew for each request gives the same token.
        self._token = self._token or self.token()
        return {"auth": self._token, "iid": self.app_id, "accountId": self.account_id}

    async def compat(self, method: str, path: str, body: Any = None, *, prefix: str = V2, **more: Any) -> Any:
        """Make a call of the documented API and return the answer."""
        return await self._send(method, f"{prefix}/{self.app_id}{path}", body, **more)

    async def v1(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """Make a call of our own resources and return the answer."""
        return await self._send(method, f"/v1/apps/{self.app_id}{path}", body, **more)

    async def _send(self, method: str, path: str, body: Any, **more: Any) -> Any:
        headers = {**self.headers, **more.pop("headers", {})}
        if body is not None:
            more["json"] = body
        return await self.server.http.request(method, path, headers=headers, **more)

    # -- what most tests begin with ----------------------------------------------------------------------------------

    async def make_list(self, *numbers: str, name: str | None = None, **columns: str) -> str:
        """Make a contact list with these numbers, and return its name."""
        name = name or unique("List")
        made = await self.compat("POST", "/campaign/contactList/createContactList", {"name": name})
        assert made.status_code == 200, made.text
        for start in range(0, len(numbers), 100):
            rows = [{"phoneNumber": number, **columns} for number in numbers[start : start + 100]]
            body = {"contact_list_name": name, "data": rows}
            added = await self.compat("POST", "/campaign/contactList/addContacts", body)
            assert added.status_code == 200, added.text
        return name

    async def make_campaign(self, *numbers: str, **changes: Any) -> str:
        """Make a campaign of a list with these numbers, and return its id."""
        body = campaign_body(await self.make_list(*numbers), **changes)
        made = await self.compat("POST", "/campaign", body, params={"campaignType": "sms"})
        assert made.status_code == 200, made.text
        return str(made.json()["data"]["_id"])

    async def trigger(self, campaign_id: str, trigger: str) -> Any:
        """Start, stop, pause or resume."""
        return await self.compat("POST", f"/campaign/trigger/{campaign_id}", {}, params={"trigger": trigger})

    async def status(self, campaign_id: str) -> str:
        """Return the state of a campaign."""
        answer = await self.compat("POST", f"/campaign/{campaign_id}/status", params={"view": "status"})
        return str(answer.json()["data"]["status"])

    async def until_status(self, campaign_id: str, wanted: str) -> None:
        """Wait until a campaign has a state."""
        await until(lambda: self._is(campaign_id, wanted))

    async def _is(self, campaign_id: str, wanted: str) -> bool:
        return await self.status(campaign_id) == wanted

    async def pace(self, segments_per_second: float | None) -> None:
        """Let the sender of campaigns go no faster; None: as fast as it can."""
        made = await self.v1("POST", "/senders", {"number": SENDER, "segments_per_second": segments_per_second})
        # 201 where there was none yet.
        assert made.status_code in (200, 201), made.text

    async def outbox(self) -> list[dict[str, Any]]:
        """Return what the sandbox carrier took, all pages."""
        return [item async for item in self.pages("/sandbox/outbox", limit=1000)]

    async def pages(self, path: str, **query: Any) -> AsyncIterator[Any]:
        """Walk the pages of a resource."""
        after: dict[str, Any] = {}
        while True:
            answer = await self.v1("GET", path, params={**query, **after})
            assert answer.status_code == 200, answer.text
            page = answer.json()
            for item in page["items"]:
                yield item
            if page["next"] is None:
                return
            after = {"after": page["next"]}


def campaign_body(*lists: str, **changes: Any) -> dict[str, Any]:
    """Write the body of a create call: an SMS campaign that may send at any time; None takes a field away."""
    body = {
        "name": unique("Campaign"),
        "description": "Made by a test",
        "contactLists": list(lists),
        "campaignType": "sms",
        "priority": "5",
        "format": "simple",
        "message": {"message": "Hello <First Name>"},
        "dialingStrategy": {"callerId": {"phoneNumber": SENDER}, "callingHours": ALWAYS},
        "schedule": {"isSchedulingEnabled": False},
        **changes,
    }
    return {key: value for key, value in body.items() if value is not None}


async def until(holds: Callable[[], Awaitable[T]]) -> T:
    """Wait until something holds, and return what it then says; the longer it takes, the more seldom it is asked."""
    pause_seconds = FIRST_PAUSE_SECONDS
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (said := await holds()):
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(1.4 * pause_seconds, LONGEST_PAUSE_SECONDS)
    return said


def fields(answer: Any) -> list[str]:
    """Return the fields that a failure names, in either dialect."""
    return [error.get("field", "") for error in answer.json()["errors"]]


def voice_body(*lists: str, **changes: Any) -> dict[str, Any]:
    """Write the body of a create call: an Agentless campaign; None takes a field away."""
    dialing = {"dialingOrder": "FIFO", "maxAttemptsPerRecord": 3, "defaultRetryPeriod": 10, "maxRingTime": 30}
    plain = {
        "campaignType": "voice",
        "format": None,
        "message": None,
        "dialingMode": "Agentless",
        "dialingStrategy": {"callerId": {"phoneNumber": SENDER}, "callingHours": ALWAYS, **dialing},
        "enableMachineDetect": "no",
    }
    return campaign_body(*lists, **{**plain, **changes})


def noon_hours() -> int:
    """Tell how many hours ahead of UTC it is between noon and one now: no day ends there while a test runs."""
    return (12 - datetime.now(UTC).hour + 11) % 24 - 11


def zone_ahead(hours: int) -> str:
    """Name the zone that is so many hours ahead of UTC: the sign of these names is the other way round."""
    return f"Etc/GMT{-hours:+d}"


def closed_strategy() -> dict[str, Any]:
    """Return a strategy whose hours are days away."""
    day = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")[(datetime.now(UTC) - timedelta(days=2)).weekday()]
    window = {"day": day, "start": "9:00 AM", "end": "10:00 AM"}
    hours = {"frequency": "WEEKLY", "timezone": "UTC", "days": [window]}
    return {"callerId": {"phoneNumber": SENDER}, "callingHours": hours}
