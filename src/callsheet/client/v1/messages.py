"""Messages: what people replied."""

from __future__ import annotations

from datetime import datetime

from callsheet.client.call import Call
from callsheet.client.method import Mode, Paged, Resource
from callsheet.client.record import Page, Record

_ALL = "/v1/apps/{app}/messages"


class Message(Record, frozen=True):
    """A message that came from a person; `word` is stop, doubt, help, start or none."""

    id: str
    person_id: str
    number: str
    """Empty when no list has it."""
    sender: str
    text: str
    word: str
    at: datetime


class Messages(Resource[Mode]):
    """Messages: what people replied."""

    @Paged
    def list(self, *, word: str | None = None, person_id: str | None = None, limit: int = 1000) -> Call[Page[Message]]:
        """Give what people replied, the latest first."""
        query = {"word": word, "person_id": person_id, "limit": limit}
        return Call("GET", _ALL, Page[Message], query=query)
