"""An account with any speech service over HTTP: how to ask it for the sound of a text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from callsheet.account import Account, Place, place_of, refuse
from callsheet.core.bare_secrets import check_raw
from callsheet.core.filling import RAW, RawType, fill, names_in, without_names
from callsheet.core.request_template import check_headers, check_target

NAMES: Final = ("text", "voice", "language", "secret")
"""What can be filled in."""
_BRACES: Final = re.compile(r"\{\{|\}\}")
_LONGEST: Final = 4000


class Method(StrEnum):
    """How the URL is asked."""

    post = "POST"
    get = "GET"


class ContentType(StrEnum):
    """What the body is; it says how a text is written in it so that it cannot break out."""

    json = "application/json"
    xml = "application/xml"
    ssml = "application/ssml+xml"
    form = "application/x-www-form-urlencoded"
    plain = "text/plain"


_WRITE: Final[Mapping[ContentType, Callable[[str], str]]] = {
    ContentType.json: RAW[RawType.json],
    ContentType.xml: RAW[RawType.xml],
    ContentType.ssml: RAW[RawType.xml],
    ContentType.form: RAW[RawType.form],
    ContentType.plain: RAW[RawType.plain],
}


def _check_template(text: str) -> str:
    unknown = sorted(names_in(text) - set(NAMES))
    if unknown:
        raise ValueError(f"There is no {', '.join(unknown)[:80]}; there is {', '.join(NAMES)}.")
    if _BRACES.search(without_names(text)):
        raise ValueError("Two braces stand around a name only: {{text}}.")
    return text


def _check_body(body: str) -> str:
    check_raw(body)
    return body


_Template = Annotated[str, StringConstraints(max_length=_LONGEST), AfterValidator(_check_template)]


class SpeechAccount(Account):
    """What a speech service wants to be asked. It answers with a WAV, MP3 or OGG file."""

    url: Annotated[_Template, AfterValidator(check_target)]
    """What is asked for each text; behind the host `{{text}}`, `{{voice}}`, `{{language}}`, `{{secret}}` may stand."""
    method: Method = Method.post
    """POST or GET."""
    headers: Annotated[dict[str, _Template], Field(max_length=20), AfterValidator(check_headers)] = Field(
        default_factory=dict
    )
    """Headers, such as `Authorization: Bearer {{secret}}`."""
    body: Annotated[_Template, AfterValidator(_check_body)] = ""
    """The body of a POST, with placeholders."""
    content_type: ContentType = ContentType.json
    """What the body is."""
    secret: SecretStr = Field(default=SecretStr(""), max_length=2000)
    """The key of our account there; `{{secret}}`."""
    answer_seconds: Annotated[int, Field(ge=1, le=60, strict=True)] = 15
    """How long an answer may take."""

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        """Check what depends on each other."""
        refuse(self._faults())
        return self

    def places(self) -> Mapping[str, Place]:
        """Return where it is asked."""
        return {"url": place_of(without_names(self.url, "x"))}

    def write_body(self, values: Mapping[str, str]) -> bytes:
        """Return the body for a text."""
        return fill(self.body, values, _WRITE[self.content_type]).encode("utf-8", "replace")

    def _faults(self) -> Iterator[tuple[str, str]]:
        templates = self.url, self.body, *self.headers.values()
        named = {name for template in templates for name in names_in(template)}
        secret = self.secret.get_secret_value()
        if self.method is Method.get and self.body:
            yield "body", "A GET has no body; put the text into the URL."
        elif "text" not in named:
            yield "url" if self.method is Method.get else "body", "Say where the text stands: {{text}}."
        elif self.content_type is ContentType.json and self.body and not self._is_json():
            yield "body", "This is no JSON once it is filled in."
        if ("secret" in named) != bool(secret):
            yield "secret", "Give it where {{secret}} is named, and nowhere else."
        elif any("secret" in names_in(value) for value in self.headers.values()) and not (
            secret.isascii() and secret.isprintable()
        ):
            yield "secret", "It holds a character that no header can."

    def _is_json(self) -> bool:
        try:
            json.loads(self.write_body(dict.fromkeys(NAMES, '"\n\\')))
        except (ValueError, RecursionError):
            return False
        return True
