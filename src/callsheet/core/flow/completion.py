"""Chat completions: what is asked of an endpoint that speaks OpenAI's API, and what its answer says.

An answer is one JSON object, or a stream of server-sent events (https://html.spec.whatwg.org/#server-sent-events) with
a piece of the answer each, of which the last is `[DONE]`. Endpoints differ; what they have in common is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from callsheet.core.flow.effects import AskModel
from callsheet.core.flow.given import ModelAnswered, ToolCall
from callsheet.core.flow.session import Plain

_CHARACTERS_OF_TOKEN: Final = 3
_TOKENS_OF_PRICE: Final = 1_000_000
_MOST_CALLS: Final = 64


@dataclass(frozen=True, slots=True)
class Prices:
    """What a million tokens cost, in whatever currency."""

    input: float = 0.0
    output: float = 0.0

    def of(self, asked: int, answered: int) -> float:
        """Return what so many tokens of question and answer cost."""
        return (asked * self.input + answered * self.output) / _TOKENS_OF_PRICE


class BadAnswer(ValueError):
    """An answer that cannot be read; the sentence says why, and quotes nothing of it."""


def write_question(asked: AskModel, model: str) -> dict[str, Plain]:
    """Return the body of the request; `model` is the endpoint's, where the flow names none."""
    body: dict[str, Plain] = {
        "model": asked.model or model,
        "messages": list(asked.messages),
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": asked.most_tokens,
    }
    if asked.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {"name": each.name, "description": each.description, "parameters": each.parameters},
            }
            for each in asked.tools
        ]
    if asked.temperature is not None:
        body["temperature"] = asked.temperature
    return body


def read_answer(said: bytes, asked: AskModel, prices: Prices, at: datetime) -> ModelAnswered:
    """Return what a model answered, by a stream or at once. Raises BadAnswer."""
    text = said.decode("utf-8", "replace").lstrip("\ufeff \r\n\t")
    answer = _Answer()
    if text.startswith("{"):
        answer.take(_object(text))
        answer.has_ended = True
    else:
        for event in _events(text):
            if event == "[DONE]":
                answer.has_ended = True
                break
            answer.take(_object(event))
    if not answer.has_ended or not answer.is_any:
        raise BadAnswer("The model's answer broke off.")
    return answer.finish(asked, prices, at)


def _events(text: str) -> Iterator[str]:
    """Yield the data of server-sent events."""
    data: list[str] = []
    for line in [*text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), ""]:
        if line.startswith("data:"):
            data.append(line.removeprefix("data:").removeprefix(" "))
        elif not line and data:
            yield "\n".join(data)
            data = []


def _object(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadAnswer("The model's endpoint answered something that is no chat completion.")
    if found.get("error"):
        raise BadAnswer("The model's endpoint told of an error instead of an answer.")
    return found


@dataclass(slots=True)
class _Call:
    """A tool call, as far as it came."""

    id: str = ""
    name: str = ""
    arguments: str = ""

    def read(self, number: int) -> ToolCall:
        """Return it, with what is wrong with its arguments."""
        made = self.id or f"call_{number}"
        try:
            arguments = json.loads(self.arguments or "{}")
        except (ValueError, RecursionError):
            arguments = None
        if isinstance(arguments, dict):
            return ToolCall(made, self.name, arguments)
        return ToolCall(made, self.name, {}, "The arguments are no JSON object.")


@dataclass(slots=True)
class _Answer:
    """An answer, as far as it came."""

    text: list[str] = field(default_factory=list)
    calls: list[_Call] = field(default_factory=list)
    places: dict[object, _Call] = field(default_factory=dict)
    usage: Mapping[str, Any] = field(default_factory=dict)
    is_any: bool = False
    has_ended: bool = False

    def take(self, chunk: Mapping[str, Any]) -> None:
        """Add a piece, or all of it."""
        usage, choices = chunk.get("usage"), chunk.get("choices")
        if isinstance(usage, dict):
            self.usage = usage
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict):
            return
        self.is_any = True
        self.has_ended = self.has_ended or bool(choice.get("finish_reason"))
        said = choice.get("delta") or choice.get("message")
        if isinstance(said, dict):
            self.text.append(_text(said.get("content")) or _text(said.get("refusal")))
            for each in said.get("tool_calls") or ():
                if isinstance(each, dict):
                    self._take_call(each)

    def _take_call(self, piece: Mapping[str, Any]) -> None:
        """Add a piece of a tool call: a new one begins at a new place, or with another id at the same."""
        place, named = piece.get("index"), _text(piece.get("id"))
        call = self.places.get(place) if place is not None or not named else None
        if call is None or (named and call.id and call.id != named):
            call = self.places[place] = _Call()
            self.calls.append(call)
        call.id = call.id or named
        function = piece.get("function")
        if isinstance(function, dict):
            call.name = call.name or _text(function.get("name"))
            arguments = function.get("arguments")
            call.arguments += json.dumps(arguments) if isinstance(arguments, dict) else _text(arguments)

    def finish(self, asked: AskModel, prices: Prices, at: datetime) -> ModelAnswered:
        """Return the whole."""
        text = "".join(self.text)
        calls = tuple(call.read(number) for number, call in enumerate(self.calls[:_MOST_CALLS]))
        question, answer = self._count("prompt_tokens"), self._count("completion_tokens")
        tokens = self._count("total_tokens") or question + answer
        if not tokens:
            # Nobody counted: what it cost is guessed, so that a limit of cost is one.
            question = len(json.dumps(list(asked.messages), ensure_ascii=False)) // _CHARACTERS_OF_TOKEN
            answer = len(text) // _CHARACTERS_OF_TOKEN + 1
        return ModelAnswered(text, calls, tokens, prices.of(question, answer), at)

    def _count(self, name: str) -> int:
        said = self.usage.get(name)
        return max(0, said) if isinstance(said, int) and not isinstance(said, bool) else 0


def _text(said: object) -> str:
    """Return a text; some endpoints give it in parts."""
    if isinstance(said, list):
        return "".join(_text(part.get("text")) for part in said if isinstance(part, dict))
    return said if isinstance(said, str) else ""
