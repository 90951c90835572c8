"""The choices of a question: how they are shown, and which of them a reply means."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from callsheet.core.flow.amiss import Amiss
from callsheet.core.flow.blocks.keys import Keys, read_keys
from callsheet.core.flow.blocks.kind import Finding, Look, Turn
from callsheet.core.flow.document import Content, Json, Reader, Resource, as_list, of_calls, part_of, text_of
from callsheet.core.flow.expression.scope import Expression, Scope, Text
from callsheet.core.flow.expression.truth import is_truthy
from callsheet.core.flow.session import Mode

LONGEST_MEANT: Final = 500
"""A reply of more characters is no choice's name."""
MARKS: Final = "PSZC"
"""The first letters of Unicode's categories of what may stand around a word: marks, symbols, blanks, controls."""
_VARIANT: Final = "\ufe0f"  # an emoji with it and without it is the same


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the answers."""

    number: int
    """Its number in the list, from 1."""
    name: str
    test: Expression | None
    """None: it is meant by its name, its prompt's text, or its number."""
    prompt: Resource | None
    test_in_calls: Expression | None
    """The one of calls: the same, where the document has none of its own for them."""

    def test_by(self, mode: Mode) -> Expression | None:
        """Return the test that counts in a mode."""
        return self.test_in_calls if mode is Mode.ivr else self.test


@dataclass(frozen=True, slots=True)
class Numbered:
    """A text with the number of its choice before it: `1. Chocolate`."""

    number: int
    text: Text

    @property
    def is_plain(self) -> bool:
        """Return whether there is no expression in it."""
        return self.text.is_plain

    def __call__(self, scope: Scope) -> str:
        """Return the text as it is said. Raises Amiss."""
        return f"{self.number}. {self.text(scope)}"


@dataclass(frozen=True, slots=True)
class Choices:
    """A question, and what can be answered."""

    prompt: Resource | None
    """Question and choices in one."""
    question: Resource | None
    """The question alone."""
    choices: tuple[Choice, ...]
    listed: tuple[Resource, ...]
    """The choices as a list: each with its number."""
    spoken: tuple[Resource, ...]
    """The choices for a call: each with what to press, where the document says it."""
    keys: Keys
    """What is pressed in a call to name one."""

    def prompts(self, mode: Mode, language: str) -> tuple[Resource, ...]:
        """Return what is said: in a call the question and its choices one by one, where there is a question alone.

        A text is the prompt as it stands; the question and a numbered list only where there is no prompt for it.
        """
        if self.question is not None and mode is Mode.ivr:
            return self.question, *self.spoken
        if self.prompt is not None and (self.question is None or self.prompt.spoken(language, mode) is not None):
            return (self.prompt,)
        return () if self.question is None else (self.question, *self.listed)

    def chosen(self, turn: Turn, said: str) -> Iterator[Choice]:
        """Yield the choices that a reply means. Raises Amiss where a test cannot be made."""
        scope: Scope | None = None
        meant = self._meant(turn, said)
        for choice in self.choices:
            test = choice.test_by(turn.mode)
            if test is not None:
                scope = scope or turn.scope(response=said.strip())
                if is_truthy(test(scope)):
                    yield choice
            elif choice is meant:
                yield choice

    def _meant(self, turn: Turn, said: str) -> Choice | None:
        """Return the choice without a test that a reply names; a name goes before a number."""
        bare = essence(said)
        if not bare:
            return None
        open_ones = [choice for choice in self.choices if choice.test_by(turn.mode) is None]
        for choice in open_ones:
            if _known_essence(choice.name) == bare:
                return choice
        for choice in open_ones:
            if choice.prompt is not None:
                with suppress(Amiss):  # it has no text in this language and mode
                    if _known_essence(turn.text(choice.prompt, response=said)) == bare:
                        return choice
        number = whole(bare)
        return next((choice for choice in open_ones if choice.number == number), None)


def essence(said: str) -> str:
    """Return what two ways of writing a reply have in common: no case, and no marks or blanks around it."""
    if len(said) > LONGEST_MEANT:
        return ""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", said).casefold()).replace(_VARIANT, "")
    start, end = 0, len(plain)
    while start < end and _is_mark(plain[start]):
        start += 1
    while end > start and _is_mark(plain[end - 1]):
        end -= 1
    return " ".join((plain[start:end] or plain).split())


_known_essence = lru_cache(4096)(essence)
"""For what documents say: it is the same for every reply."""


def whole(said: str) -> int | None:
    """Return the whole number that a text is, in the digits of any script; None: it is none."""
    return int(said) if said.isdecimal() and len(said) < len(str(LONGEST_MEANT)) + 1 else None


