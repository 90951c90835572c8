"""`Callsheet.AiAgent`: lets a language model talk with the contact, within limits.

`block.value` is how it ended: `done`, `hand_over`, `limit` or `error`; an error leaves by the default exit.
`block.outcome` is what the model said of it. What the contact writes is a message of the user, never of the system.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from callsheet.core.flow.amiss import Amiss
from callsheet.core.flow.blocks.dialogue import Dialogue
from callsheet.core.flow.blocks.kind import Fail, Finding, Leave, Look, Outcome, Turn, Wait
from callsheet.core.flow.blocks.toolbox import (
    BUILT_IN,
    FINISH,
    HAND_OVER,
    WebhookTool,
    call_tool,
    find_tools,
    read_tools,
)
from callsheet.core.flow.blocks.webhook import find_seconds, seconds_of
from callsheet.core.flow.document import Block, Json, Reader, Resource, text_of
from callsheet.core.flow.effects import AskModel
from callsheet.core.flow.expression.scope import Scope
from callsheet.core.flow.given import Given, ModelAnswered, NoAnswer, Reply, WebhookAnswered
from callsheet.core.flow.manners import MOST_SAID
from callsheet.core.flow.names import Contact
from callsheet.core.flow.session import Awaits, Plain

USUAL_TURNS: Final = 10
MOST_TURNS: Final = 100
USUAL_TOKENS: Final = 20_000
MOST_TOKENS: Final = 1_000_000
MOST_COST: Final = 1_000.0
USUAL_COST: Final = 1.0
ANSWER_TOKENS: Final = 1000
"""One answer has so many tokens at most, and never more than are left."""
USUAL_SECONDS: Final = 60
MOST_SECONDS: Final = 120
MOST_CALLS: Final = 8
"""So many tools are called between two replies of the contact."""
MOST_ANSWER: Final = MOST_SAID
"""A longer answer is cut: it goes as a text message."""
_LONGEST_OUTCOME: Final = 500
_NO_ENDPOINT: Final = "The app has no AI endpoint of this name: until it has, the block is left by its default exit."
_ENDS: Final = {FINISH: "done", HAND_OVER: "hand_over"}


@dataclass(frozen=True, slots=True)
class Agent:
    """Who talks, as whom, and how far."""

    endpoint: str
    model: str
    system_prompt: Resource | None
    prompt: Resource | None
    tools: Mapping[str, WebhookTool]
    turns: int
    tokens: int
    cost: float
    temperature: float | None
    seconds: float


class AiAgent:
    """A language model that talks."""

    waits = True

    def read(self, config: Json, reader: Reader) -> Agent:
        """Return who talks."""
        temperature: Any = config.get("temperature")
        return Agent(
            text_of(config, "endpoint"),
            text_of(config, "model"),
            reader.resource(config.get("system_prompt")),
            reader.resource(config.get("prompt")),
            read_tools(config),
            int(_number(config, "max_turns", USUAL_TURNS)),
            int(_number(config, "max_tokens", USUAL_TOKENS)),
            _number(config, "max_cost", USUAL_COST),
            float(temperature) if _is_number(temperature) else None,
            seconds_of(config, USUAL_SECONDS),
        )

    def find(self, config: Json, at: str, look: Look) -> Iterator[Finding]:
        """Find what is wrong with prompts, tools and limits."""
        if not text_of(config, "endpoint").strip():
            yield Finding(f"{at}.endpoint", "Give the name of an AI endpoint of the app.")
        elif not look.has_endpoint(text_of(config, "endpoint")):
            yield Finding(f"{at}.endpoint", _NO_ENDPOINT, is_warning=True)
        if not isinstance(config.get("model", ""), str):
            yield Finding(f"{at}.model", "A model is a text.")
        yield from look.prompt(config, "system_prompt", at)
        yield from look.prompt(config, "prompt", at, required=False)
        yield from find_tools(config, at, look)
        yield from _find_limit(config, at, "max_turns", MOST_TURNS, is_whole=True)
        yield from _find_limit(config, at, "max_tokens", MOST_TOKENS, is_whole=True)
        yield from _find_limit(config, at, "max_cost", MOST_COST, is_whole=False)
        temperature = config.get("temperature", 0)
        if not _is_number(temperature) or not 0 <= temperature <= 2:  # type: ignore[operator]
            yield Finding(f"{at}.temperature", "A temperature is a number from 0 to 2.")
        yield from find_seconds(config, at, MOST_SECONDS)

    def enter(self, turn: Turn, block: Block) -> Outcome:
        """Say the opening and wait for a reply; without one the model answers what the contact wrote last.

        In the middle of the dialogue, as when a call is taken over, say what the model said last.
        """
        agent: Agent = block.config
        if turn.frame.memory is not None:
            memory: Any = turn.frame.memory
            turn.say_text(Dialogue(memory).said_last)
            return Wait(turn.session.awaits, memory)
        try:
            dialogue = Dialogue.begin(_system(turn, agent))
            if agent.prompt is not None:
                said = turn.text(agent.prompt)
                turn.say(agent.prompt)
                dialogue.say(said)
                return Wait(Awaits.reply, dialogue.memory())
        except Amiss as error:
            return _failed(Dialogue.begin(""), str(error))
        if said := _said_last(turn):
            dialogue.hear(said)
        return _ask(turn, block, dialogue)

    def take(self, turn: Turn, block: Block, given: Given) -> Outcome | None:
        """Take a reply, an answer of the model, or what a tool answered."""
        memory: Any = turn.frame.memory
        dialogue = Dialogue(memory)
        match turn.session.awaits, given:
            case Awaits.reply, Reply(text=text):
                dialogue.hear(text)
                return _ask(turn, block, dialogue)
            case Awaits.model, ModelAnswered():
                return _answered(turn, block, dialogue, given)
            case Awaits.model, NoAnswer(why=why):
                return _failed(dialogue, why)
            case Awaits.webhook, WebhookAnswered(status=status, body=body):
                is_ok = 200 <= status < 300
                turn.note(block, has_left=False, why=f"The tool {dialogue.called} answered {status}.")
                dialogue.tell(body if is_ok else {"error": f"The tool answered {status}.", "body": body})
                return _next(turn, block, dialogue)
            case Awaits.webhook, NoAnswer(why=why):
                turn.note(block, has_left=False, why=f"The tool {dialogue.called}: {why}")
                dialogue.tell({"error": why})
                return _next(turn, block, dialogue)
        return None


def _system(turn: Turn, agent: Agent) -> str:
    """Return the system prompt. Of all names it sees the columns of the contact, as its owner wrote them."""
    content = agent.system_prompt.spoken(turn.session.language, turn.mode) if agent.system_prompt is not None else None
    if content is None or content.text is None:
        raise Amiss("There is no system prompt in the language of the session.")
    written = set(turn.written)
    columns = {name: value for name, value in turn.contact.items() if name not in written}
    contact = Contact(columns, turn.session.number, {})
    user = {"campaignUserInfo": contact}
    context = {**user, "session": {**user, "UserSession": user}}
    return content.text(Scope({"contact": contact, "context": context, **user}, turn.scope().now))


def _said_last(turn: Turn) -> str:
    """Return what the contact wrote last to an open question, else what began the conversation; empty: neither."""
    written = [each for each in turn.frame.results.values() if each.response and each.value == each.response.strip()]
    if written:
        return max(written, key=lambda each: each.exited_at).response or ""
    return "" if turn.replies else turn.session.trigger


def _ask(turn: Turn, block: Block, dialogue: Dialogue) -> Outcome:
    agent: Agent = block.config
    left = agent.tokens - dialogue.tokens
    if left <= 0 or dialogue.cost >= agent.cost or dialogue.is_full:
        return _left(dialogue, "limit", "The limit of tokens or of cost is reached.")
    turn.do(
        AskModel(
            block.uuid,
            agent.endpoint,
            agent.model,
            tuple(dialogue.messages),
            (*(each.tool for each in agent.tools.values()), *BUILT_IN),
            agent.seconds,
            min(left, ANSWER_TOKENS),
            agent.temperature,
        )
    )
    return Wait(Awaits.model, dialogue.memory())


def _answered(turn: Turn, block: Block, dialogue: Dialogue, answered: ModelAnswered) -> Outcome:
    agent: Agent = block.config
    text = answered.text.strip()[:MOST_ANSWER]
    if not text and not answered.calls:
        return _failed(dialogue, "The model answered nothing.")
    dialogue.answer(answered)
    is_ending = any(call.name in _ENDS for call in answered.calls)
    if text and (is_ending or not answered.calls):
        turn.say_text(text)
    if answered.calls:
        return _next(turn, block, dialogue)
    if dialogue.turns >= agent.turns or dialogue.tokens >= agent.tokens or dialogue.cost >= agent.cost:
        return _left(dialogue, "limit", "The limit of turns, of tokens or of cost is reached.")
    return Wait(Awaits.reply, dialogue.memory())


def _next(turn: Turn, block: Block, dialogue: Dialogue) -> Outcome:
    """Call the next tool that the model wants; end where it wants to, after the others; else ask it again."""
    agent: Agent = block.config
    while dialogue.calls:
        call: Mapping[str, Any] = dialogue.calls[0]
        others = [each for each in dialogue.calls if each["name"] not in _ENDS]
        if call["name"] in _ENDS and others:
            dialogue.calls.append(dialogue.calls.pop(0))
            continue
        if call["name"] in _ENDS:
            said = call["arguments"].get("outcome") or call["arguments"].get("reason")
            return _left(dialogue, _ENDS[call["name"]], outcome=str(said or "")[:_LONGEST_OUTCOME])
        dialogue.used += 1
        if dialogue.used > MOST_CALLS:
            return _left(dialogue, "limit", f"The model called more than {MOST_CALLS} tools in one turn.")
        tool = agent.tools.get(call["name"])
        fault = call["fault"] or ("" if tool is not None else "There is no such tool.")
        if tool is not None and not fault:
            try:
                turn.do(call_tool(turn, block.uuid, tool, call["arguments"]))
                return Wait(Awaits.webhook, dialogue.memory())
            except Amiss as error:
                fault = str(error)
        turn.note(block, has_left=False, why=f"The tool {dialogue.called} was not called: {fault}")
        dialogue.tell({"error": fault})
    return _ask(turn, block, dialogue)


def _left(dialogue: Dialogue, ending: str, why: str = "", outcome: str = "") -> Leave:
    return Leave(ending, why=why, facts=_facts(dialogue, outcome))


def _failed(dialogue: Dialogue, why: str) -> Fail:
    return Fail(why, value="error", facts=_facts(dialogue, ""))


def _facts(dialogue: Dialogue, outcome: str) -> dict[str, Plain]:
    return {"outcome": outcome, "turns": dialogue.turns, "tokens": dialogue.tokens, "cost": round(dialogue.cost, 9)}


def _is_number(said: object) -> bool:
    return isinstance(said, int | float) and not isinstance(said, bool)


def _number(config: Json, key: str, usual: float) -> float:
    said: Any = config.get(key)
    return float(said) if _is_number(said) else usual


def _find_limit(config: Json, at: str, key: str, most: float, *, is_whole: bool) -> Iterator[Finding]:
    said: Any = config.get(key)
    if said is None:
        return
    if not _is_number(said) or (is_whole and not isinstance(said, int)) or not 0 < said <= most:
        what = "a whole number" if is_whole else "a number"
        yield Finding(f"{at}.{key}", f"Give {what} above 0, at most {most:g}.")
