"""API clients: the programs that may call for the app."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import UNSET

from callsheet.client.call import Call, Given, given
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page, Record

_ALL = "/v1/apps/{app}/clients"
_ONE = "/v1/apps/{app}/clients/{client_id}"


class ApiClient(Record, frozen=True):
    """An API client. Nobody can read its secret again."""

    id: str
    name: str
    scopes: tuple[str, ...]
    algorithm: str
    created_at: datetime


class ClientSecret(Record, frozen=True):
    """The secret of an API client, which is shown this once."""

    id: str
    secret: str


class CreatedApiClient(ClientSecret, frozen=True):
    """An API client that was just made, with its secret."""

    name: str
    scopes: tuple[str, ...]
    algorithm: str


class ApiClients(Resource[Mode]):
    """API clients: the programs that may call for the app."""

    @Single
    def create(self, name: str, scopes: Sequence[str], *, algorithm: Given[str] = UNSET) -> Call[CreatedApiClient]:
        """Create an API client. Its secret is shown in this answer only."""
        return Call("POST", _ALL, CreatedApiClient, body=given(name=name, scopes=scopes, algorithm=algorithm))

    @Paged
    def list(self, *, limit: int = 1000) -> Call[Page[ApiClient]]:
        """Give the API clients, oldest first."""
        return Call("GET", _ALL, Page[ApiClient], query={"limit": limit})

    @Single
    def get(self, client_id: str) -> Call[ApiClient]:
        """Return an API client."""
        return Call("GET", _ONE, ApiClient, {"client_id": client_id})

    @Single
    def change(
        self, client_id: str, *, name: Given[str] = UNSET, scopes: Given[Sequence[str]] = UNSET
    ) -> Call[ApiClient]:
        """Rename an API client, or change what it may do from its next call on."""
        return Call("PATCH", _ONE, ApiClient, {"client_id": client_id}, body=given(name=name, scopes=scopes))

    @Single
    def renew_secret(self, client_id: str) -> Call[ClientSecret]:
        """Give an API client a new secret. Tokens that the old one signed are refused from now on."""
        return Call("POST", f"{_ONE}/secret", ClientSecret, {"client_id": client_id})

    @Single
    def delete(self, client_id: str) -> Call[None]:
        """Delete an API client. Its tokens are refused from now on."""
        return Call("DELETE", _ONE, type(None), {"client_id": client_id})
