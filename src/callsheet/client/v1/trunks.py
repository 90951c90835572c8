"""Trunks: configured accounts with carriers."""

from __future__ import annotations

from msgspec import UNSET

from callsheet.client.call import Call, Given, given
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page, Record

_ALL = "/v1/apps/{app}/trunks"
_ONE = "/v1/apps/{app}/trunks/{trunk_id}"


class Trunk(Record, frozen=True):
    """A trunk. `state` is open or closed, on the node that answers."""

    id: str
    name: str
    carrier: str
    takes_any_sender: bool
    state: str


class Trunks(Resource[Mode]):
    """Trunks: configured accounts with carriers."""

    @Single
    def create(self, name: str, carrier: str, *, takes_any_sender: Given[bool] = UNSET) -> Call[Trunk]:
        """Create a trunk."""
        return Call("POST", _ALL, Trunk, body=given(name=name, carrier=carrier, takes_any_sender=takes_any_sender))

    @Paged
    def list(self) -> Call[Page[Trunk]]:
        """Give the trunks, oldest first."""
        return Call("GET", _ALL, Page[Trunk])

    @Single
    def get(self, trunk_id: str) -> Call[Trunk]:
        """Return a trunk."""
        return Call("GET", _ONE, Trunk, {"trunk_id": trunk_id})

    @Single
    def change(self, trunk_id: str, *, name: Given[str] = UNSET, takes_any_sender: Given[bool] = UNSET) -> Call[Trunk]:
        """Change a trunk."""
        body = given(name=name, takes_any_sender=takes_any_sender)
        return Call("PATCH", _ONE, Trunk, {"trunk_id": trunk_id}, body=body)

    @Single
    def delete(self, trunk_id: str) -> Call[None]:
        """Delete a trunk that no sender belongs to."""
        return Call("DELETE", _ONE, type(None), {"trunk_id": trunk_id})
