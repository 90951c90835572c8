"""Phone numbers in bodies."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from callsheet.core.errors import FieldError, Invalid
from callsheet.core.phone import BadNumber, Number
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App

_LONGEST_NUMBER = 64


def _as_text(value: object) -> object:
    """Return a number that was written without quotes as the text that it means."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


AnyNumber = Annotated[str, Field(max_length=_LONGEST_NUMBER), BeforeValidator(_as_text)]
"""A phone number as people and programs write it."""


def read_number(runtime: Runtime, app: App, text: str) -> tuple[bytes, str]:
    """Return the person key of the field `number`, and the number in international form. Raises Invalid."""
    key = runtime.store.vault.app(app.no)
    assert key is not None, "the app was opened when its token was read"
    try:
        number = Number.parse(text, app.settings.region).e164
    except BadNumber as error:
        raise Invalid([FieldError("number", error.fields[0].message)]) from None
    return key.person(number), number
