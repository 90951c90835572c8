"""Experience flows: documents that say how a conversation goes."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from callsheet.client.call import Call, Given, JsonObject, given
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page, Record

_ALL = "/v1/apps/{app}/flows"
_ONE = "/v1/apps/{app}/flows/{flow_id}"


class Flow(Record, frozen=True):
    """A flow as lists of them name it."""

    id: str
    name: str


class ShownFlow(Flow, frozen=True):
    """A flow with its document; None where it has none yet."""

    version: int
    document: dict[str, Any] | None


class Flows(Resource[Mode]):
    """Experience flows: documents that say how a conversation goes."""

    @Single
    def create(self, name: str, *, document: Given[JsonObject] = UNSET) -> Call[Flow]:
        """Create a flow; its document may come later."""
        return Call("POST", _ALL, Flow, body=given(name=name, document=document))

    @Paged
    def list(self, *, limit: int = 1000) -> Call[Page[Flow]]:
        """Give all flows."""
        return Call("GET", _ALL, Page[Flow], query={"limit": limit})

    @Single
    def get(self, flow_id: str) -> Call[ShownFlow]:
        """Return a flow."""
        return Call("GET", _ONE, ShownFlow, {"flow_id": flow_id})

    @Single
    def put(self, flow_id: str, document: JsonObject) -> Call[ShownFlow]:
        """Give a flow another document."""
        return Call("PUT", _ONE, ShownFlow, {"flow_id": flow_id}, body=given(document=document))

    @Single
    def change(
        self, flow_id: str, *, name: Given[str] = UNSET, document: Given[JsonObject | None] = UNSET
    ) -> Call[ShownFlow]:
        """Change a flow's name, or its document."""
        return Call("PATCH", _ONE, ShownFlow, {"flow_id": flow_id}, body=given(name=name, document=document))

    @Single
    def delete(self, flow_id: str) -> Call[None]:
        """Delete a flow that nothing uses."""
        return Call("DELETE", _ONE, type(None), {"flow_id": flow_id})
