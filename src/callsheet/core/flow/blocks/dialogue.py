"""A dialogue with a language model, as its block remembers it: what was said, what it cost, what it waits for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from callsheet.core.flow.blocks.request_body import size_of
from callsheet.core.flow.given import ModelAnswered, ToolCall
from callsheet.core.flow.session import Plain

MOST_HEARD: Final = 4000
"""Of a longer reply the model gets so many characters."""
MOST_TOLD: Final = 8000
"""And of what a tool answered."""
MOST_BYTES: Final = 256 * 1024
"""A longer dialogue comes to its limit: it is stored, and sent to the model, at each turn."""
_CHARACTERS_OF_TOKEN: Final = 3


class Dialogue:
    """What was said so far; the first message is the system prompt, and nothing of the contact's gets into it."""

    def __init__(self, memory: Mapping[str, Any]) -> None:
        self.messages: list[dict[str, Plain]] = list(memory["messages"])
        self.turns: int = memory["turns"]
        self.tokens: int = memory["tokens"]
        self.cost: float = memory["cost"]
        self.used: int = memory["used"]
        """How many tools were called since the contact's last reply."""
        self.calls: list[dict[str, Plain]] = list(memory["calls"])
        """The tools that are still to be called; the first of them is being called."""

    @staticmethod
    def begin(system_prompt: str) -> Dialogue:
        """Begin one."""
        return Dialogue({"messages": [_message("system", system_prompt)], **_NOTHING_YET})

    def memory(self) -> Plain:
        """Return it as it is kept."""
        return {
            "messages": list(self.messages),
            "turns": self.turns,
            "tokens": self.tokens,
            "cost": self.cost,
            "used": self.used,
            "calls": list(self.calls),
        }

    @property
    def said_last(self) -> str:
        """Return what we said last; empty: nothing yet."""
        said = (each["content"] for each in reversed(self.messages) if each["role"] == "assistant" and each["content"])
        return str(next(said, ""))

    @property
    def is_full(self) -> bool:
        """Tell whether it is too long to go on."""
        return size_of(self.messages) > MOST_BYTES

    def say(self, text: str) -> None:
        """Add what we said."""
        self.messages.append(_message("assistant", text))

    def hear(self, text: str) -> None:
        """Add what the contact wrote."""
        self.turns += 1
        self.used = 0
        self.messages.append(_message("user", text[:MOST_HEARD]))

    def answer(self, answered: ModelAnswered) -> None:
        """Add what the model answered, and what it cost; where nobody said how many tokens, they are guessed."""
        guess = (size_of(self.messages) + len(answered.text)) // _CHARACTERS_OF_TOKEN + 1
        self.tokens += answered.tokens or guess
        self.cost += answered.cost
        if not answered.calls:
            self.say(answered.text)
            return
        self.calls = [_kept(call) for call in answered.calls]
        self.messages.append(
            {"role": "assistant", "content": answered.text or None, "tool_calls": [_echo(call) for call in self.calls]}
        )

    @property
    def called(self) -> str:
        """Return the name of the tool that is being called, as the model writes it."""
        return str(self.calls[0]["name"])[:LONGEST_NAME]

    def tell(self, result: Plain) -> None:
        """Add what the tool answered that was being called."""
        call = self.calls.pop(0)
        content = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)
        self.messages.append({"role": "tool", "tool_call_id": call["id"], "content": content[:MOST_TOLD]})


LONGEST_NAME: Final = 64
"""Of a name so many characters are shown: models make names up."""
_NOTHING_YET: Final[Mapping[str, Any]] = {"turns": 0, "tokens": 0, "cost": 0.0, "used": 0, "calls": []}


def _message(role: str, text: str) -> dict[str, Plain]:
    return {"role": role, "content": text}


def _kept(call: ToolCall) -> dict[str, Plain]:
    return {"id": call.id, "name": call.name, "arguments": dict(call.arguments), "fault": call.fault}


def _echo(call: Mapping[str, Plain]) -> Plain:
    arguments = json.dumps(call["arguments"], ensure_ascii=False)
    return {"id": call["id"], "type": "function", "function": {"name": call["name"], "arguments": arguments}}