def _is_mark(char: str) -> bool:
    return unicodedata.category(char)[0] in MARKS


def read_choices(config: Json, reader: Reader) -> Choices:
    """Return prompts and choices. Raises BadExpression."""
    choices = tuple(
        Choice(
            number,
            text_of(choice, "name"),
            _expression(choice.get("test"), reader),
            reader.resource(choice.get("prompt")),
            _expression(_test_in_calls(choice), reader),
        )
        for number, (_, choice) in enumerate(_each(config), 1)
    )
    digits = [reader.resource(said) for said in _digit_prompts(config)]
    prompts = [(choice.number, choice.prompt or Resource("", (_named(choice.name),))) for choice in choices]
    listed = tuple(_numbered(number, prompt) for number, prompt in prompts)
    spoken: list[Resource] = []
    for number, prompt in prompts:
        pressed = digits[number - 1] if number <= len(digits) else None
        spoken += (_numbered(number, prompt),) if pressed is None else (prompt, pressed)
    return Choices(
        reader.resource(config.get("prompt")),
        reader.resource(config.get("question_prompt")),
        choices,
        listed,
        tuple(spoken),
        read_keys([_test_in_calls(choice) for _, choice in _each(config)]),
    )


def _expression(said: object, reader: Reader) -> Expression | None:
    return None if said in (None, "") else reader.expression(said)


def _test_in_calls(choice: Json) -> object:
    return part_of(choice, "ivr_test").get("test_expression") or choice.get("test")


def find_choices(config: Json, at: str, look: Look) -> Iterator[Finding]:
    """Find what is wrong with prompts and choices."""
    has_question = bool(config.get("question_prompt"))
    if has_question:
        yield from look.prompt(config, "question_prompt", at)
        yield from _find_digit_prompts(config, at, look)
    if config.get("prompt") or not has_question:
        yield from look.prompt(config, "prompt", at)
    if not isinstance(config.get("choices"), list | Mapping) or not config["choices"]:
        yield Finding(f"{at}.choices", "Give a list with at least one choice.")
        return
    names: set[str] = set()
    for place, choice in _each(config):
        path = f"{at}.choices{place}"
        name = text_of(choice, "name").strip()
        if not name:
            yield Finding(f"{path}.name", "Give the choice a name: it is what is written down.")
        elif name in names:
            yield Finding(f"{path}.name", f"Another choice is called {name[:80]} already.", is_warning=True)
        names.add(name)
        if choice.get("test") not in (None, ""):
            yield from look.expression(choice["test"], f"{path}.test")
        of_call = part_of(choice, "ivr_test").get("test_expression")
        if of_call not in (None, ""):
            yield from look.expression(of_call, f"{path}.ivr_test.test_expression")
        if choice.get("prompt") is not None:
            yield from look.prompt(choice, "prompt", path, required=False, is_said=has_question)


def _find_digit_prompts(config: Json, at: str, look: Look) -> Iterator[Finding]:
    """Find what is wrong with what a call says of the keys."""
    if not look.has_mode(Mode.ivr):
        return
    said = _digit_prompts(config)
    if said and len(said) != len(list(_each(config))):
        yield Finding(f"{at}.digit_prompts", "Give as many digit_prompts as there are choices.")
    for number, each in enumerate(said):
        where = f"digit_prompts[{number}]"
        yield from look.prompt({where: each}, where, at)


def _each(config: Json) -> Iterator[tuple[str, Json]]:
    """Yield the choices, each with its place; drafts of the specification had resources by the names of choices."""
    said = config.get("choices")
    if isinstance(said, Mapping):
        for name, prompt in said.items():
            yield f".{name}", {"name": name, "prompt": prompt}
    for number, choice in enumerate(as_list(said)):
        yield f"[{number}]", choice if isinstance(choice, Mapping) else {}


def _digit_prompts(config: Json) -> Sequence[object]:
    """Return what a call says of each key; it stands in the config, or in its part for calls."""
    return as_list(config.get("digit_prompts")) or as_list(of_calls(config).get("digit_prompts"))


def _numbered(number: int, prompt: Resource) -> Resource:
    contents = (
        content if content.text is None else replace(content, text=Numbered(number, content.text))
        for content in prompt.contents
    )
    return replace(prompt, contents=tuple(contents))


def _named(name: str) -> Content:
    return Content("", frozenset(), _Name(name))


@dataclass(frozen=True, slots=True)
class _Name:
    """The name of a choice that has no prompt."""

    name: str
    is_plain: bool = True

    def __call__(self, scope: Scope) -> str:  # noqa: ARG002 (as every text)
        return self.name
