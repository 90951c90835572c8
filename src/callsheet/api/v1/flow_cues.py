"""What is replied in a rehearsal of a flow: a text, or whatever else a conversation can wait for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import Discriminator, Field, StrictBool, Tag, model_validator

from callsheet.api.v1.shapes import Body
from callsheet.core.flow.given import (
    Closed,
    Given,
    ModelAnswered,
    NoAnswer,
    PutThrough,
    Reply,
    TimedOut,
    ToolCall,
    WebhookAnswered,
)
from callsheet.core.flow.rehearsal import USUAL_PAUSE_SECONDS, Cue
from callsheet.core.flow.session import Mode
from callsheet.core.transferring import Transferred

MOST_REPLIES: Final = 200
_LONGEST: Final = 65_536
_MOST_SECONDS: Final = 366 * 86_400

_Text = Annotated[str, Field(max_length=_LONGEST)]
_Word = Annotated[str, Field(max_length=256)]
_KINDS: Final = ("text", "silence", "webhook", "model", "failure", "closed", "transfer", "hang_up")


class WebhookAnswer(Body):
    """What a webhook answers."""

    status: Annotated[int, Field(ge=100, le=599)] = 200
    body: Any = None
    """Its JSON."""


class WantedTool(Body):
    """A tool that a language model wants to be called."""

    name: _Word
    arguments: dict[str, Any] = Field(default_factory=dict)


class ModelAnswer(Body):
    """What a language model answers: a text, or tools to call."""

    text: _Text = ""
    calls: Annotated[list[WantedTool], Field(max_length=20)] = Field(default_factory=list)
    tokens: Annotated[int, Field(ge=0, le=10**9)] = 0
    cost: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)] = 0


class AnyAnswer(Body):
    """One of what can come, and when."""

    text: _Text | None = None
    """The contact replies."""
    silence: StrictBool | None = None
    """True: nobody replies until the conversation waits no longer."""
    webhook: WebhookAnswer | None = None
    model: ModelAnswer | None = None
    failure: _Text | None = None
    """Neither a webhook nor a language model answers; this says why."""
    closed: _Word | None = None
    """Somebody of the queue closes the conversation, with this disposition."""
    transfer: Transferred | None = None
    """The caller is put through to somebody, or could not be."""
    hang_up: StrictBool | None = None
    """True: the contact hangs up."""
    after_seconds: Annotated[float, Field(ge=0, le=_MOST_SECONDS, allow_inf_nan=False)] | None = None
    """How long after what came before; without it 60, and 5 in a call."""

    @model_validator(mode="after")
    def _is_one(self) -> AnyAnswer:
        if (
            sum(getattr(self, kind) is not None for kind in _KINDS) != 1
            or self.silence is False
            or self.hang_up is False
        ):
            raise ValueError(f"Give one of {', '.join(_KINDS)}")
        return self


def _form(reply: Any) -> str:
    """Return as what a reply is read: what is wrong with it is told once, and not for each form."""
    return "text" if isinstance(reply, str) else "answer"


AnyReply = Annotated[Annotated[_Text, Tag("text")] | Annotated[AnyAnswer, Tag("answer")], Discriminator(_form)]
"""A text, or an object that says what else comes."""


def read_cues(replies: Sequence[str | AnyAnswer], at: datetime, mode: Mode) -> Iterator[Cue]:
    """Yield what is given to the conversation. The instant stands in for those that the rehearsal finds."""
    usual = USUAL_PAUSE_SECONDS[mode]
    for place, reply in enumerate(replies):
        if isinstance(reply, str):
            yield Cue(Reply(reply, at), usual)
        else:
            after_seconds = reply.after_seconds
            yield Cue(_given(reply, at, place), usual if after_seconds is None else after_seconds)


def _given(reply: AnyAnswer, at: datetime, place: int) -> Given | None:
    if reply.text is not None:
        return Reply(reply.text, at)
    if reply.webhook is not None:
        return WebhookAnswered(reply.webhook.status, reply.webhook.body, at)
    if reply.model is not None:
        model = reply.model
        calls = tuple(
            ToolCall(f"call-{place}-{number}", call.name, call.arguments) for number, call in enumerate(model.calls)
        )
        return ModelAnswered(model.text, calls, model.tokens, model.cost, at)
    if reply.failure is not None:
        return NoAnswer(reply.failure, at)
    if reply.closed is not None or reply.transfer is not None:
        return Closed(reply.closed or "", at) if reply.transfer is None else PutThrough(reply.transfer, at)
    return None if reply.hang_up else TimedOut(at)
