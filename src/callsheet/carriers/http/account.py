"""An account with any REST provider: how to ask it, and how to understand it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, Field, SecretStr, StrictBool, StringConstraints, model_validator

from callsheet.account import Account, Place, Written, place_of, refuse
from callsheet.carriers.http.json_path import JsonPath
from callsheet.carriers.http.pattern import Pattern
from callsheet.carriers.http.rules import (
    ErrorRule,
    InboundCallback,
    NoHeaderOrName,
    ShortText,
    Signature,
    Status,
    StatusCallback,
)
from callsheet.carriers.http.template import Template, check_template
from callsheet.core.bare_secrets import check_raw, check_tree
from callsheet.core.filling import RawType, Value, names_in, without_names
from callsheet.core.request_template import check_headers, check_target

_MOST_LEVELS: Final = 10


class Method(StrEnum):
    """How the URL is asked."""

    post = "POST"
    get = "GET"
    put = "PUT"


class Content(StrEnum):
    """Where the message stands in a request."""

    json = "json"
    form = "form"
    query = "query"
    raw = "raw"


class Auth(StrEnum):
    """How we say who we are."""

    none = "none"
    basic = "basic"
    bearer = "bearer"
    header = "header"


def _check_url(url: str) -> str:
    check_template(url)
    return check_target(url)


def _check_body(body: dict[str, Any] | str) -> dict[str, Any] | str:
    for text in _texts(body, 0):
        check_template(text)
    if isinstance(body, str):
        check_raw(body)
    else:
        check_tree(body)
    return body


def _texts(tree: Any, level: int) -> Iterator[str]:
    if level > _MOST_LEVELS:
        raise ValueError(f"It is nested deeper than {_MOST_LEVELS} levels.")
    match tree:
        case str():
            yield tree
        case dict():
            for name, value in tree.items():
                if "{{" in str(name):
                    raise ValueError("A placeholder stands in a value, not in a name.")
                yield from _texts(value, level + 1)
        case list():
            for value in tree:
                yield from _texts(value, level + 1)


def _is_flat(body: dict[str, Any] | str) -> bool:
    return isinstance(body, dict) and all(isinstance(value, str | int | float) for value in body.values())


Url = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_check_url)]
Headers = Annotated[dict[str, Template], Field(max_length=50), AfterValidator(check_headers)]
SecretName = Annotated[str, Written(r"^[A-Za-z0-9_-]{1,40}$", "Give a name of 1 to 40 letters, digits, _ or -.")]
BodyTemplate = Annotated[dict[str, Any] | str, AfterValidator(_check_body)]


class HttpAccount(Account):
    """What a REST provider wants to be asked, and what its answers and callbacks mean."""

    url: Url
    """What is asked for each message; placeholders may stand behind the host."""
    method: Method = Method.post
    """POST, GET or PUT."""
    headers: Headers = Field(default_factory=dict)
    """Headers besides those that the rest asks for."""
    content: Content = Content.json
    """Where the message stands: `json`, `form` (in the body), `query` (in the URL) or `raw` (a body as it is given)."""
    body: BodyTemplate = Field(default_factory=dict)
    """An object whose texts have placeholders: for `form` and `query` its names and values; for `raw` a text."""
    content_type: RawType = RawType.json
    """Of a `raw` body; it says how a text is written in it so that it cannot break out."""
    auth: Auth = Auth.none
    """`none`, `basic` (`key` and `secret`), `bearer` (`secret`) or `header` (`secret` in `auth_header`)."""
    auth_header: NoHeaderOrName = ""
    """The header that has the secret."""
    key: Annotated[str, StringConstraints(max_length=200)] = ""
    """The name of our account there; `{{key}}`."""
    secret: SecretStr = Field(default=SecretStr(""), max_length=2000)
    """Its password, token or API key; `{{secret}}`."""
    secrets: dict[SecretName, Annotated[SecretStr, Field(max_length=2000)]] = Field(default_factory=dict, max_length=20)
    """More of them, by names of yours: `{{secret.name}}`."""
    encodings: dict[ShortText, ShortText] = Field(default_factory=lambda: {"GSM-7": "GSM-7", "UCS-2": "UCS-2"})
    """What `{{encoding}}` says for a text in GSM-7, and for one in UCS-2."""
    least_valid_seconds: Annotated[int, Field(ge=1, le=604_800, strict=True)] = 60
    """The least that the provider takes for how long it may try."""
    most_valid_seconds: Annotated[int, Field(ge=1, le=604_800, strict=True)] = 172_800
    """The most."""
    success_statuses: list[Status] = Field(default_factory=list, max_length=50)
    """HTTP statuses of an answer that says yes; none given: 200 to 299."""
    success_path: JsonPath = ""
    """Where in the answer it stands whether the message was taken; empty: the status alone says so."""
    success_values: list[ShortText] = Field(default_factory=list, max_length=50)
    """What stands there then."""
    success_pattern: Pattern = ""
    """What an answer that is no JSON matches then."""
    id_path: JsonPath = ""
    """Where the provider's id of the message stands; `[*]` for the ids of all its parts."""
    id_pattern: Pattern = ""
    """What the id is in an answer that is no JSON: the first group."""
    code_path: JsonPath = ""
    """Where the code of an error stands."""
    errors: list[ErrorRule] = Field(default_factory=list, max_length=100)
    """What errors mean; the first that fits. Others are judged by the status alone."""
    idempotency_header: NoHeaderOrName = ""
    """The header in which the provider takes a key that it knows a repeated request by; it gets our reference."""
    repeats_are_safe: StrictBool = False
    """Whether the provider is known to send once, however often it is asked with the same key: then a request that got
    no answer is asked once more, with that key. Without it nothing that may have arrived is ever asked again."""
    probe_url: Annotated[str, StringConstraints(max_length=2000)] = ""
    """What a test call asks by GET, with our credentials (key and secrets may be filled in); an answer from 200 to 299
    says that the account works."""
    status: StatusCallback | None = None
    """How states of messages are read."""
    inbound: InboundCallback | None = None
    """How replies are read."""
    receipts_per_part: StrictBool = False
    """Whether a text in parts gets a callback for each part: they are then known by their ids, and no reference of ours
    is given for such a text."""
    signature: Signature | None = None
    """How callbacks are signed; none: the secret in their address is all that they are known by."""
    callback_answer: Annotated[str, StringConstraints(max_length=200)] = ""
    """What a callback is answered, where the provider insists on something."""
    window: Annotated[int, Field(ge=1, le=1000, strict=True)] = 50
    """How many messages may wait for an answer at once."""

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        """Check what depends on each other."""
        refuse(
            [
                *self._faults_of_body(),
                *self._faults_of_secrets(),
                *self._faults_of_auth(),
                *self._faults_of_answer(),
            ]
        )
        return self

    def places(self) -> Mapping[str, Place]:
        """Return where it is asked."""
        urls = {"url": self.url, "probe_url": self.probe_url}
        return {name: place_of(without_names(url, "x")) for name, url in urls.items() if url}

    def _faults_of_body(self) -> Iterator[tuple[str, str]]:
        if isinstance(self.body, str) != (self.content is Content.raw):
            yield "body", "Give a text for raw, and an object for anything else."
        elif self.content in (Content.form, Content.query) and not _is_flat(self.body):
            yield "body", "In a form and a query every value is a text or a number."
        if self.method is Method.get and self.content is not Content.query:
            yield "content", "A GET has no body; give query."
        if self.probe_url:
            yield from self._faults_of_probe()
        if self.least_valid_seconds > self.most_valid_seconds:
            yield "least_valid_seconds", "It is more than most_valid_seconds."
        if set(self.encodings) != {"GSM-7", "UCS-2"}:
            yield "encodings", "Say what GSM-7 and UCS-2 are called."

    def _faults_of_probe(self) -> Iterator[tuple[str, str]]:
        try:
            _check_url(self.probe_url)
        except ValueError as error:
            yield "probe_url", str(error)
            return
        if names_in(self.probe_url) - self.credentials().keys():
            yield "probe_url", "Only the key and secrets can be filled in, for there is no message."

    def credentials(self) -> dict[str, Value]:
        """Return what can be filled in whatever the message is."""
        named = {f"secret.{name}": secret.get_secret_value() for name, secret in self.secrets.items()}
        return {"key": self.key, "secret": self.secret.get_secret_value(), **named}

    def _faults_of_secrets(self) -> Iterator[tuple[str, str]]:
        texts = self.url, *self.headers.values(), *_texts(self.body, 0)
        named = {name for text in texts for name in names_in(text) if name.startswith("secret.")}
        for name in sorted(named - self.credentials().keys()):
            yield "secrets", f"There is no {name.removeprefix('secret.')} in them."

    def _faults_of_auth(self) -> Iterator[tuple[str, str]]:
        if self.auth is not Auth.none and not self.secret.get_secret_value():
            yield "secret", f"It is needed for {self.auth}."
        if self.auth is Auth.basic and (not self.key or ":" in self.key):
            yield "key", "It is needed for basic, without a colon in it."
        if (self.auth is Auth.header) != bool(self.auth_header):
            yield "auth_header", "Give it for header, and for nothing else."
        if self.auth in (Auth.bearer, Auth.header):
            value = self.secret.get_secret_value()
            if not (value.isascii() and value.isprintable()):
                yield "secret", "It holds a character that no header can."

    def _faults_of_answer(self) -> Iterator[tuple[str, str]]:
        if bool(self.success_path) != bool(self.success_values):
            yield "success_values", "Give them together with success_path."
        if any(rule.codes for rule in self.errors) and not self.code_path:
            yield "code_path", "Say where the codes of the errors stand."
        if self.repeats_are_safe and not self.idempotency_header:
            yield "idempotency_header", "Repeats are safe only with a key that the provider knows them by."
        if self.receipts_per_part and not self.id_path:
            yield "id_path", "Receipts of parts are known by the ids of the parts."
