"""Shapes that several resources share: texts with limits, instants, pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Generic, Self, TypeVar

from fastapi import Query
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    PlainSerializer,
    PrivateAttr,
    StringConstraints,
    ValidationError,
    model_validator,
)

from callsheet.account import Written
from callsheet.api.failures import faults_in
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


class Sifted(Body):
    """A body that is looked up too: one answer names what is wrong with its form, and what is not there.

    Fields that are wrong by their form are left out of it, and kept in `faults`: who takes such a body raises them with
    those of his own, before anything is stored. A body that is nothing without them is refused as any other, unless
    something stands in for what is wrong.
    """

    _stand_ins: ClassVar[Mapping[str, Any]] = {}
    _faults: list[FieldError] = PrivateAttr(default_factory=list)

    @property
    def faults(self) -> list[FieldError]:
        """What is wrong with its form."""
        return list(self._faults)

    @model_validator(mode="wrap")
    @classmethod
    def _sift(cls, body: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return read(body)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_input=False)
            wrong = {fault["loc"][:1] for fault in faults}
            try:
                right = {name: value for name, value in body.items() if (name,) not in wrong}
                sifted = read({**cls._stand_ins, **right})
            except (AttributeError, ValidationError):
                raise error from None
            placed = [{**fault, "loc": ("body", *fault["loc"])} for fault in faults]
            sifted._faults = faults_in(body, placed)  # noqa: SLF001 (it is one of us)
            return sifted


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
DltId = Annotated[str, Written(r"^[0-9]{0,30}$", "Give at most 30 digits.")]
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
