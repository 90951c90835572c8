"""A client of the HTTP API: the calls that the command line and the tests make, each with its documented path."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote

import aiohttp

from callsheet.core.errors import CallsheetError, Unavailable
from callsheet.folder import Credentials
from callsheet.signing import sign

Document = Mapping[str, Any]
"""A JSON object."""

_PAGE = 1000
_READ_SECONDS = 120.0
"""A call that forbids may wait for a lease; nothing takes longer than that."""


class ApiError(CallsheetError):
    """The API refused a call: `status` is HTTP's, `code` a stable word, the message a sentence for people."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status = status
        self.code = code
        super().__init__(message)


class Kind(StrEnum):
    """What a file is imported into, as its path names it."""

    contact_list = "contact-lists"
    dnc_list = "dnc-lists"


@dataclass(frozen=True, slots=True)
class Target:
    """A list that takes a file."""

    kind: Kind
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Import:
    """How far an import has come. `state` is waiting, running, done or failed; `problem` says why it failed."""

    id: str
    state: str
    file: str
    rows: int
    accepted: int
    rejected: int
    duplicates: int
    bytes_done: int
    bytes_total: int
    problem: str

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more comes."""
        return self.state in ("done", "failed")


class Client:
    """Calls for one app. Make it with `open_client`. Calls raise ApiError when refused, and Unavailable."""

    def __init__(self, session: aiohttp.ClientSession, credentials: Credentials) -> None:
        self._session = session
        self.known = credentials
        app_id = credentials.app_id
        self.create_path = f"/agentassist/api/v1/public/{app_id}/campaign"
        self.trigger_path = f"/campaign/api/v1/public/{app_id}/campaign"
        self._contacts = f"/api/1.1/public/{app_id}/campaign/contactList/addContacts"
        self._v1 = f"/v1/apps/{app_id}"

    # -- the documented API ------------------------------------------------------------------------------------------

    async def create_contact_list(self, name: str, description: str = "") -> Target:
        """Create an empty contact list."""
        body = {"name": name, "description": description, "source": "passiveApi"}
        answer = await self.call("POST", f"{self.create_path}/contactList/createContactList", json=body)
        return Target(Kind.contact_list, answer["data"]["_id"], name)

    async def find_contact_list(self, name: str) -> Target | None:
        """Return a contact list by its name or its id, or None."""
        try:
            answer = await self.call("GET", f"{self.create_path}/contactList/{quote(name, safe='')}")
        except ApiError as error:
            if error.status == 404:
                return None
            raise
        return Target(Kind.contact_list, answer["data"]["_id"], answer["data"]["name"])

    async def add_contacts(self, list_name: str, contacts: Sequence[Document]) -> None:
        """Put contacts on a list; at most 100 in one call."""
        await self.call("POST", self._contacts, json={"contact_list_name": list_name, "data": list(contacts)})

    async def create_campaign(self, body: Document) -> Document:
        """Create an SMS campaign and return it."""
        answer = await self.call("POST", self.create_path, params={"campaignType": "sms"}, json=body)
        data: Document = answer["data"]
        return data

    async def trigger(self, campaign_id: str, what: str = "play") -> Document:
        """Start (`play`), pause, resume or stop a campaign; the answer's `status` is the campaign's."""
        params = {"campaignType": "sms", "trigger": what}
        return await self.call("POST", f"{self.trigger_path}/{quote(campaign_id, safe='')}", params=params, json={})

    async def campaign_status(self, campaign_id: str) -> str:
        """Return the state of a campaign."""
        path = f"{self.create_path}/{quote(campaign_id, safe='')}/status"
        answer = await self.call("POST", path, params={"view": "status"}, json={})
        return str(answer["data"]["status"])

    # -- ours --------------------------------------------------------------------------------------------------------

    async def create_template(self, name: str, body: str) -> str:
        """Create a template and return its id."""
        answer = await self.call("POST", f"{self._v1}/templates", json={"name": name, "body": body})
        return str(answer["id"])

    async def create_dnc_list(self, name: str) -> Target:
        """Create an empty DNC list."""
        answer = await self.call("POST", f"{self._v1}/{Kind.dnc_list}", json={"name": name})
        return Target(Kind.dnc_list, answer["id"], answer["name"])

    async def find_dnc_list(self, name: str) -> Target | None:
        """Return a DNC list by its name, without regard to case, or by its id; or None."""
        async for one in self._pages(f"{self._v1}/{Kind.dnc_list}"):
            if one["id"] == name or one["name"].lower() == name.strip().lower():
                return Target(Kind.dnc_list, one["id"], one["name"])
        return None

    async def forbid(self, dnc_list: Target, numbers: Sequence[str]) -> Document:
        """Put numbers on a DNC list: `added` and `rejected`. Effective when it returns."""
        return await self.call("POST", f"{_path(self._v1, dnc_list)}/numbers", json={"numbers": list(numbers)})

    async def start_import(self, target: Target, chunks: AsyncIterable[bytes] | bytes, filename: str) -> str:
        """Hand a file over and return the id of its import; the file is durable then."""
        answer = await self.call(
            "POST",
            f"{_path(self._v1, target)}/imports",
            params={"filename": filename},
            data=chunks,
            headers={"Content-Type": "text/csv"},
        )
        return str(answer["id"])

    async def find_import(self, target: Target, import_id: str) -> Import:
        """Return how far an import has come."""
        return Import(**await self.call("GET", f"{_path(self._v1, target)}/imports/{import_id}"))

    async def rejects(self, target: Target, import_id: str) -> AsyncIterator[bytes]:
        """Yield the rejected rows of an import as CSV."""
        path = f"{_path(self._v1, target)}/imports/{import_id}/rejects"
        async with self._answered("GET", path) as response:
            async for chunk in response.content.iter_any():
                yield chunk

    async def run(self, run_id: str) -> Document:
        """Return a run with its counters."""
        return await self.call("GET", f"{self._v1}/runs/{run_id}")

    async def outbox(self) -> AsyncIterator[Document]:
        """Yield what the sandbox carrier took, oldest first."""
        async for message in self._pages(f"{self._v1}/sandbox/outbox"):
            yield message

    # -- how -----------------------------------------------------------------------------------------------------------

    async def call(self, method: str, path: str, **options: Any) -> Document:
        """Make any call and return its answer."""
        async with self._answered(method, path, **options) as response:
            answer: Document = await response.json(content_type=None)
            return answer

    @asynccontextmanager
    async def _answered(self, method: str, path: str, **options: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            async with self._session.request(method, self.known.base_url + path, **options) as response:
                if response.status >= 400:
                    raise await _refusal(response)
                yield response
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"The server at {self.known.base_url} does not answer any more.") from error

    async def _pages(self, path: str) -> AsyncIterator[Document]:
        after: dict[str, Any] = {}
        while True:
            page = await self.call("GET", path, params={"limit": _PAGE, **after})
            for item in page["items"]:
                yield item
            if page["next"] is None:
                return
            after = {"after": page["next"]}


@asynccontextmanager
async def open_client(credentials: Credentials) -> AsyncIterator[Client]:
    """Open a client for an app, with a token of its own."""
    headers = {"auth": sign(credentials), "iid": credentials.app_id, "accountId": credentials.account_id}
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=_READ_SECONDS)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        yield Client(session, credentials)


def _path(root: str, target: Target) -> str:
    return f"{root}/{target.kind}/{target.id}"


async def _refusal(response: aiohttp.ClientResponse) -> ApiError:
    """Read a refusal of either dialect."""
    try:
        body = await response.json(content_type=None)
    except ValueError:
        body = {}
    code = body.get("code") or next((one.get("code") for one in body.get("errors", [])), "")
    message = body.get("detail") or body.get("message") or f"HTTP {response.status}"
    if code == "internal":
        message = "The server met something that nobody foresaw; its log says what."
    return ApiError(response.status, str(code), str(message))
