"""What a provider's answers and callbacks mean, as an account says it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, SecretStr, StrictBool, StringConstraints, model_validator

from callsheet.account import Section, Written, refuse
from callsheet.carriers.base import (
    AccountRefused,
    InvalidMessage,
    InvalidNumber,
    NoAnswer,
    SendError,
    Stopped,
    Throttled,
    Unwell,
)
from callsheet.carriers.http.json_path import JsonPath
from callsheet.carriers.http.pattern import Pattern
from callsheet.core.attempt import Kind

ShortText = Annotated[str, StringConstraints(max_length=100)]
_NO_HEADER: Final = "Give the name of a header: letters, digits and -, at most 100."
HeaderName = Annotated[str, Written(r"^[A-Za-z0-9-]{1,100}$", _NO_HEADER)]
NoHeaderOrName = Annotated[str, Written(r"^[A-Za-z0-9-]{0,100}$", _NO_HEADER)]
Status = Annotated[int, Field(ge=100, le=599, strict=True)]


class Meaning(StrEnum):
    """What an error means. All but `uncertain` say that the message was certainly not taken."""

    retry = "retry"
    permanent = "permanent"
    throttle = "throttle"
    account = "account"
    number = "number"
    stopped = "stopped"
    uncertain = "uncertain"


ERRORS: Final[Mapping[Meaning, type[SendError]]] = {
    Meaning.retry: Unwell,
    Meaning.permanent: InvalidMessage,
    Meaning.throttle: Throttled,
    Meaning.account: AccountRefused,
    Meaning.number: InvalidNumber,
    Meaning.stopped: Stopped,
    Meaning.uncertain: NoAnswer,
}


class ErrorRule(Section):
    """Some errors of a provider, and what they mean. What is given of `codes`, `statuses` and `pattern` has to fit."""

    codes: list[ShortText] = Field(default_factory=list, max_length=200)
    """What stands at `code_path`."""
    statuses: list[Status] = Field(default_factory=list, max_length=50)
    """HTTP statuses."""
    pattern: Pattern = ""
    """What the answer matches."""
    means: Meaning
    """What it means."""

    @model_validator(mode="after")
    def _check_something(self) -> Self:
        if not (self.codes or self.statuses or self.pattern):
            refuse([("codes", "Give codes, statuses or a pattern.")])
        return self


class StateMeaning(StrEnum):
    """What a state in a callback means."""

    accepted = "accepted"
    delivered = "delivered"
    undelivered = "undelivered"
    rejected = "rejected"
    ignored = "ignored"


STATES: Final[Mapping[StateMeaning, Kind]] = {
    StateMeaning.accepted: Kind.accepted,
    StateMeaning.delivered: Kind.delivered,
    StateMeaning.undelivered: Kind.undelivered,
    StateMeaning.rejected: Kind.rejected,
}


class StatusCallback(Section):
    """Where things stand in a callback that tells what became of a message. Parameters of its URL count too."""

    items_path: JsonPath = ""
    """Where a list of events stands, when one callback tells several."""
    id_path: JsonPath = ""
    """The provider's id of the message."""
    reference_path: JsonPath = ""
    """Our reference, when the provider gives it back; the one in `{{callback_url}}` is found by itself."""
    state_path: JsonPath = Field(min_length=1)
    """The state."""
    code_path: JsonPath = ""
    """Why, in the provider's own code."""
    number_path: JsonPath = ""
    """The number that the message went to."""
    states: dict[ShortText, StateMeaning] = Field(min_length=1, max_length=200)
    """What each state means; in any case of letters. One that is not here tells nothing."""


class InboundCallback(Section):
    """Where things stand in a callback that tells a reply."""

    items_path: JsonPath = ""
    """Where a list of replies stands, when one callback tells several."""
    id_path: JsonPath = Field(min_length=1)
    """The provider's id of the reply: one that comes twice is one reply."""
    number_path: JsonPath = Field(min_length=1)
    """Who wrote."""
    is_international: StrictBool = False
    """Whether who wrote stands there with the country code, though without a plus."""
    sender_path: JsonPath = Field(min_length=1)
    """To which of our numbers."""
    text_path: JsonPath = Field(min_length=1)
    """What."""
    part_reference_path: JsonPath = ""
    """What the parts of a long text have in common, where they come one by one."""
    part_total_path: JsonPath = ""
    """How many parts it has."""
    part_number_path: JsonPath = ""
    """Which of them this is, from 1 on."""


class Algorithm(StrEnum):
    """How a signature is made."""

    sha1 = "sha1"
    sha256 = "sha256"
    sha512 = "sha512"


class Digits(StrEnum):
    """How a signature is written."""

    hex = "hex"
    base64 = "base64"


class Covered(StrEnum):
    """What a signature is made of."""

    url = "url"
    bare_url = "bare_url"
    nonce = "nonce"
    body = "body"


class Signature(Section):
    """How a provider signs its callbacks, with an HMAC in a header."""

    header: HeaderName
    """The header that has the signature."""
    secret: SecretStr = Field(min_length=1, max_length=500)
    """The key."""
    algorithm: Algorithm = Algorithm.sha256
    """sha1, sha256 or sha512."""
    encoding: Digits = Digits.hex
    """hex or base64."""
    prefix: ShortText = ""
    """What stands before it, such as `sha256=`."""
    covers: list[Covered] = Field(default_factory=lambda: [Covered.body], min_length=1, max_length=4)
    """What is signed, one behind the other: `url`, `bare_url` (without its query), `nonce`, `body`."""
    nonce_header: NoHeaderOrName = ""
    """The header that has the nonce."""

    @model_validator(mode="after")
    def _check_nonce(self) -> Self:
        if Covered.nonce in self.covers and not self.nonce_header:
            refuse([("nonce_header", "Say which header has the nonce that is signed.")])
        return self
