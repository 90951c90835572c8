"""Speech services: who speaks the texts of an app in calls."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import UNSET

from callsheet.client.call import Call, Given, given
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page, Record

_ALL = "/v1/apps/{app}/speech-services"
_ONE = "/v1/apps/{app}/speech-services/{speech_service_id}"


class SpeechService(Record, frozen=True):
    """A service. Of secrets it names those that are set."""

    id: str
    name: str
    settings: dict[str, Any]
    secrets_set: tuple[str, ...]
    created_at: datetime
    updated_at: datetime


class SpeechServices(Resource[Mode]):
    """Speech services: who speaks the texts of an app in calls."""

    @Single
    def create(self, name: str, settings: Mapping[str, Any]) -> Call[SpeechService]:
        """Make a service known: how to ask it, its secret among it."""
        return Call("POST", _ALL, SpeechService, body={"name": name, "settings": settings})

    @Paged
    def list(self, *, limit: int | None = None) -> Call[Page[SpeechService]]:
        """Give the services, oldest first."""
        return Call("GET", _ALL, Page[SpeechService], query={"limit": limit})

    @Single
    def get(self, speech_service_id: str) -> Call[SpeechService]:
        """Return a service."""
        return Call("GET", _ONE, SpeechService, {"speech_service_id": speech_service_id})

    @Single
    def change(
        self, speech_service_id: str, *, name: Given[str] = UNSET, settings: Given[Mapping[str, Any]] = UNSET
    ) -> Call[SpeechService]:
        """Change a service. Settings are merged into those of before, and a secret that is not named stays."""
        body = given(name=name, settings=settings)
        return Call("PATCH", _ONE, SpeechService, {"speech_service_id": speech_service_id}, body=body)

    @Single
    def delete(self, speech_service_id: str) -> Call[None]:
        """Delete a service that the app's settings do not name."""
        return Call("DELETE", _ONE, type(None), {"speech_service_id": speech_service_id})
