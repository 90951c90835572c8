"""Messages: what people replied to the senders of an app."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Instant, Limit, Page, no_cursor, page_of
from callsheet.api.v1.strict import Router
from callsheet.core.errors import FieldError, Invalid
from callsheet.core.ids import PERSON_BYTES
from callsheet.core.opting_out import Word
from callsheet.store.inbox import Message

router = Router(prefix="/v1/apps/{app}/messages", tags=["messages"])


class ShownMessage(BaseModel):
    """A message that came from a person."""

    id: str
    person_id: str
    """The same in every list, and in what webhooks are told."""
    number: str
    """Empty when a contact list that had it was deleted, and no other list has it.

    Without a plus it is as the carrier wrote it: nobody could read whose it is, and nothing came of what was said.
    """
    sender: str
    """To which of our senders it came."""
    text: str
    word: Word
    """What it says: `stop` and `doubt` opted the person out, `start` took that back, `help` was answered."""
    at: Instant


@router.get("", responses=problems())
async def list_messages(
    runtime: Served,
    app: Tenant,
    word: Annotated[Word | None, Query(description="Only messages that say this.")] = None,
    person_id: Annotated[str | None, Query(max_length=64, description="Only messages of this person.")] = None,
    after: After = None,
    limit: Limit = USUAL_LIMIT,
) -> Page[ShownMessage]:
    """Return what people replied, the latest first."""
    person = read_person(person_id) if person_id is not None else None
    found = await runtime.store.inbox.page(app.no, person=person, word=word, after=after, limit=limit + 1)
    if found is None:
        raise no_cursor()
    return page_of([_show(one) for one in found], limit, lambda one: one.id)


def read_person(text: str, field: str = "person_id") -> bytes:
    """Read the id of a person in a query. Raises Invalid."""
    try:
        person = bytes.fromhex(text)
    except ValueError:
        person = b""
    if len(person) != PERSON_BYTES:
        raise Invalid([FieldError(field, "This is not the id of a person.")])
    return person


def _show(message: Message) -> ShownMessage:
    return ShownMessage(
        id=message.id,
        person_id=message.person.hex(),
        number=message.number,
        sender=message.sender,
        text=message.text,
        word=message.word,
        at=message.at,
    )
