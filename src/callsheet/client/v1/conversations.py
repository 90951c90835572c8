"""Conversations: what people and flows said to each other, and those that wait for somebody of a queue."""

from __future__ import annotations

from datetime import datetime

from msgspec import UNSET

from callsheet.client.call import Call, Given, given
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page, Record
from callsheet.client.v1.flow_trials import Visit

_ALL = "/v1/apps/{app}/conversations"
_ONE = f"{_ALL}/{{conversation_id}}"


class OfFlow(Record, frozen=True):
    """A flow, at the version that the conversation keeps."""

    id: str
    name: str
    version: int


class InQueue(Record, frozen=True):
    """The queue to which a conversation was handed over."""

    id: str
    name: str
    since: datetime | None


class Conversation(Record, frozen=True):
    """A conversation."""

    id: str
    person_id: str
    number: str
    sender: str
    channel: str
    flow: OfFlow
    run_id: str
    attempt_id: str
    opened_at: datetime
    changed_at: datetime
    ended_at: datetime | None
    awaits: str
    wakes_at: datetime | None
    ending: str | None
    why: str
    queue: InQueue | None
    agent: str
    disposition: str
    last_message_at: datetime | None
    last_by: str


class Line(Record, frozen=True):
    """Something that was said."""

    id: str
    at: datetime
    direction: str
    by: str
    text: str
    state: str


class WholeConversation(Conversation, frozen=True):
    """A conversation with what was said, and the way that it took through its flow."""

    note: str
    messages: tuple[Line, ...]
    visits: tuple[Visit, ...]


class Conversations(Resource[Mode]):
    """Conversations: what people and flows said to each other."""

    @Paged
    def list(
        self,
        *,
        flow: str | None = None,
        run: str | None = None,
        queue: str | None = None,
        agent: str | None = None,
        person_id: str | None = None,
        state: str | None = None,
        awaits: str | None = None,
        limit: int = 1000,
    ) -> Call[Page[Conversation]]:
        """Give conversations, the newest first; with `queue` they are its inbox: first who waits longest."""
        query = {
            "flow": flow, "run": run, "queue": queue, "agent": agent, "person_id": person_id, "state": state,
            "awaits": awaits, "limit": limit,
        }  # fmt: skip
        return Call("GET", _ALL, Page[Conversation], query=query)

    @Paged
    def find(self, number: str, *, limit: int = 1000) -> Call[Page[Conversation]]:
        """Give the conversations with a number, the newest first."""
        return Call("POST", f"{_ALL}/find", Page[Conversation], query={"limit": limit}, body=given(number=number))

    @Single
    def get(self, conversation_id: str) -> Call[WholeConversation]:
        """Return a conversation with everything that was said."""
        return Call("GET", _ONE, WholeConversation, {"conversation_id": conversation_id})

    @Single
    def take(self, conversation_id: str, *, agent: Given[str] = UNSET) -> Call[WholeConversation]:
        """Take a conversation that waits in a queue."""
        names = {"conversation_id": conversation_id}
        return Call("POST", f"{_ONE}/take", WholeConversation, names, body=given(agent=agent))

    @Single
    def release(self, conversation_id: str, *, agent: Given[str] = UNSET) -> Call[WholeConversation]:
        """Put a conversation back into its queue."""
        names = {"conversation_id": conversation_id}
        return Call("POST", f"{_ONE}/release", WholeConversation, names, body=given(agent=agent))

    @Single
    def reply(self, conversation_id: str, text: str, *, agent: Given[str] = UNSET) -> Call[WholeConversation]:
        """Say something in a conversation that one took."""
        names = {"conversation_id": conversation_id}
        return Call("POST", f"{_ONE}/replies", WholeConversation, names, body=given(text=text, agent=agent))

    @Single
    def close(self, conversation_id: str, disposition: str, *, agent: Given[str] = UNSET) -> Call[WholeConversation]:
        """Close a conversation that one took, with how it went."""
        body = given(disposition=disposition, agent=agent)
        return Call("POST", f"{_ONE}/close", WholeConversation, {"conversation_id": conversation_id}, body=body)
