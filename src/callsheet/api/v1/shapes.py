"""Shapes that several resources share: texts with limits, instants, pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer, StringConstraints

from callsheet.api.instants import write_instant
from callsheet.core.campaign import MAX_DESCRIPTION_CHARACTERS, MAX_NAME_CHARACTERS
from callsheet.core.errors import FieldError, Invalid
from callsheet.core.names import is_one_line

T = TypeVar("T")

USUAL_LIMIT = 100
MOST_ITEMS = 1000


class Body(BaseModel):
    """A request's body: a field that means nothing is named, because it is a slip of the pen."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


def _name(text: str) -> str:
    if not text.strip():
        raise ValueError("This must not be blank")
    if not is_one_line(text):
        raise ValueError("A name is one line, without control characters")
    return text.strip()


def _words(text: str) -> str:
    if not text.strip():
        raise ValueError("This must not be blank")
    return text.strip()


Name = Annotated[str, StringConstraints(max_length=MAX_NAME_CHARACTERS), AfterValidator(_name)]
LongName = Annotated[str, StringConstraints(max_length=128), AfterValidator(_name)]
"""Of things that the documented API has no limit for."""
Description = Annotated[str, StringConstraints(max_length=MAX_DESCRIPTION_CHARACTERS)]
DltId = Annotated[str, StringConstraints(pattern=r"^[0-9]{0,30}$")]
"""An id of the registers that the operators of India keep (DLT): digits, or empty."""
Reason = Annotated[str, StringConstraints(max_length=MAX_DESCRIPTION_CHARACTERS), AfterValidator(_words)]
"""Why somebody does what others have to bear."""
Instant = Annotated[datetime, PlainSerializer(write_instant, return_type=str)]

Limit = Annotated[int, Query(ge=1, le=MOST_ITEMS, description="How many items at most.")]
After = Annotated[
    str | None,
    Query(max_length=128, description="`next` of the page before: items after that one. Without it: from the start."),
]


def no_cursor() -> Invalid:
    """Say that `after` is not what a page gave as its `next`."""
    return Invalid([FieldError("after", "This is not the cursor of a page.")])


class Page(BaseModel, Generic[T]):
    """Some items, and the cursor of those that follow; null when none follow."""

    items: Sequence[T]
    next: str | int | None


def page_of(found: Sequence[T], limit: int, cursor: Callable[[T], str | int]) -> Page[T]:
    """Make a page of what was asked for with one item more than its limit."""
    items = found[:limit]
    return Page(items=items, next=cursor(items[-1]) if len(found) > limit else None)
