"""What a flow says in calls: in which language, and what it says to everybody in the same words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Final

from callsheet.core.flow.document import Container, Content, Flow, Language, Resource
from callsheet.core.flow.effects import Say
from callsheet.core.flow.expression.scope import Scope
from callsheet.core.flow.session import Mode

_SILENT: Final = frozenset({"Core.Log"})
"""Kinds whose texts nobody hears."""
_UNSAID: Final = frozenset({"system_prompt"})
"""Nor these: they are for the model."""
_NOBODY: Final = Scope({}, datetime(1970, 1, 1, tzinfo=UTC))
"""A plain text looks at nothing."""


def language_named(container: Container, language_id: str) -> str:
    """Return how speech knows the language of a session: by its tag or its code, which its id need not be.

    Empty: the flow does not say.
    """
    flows = container.flows
    for flow in (flows[container.first], *flows.values()):
        for language in flow.languages:
            if language.id == language_id:
                return _name_of(language)
    return language_id


def constant_prompts(container: Container) -> Iterator[tuple[Say, str]]:
    """Yield what the flows say in calls in the same words to everybody, each once, with the name of its language."""
    seen: set[tuple[str, str, str]] = set()
    for flow in container.flows.values():
        for language in _languages_of(flow):
            for block in flow.blocks.values():
                for prompt in _prompts_in(block.config) if block.kind not in _SILENT else ():
                    content = prompt.spoken(language.id, Mode.ivr)
                    if content is None or (said := _said(content)) is None:
                        continue
                    name = _name_of(language)
                    if (name, said, content.audio) not in seen:
                        seen.add((name, said, content.audio))
                        yield Say(block.uuid, said, content.audio), name


def sounds_named(container: Container) -> frozenset[str]:
    """Return the recordings that resources of a document name, as they are written."""
    contents = (content for resource in container.resources.values() for content in resource.contents)
    return frozenset(content.audio for content in contents if content.audio)


def languages_said(container: Container) -> frozenset[str]:
    """Return the names of all languages of a document, as speech knows them."""
    return frozenset(_name_of(one) for flow in container.flows.values() for one in _languages_of(flow))


def unsaid_in_calls(container: Container) -> Iterator[tuple[str, str]]:
    """Yield the names of blocks with a prompt that has nothing for a call, each with the name of the language."""
    for flow in container.flows.values():
        for language in _languages_of(flow):
            for block in flow.blocks.values():
                prompts = _prompts_in(block.config) if block.kind not in _SILENT else ()
                if any(prompt.spoken(language.id, Mode.ivr) is None for prompt in prompts):
                    yield block.name or block.uuid, _name_of(language)


def is_url(audio: str) -> bool:
    """Tell whether a recording is named by where it lies, and not by its name."""
    return "://" in audio


def _languages_of(flow: Flow) -> Sequence[Language]:
    return flow.languages or (Language("", "", ""),)


def _name_of(language: Language) -> str:
    return language.tag or language.code or language.id


def _said(content: Content) -> str | None:
    """Return a text that is the same for everybody; None: it is another one for each."""
    if content.text is None:
        return ""
    return content.text(_NOBODY) if content.text.is_plain else None


def _prompts_in(config: object) -> Iterator[Resource]:
    """Find the prompts in what a kind made of a block's config."""
    match config:
        case Resource():
            yield config
        case Mapping():
            for each in config.values():
                yield from _prompts_in(each)
        case tuple() | list():
            for each in config:
                yield from _prompts_in(each)
        case _ if is_dataclass(config):
            for one in fields(config):
                if one.name not in _UNSAID:
                    yield from _prompts_in(getattr(config, one.name))
