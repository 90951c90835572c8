"""AI endpoints: the language models that flows talk to."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from msgspec import UNSET

from callsheet.client.call import Call, Given, given
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page, Record

_ALL = "/v1/apps/{app}/ai-endpoints"
_ONE = "/v1/apps/{app}/ai-endpoints/{ai_endpoint_id}"


class TokenPrices(TypedDict, total=False):
    """What a million tokens cost; what is not named costs nothing."""

    input: float
    output: float


class Prices(Record, frozen=True):
    """What a million tokens cost."""

    input: float
    output: float


class AiEndpoint(Record, frozen=True):
    """An endpoint, without its key."""

    id: str
    name: str
    base_url: str
    model: str
    has_api_key: bool
    prices: Prices | None
    """None: what is stored of them cannot be read."""
    created_at: datetime
    updated_at: datetime


class AiEndpoints(Resource[Mode]):
    """AI endpoints: the language models that flows talk to."""

    @Single
    def create(
        self,
        name: str,
        base_url: str,
        model: str,
        *,
        api_key: Given[str] = UNSET,
        prices: Given[TokenPrices] = UNSET,
    ) -> Call[AiEndpoint]:
        """Make a language model known to the flows of the app."""
        body = given(name=name, base_url=base_url, model=model, api_key=api_key, prices=prices)
        return Call("POST", _ALL, AiEndpoint, body=body)

    @Paged
    def list(self, *, limit: int = 1000) -> Call[Page[AiEndpoint]]:
        """Give all of them."""
        return Call("GET", _ALL, Page[AiEndpoint], query={"limit": limit})

    @Single
    def get(self, ai_endpoint_id: str) -> Call[AiEndpoint]:
        """Return one."""
        return Call("GET", _ONE, AiEndpoint, {"ai_endpoint_id": ai_endpoint_id})

    @Single
    def change(
        self,
        ai_endpoint_id: str,
        *,
        name: Given[str] = UNSET,
        base_url: Given[str] = UNSET,
        model: Given[str] = UNSET,
        api_key: Given[str] = UNSET,
        prices: Given[TokenPrices] = UNSET,
    ) -> Call[AiEndpoint]:
        """Change one."""
        body = given(name=name, base_url=base_url, model=model, api_key=api_key, prices=prices)
        return Call("PATCH", _ONE, AiEndpoint, {"ai_endpoint_id": ai_endpoint_id}, body=body)

    @Single
    def delete(self, ai_endpoint_id: str) -> Call[None]:
        """Delete one."""
        return Call("DELETE", _ONE, type(None), {"ai_endpoint_id": ai_endpoint_id})
