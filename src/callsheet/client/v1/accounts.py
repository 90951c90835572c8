"""Accounts, whose apps they are, and the apps themselves."""

from __future__ import annotations

from datetime import datetime

from callsheet.client.call import Call
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page, Record
from callsheet.client.v1.api_clients import CreatedApiClient

_ACCOUNTS = "/v1/accounts"
_ACCOUNT = "/v1/accounts/{account_id}"
_APPS = "/v1/apps"
_APP = "/v1/apps/{app}"


class Account(Record, frozen=True):
    """An account."""

    id: str
    name: str
    created_at: datetime


class App(Record, frozen=True):
    """An app: what one has is seen by no other."""

    id: str
    account_id: str
    name: str


class CreatedApp(App, frozen=True):
    """An app that was just made, with its first API client."""

    client: CreatedApiClient


class Accounts(Resource[Mode]):
    """Accounts: whose apps they are. A caller sees its own."""

    @Paged
    def list(self) -> Call[Page[Account]]:
        """Give the account that the client belongs to."""
        return Call("GET", _ACCOUNTS, Page[Account])

    @Single
    def get(self, account_id: str) -> Call[Account]:
        """Return an account."""
        return Call("GET", _ACCOUNT, Account, {"account_id": account_id})

    @Single
    def rename(self, account_id: str, name: str) -> Call[Account]:
        """Rename an account."""
        return Call("PATCH", _ACCOUNT, Account, {"account_id": account_id}, body={"name": name})


class Apps(Resource[Mode]):
    """Apps of the account. A client calls for one of them."""

    @Single
    def create(self, name: str) -> Call[CreatedApp]:
        """Create an app, with a sandbox trunk and an API client whose secret is shown in this answer only."""
        return Call("POST", _APPS, CreatedApp, body={"name": name})

    @Paged
    def list(self, *, limit: int = 1000) -> Call[Page[App]]:
        """Give the apps of the account, oldest first."""
        return Call("GET", _APPS, Page[App], query={"limit": limit})

    @Single
    def get(self) -> Call[App]:
        """Return the app that the client calls for."""
        return Call("GET", _APP, App)

    @Single
    def rename(self, name: str) -> Call[App]:
        """Rename the app that the client calls for."""
        return Call("PATCH", _APP, App, body={"name": name})
