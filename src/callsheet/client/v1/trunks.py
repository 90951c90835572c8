"""Trunks: configured accounts with carriers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET

from callsheet.client.call import Call, Given, given
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page, Record

_ALL = "/v1/apps/{app}/trunks"
_ONE = "/v1/apps/{app}/trunks/{trunk_id}"


class Trunk(Record, frozen=True):
    """A trunk. `state` is open or closed, on the node that answers; of secrets it names those that are set."""

    id: str
    name: str
    carrier: str
    settings: dict[str, Any]
    secrets_set: tuple[str, ...]
    takes_any_sender: bool
    state: str


class Trunks(Resource[Mode]):
    """Trunks: configured accounts with carriers."""

    @Single
    def create(
        self,
        name: str,
        carrier: str,
        *,
        settings: Given[Mapping[str, Any]] = UNSET,
        takes_any_sender: Given[bool] = UNSET,
    ) -> Call[Trunk]:
        """Create a trunk. `settings` are what the carrier wants to know, secrets among it."""
        body = given(name=name, carrier=carrier, settings=settings, takes_any_sender=takes_any_sender)
        return Call("POST", _ALL, Trunk, body=body)

    @Paged
    def list(self) -> Call[Page[Trunk]]:
        """Give the trunks, oldest first."""
        return Call("GET", _ALL, Page[Trunk])

    @Single
    def get(self, trunk_id: str) -> Call[Trunk]:
        """Return a trunk."""
        return Call("GET", _ONE, Trunk, {"trunk_id": trunk_id})

    @Single
    def change(
        self,
        trunk_id: str,
        *,
        name: Given[str] = UNSET,
        settings: Given[Mapping[str, Any]] = UNSET,
        takes_any_sender: Given[bool] = UNSET,
    ) -> Call[Trunk]:
        """Change a trunk. Settings are merged into those of before, and secrets that are not named stay."""
        body = given(name=name, settings=settings, takes_any_sender=takes_any_sender)
        return Call("PATCH", _ONE, Trunk, {"trunk_id": trunk_id}, body=body)

    @Single
    def delete(self, trunk_id: str) -> Call[None]:
        """Delete a trunk that no sender belongs to."""
        return Call("DELETE", _ONE, type(None), {"trunk_id": trunk_id})
