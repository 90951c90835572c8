"""What the kinds of blocks ask of a document that is checked: resources, expressions, and what the flow is made for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from callsheet.core.fence import Fence
from callsheet.core.flow.amiss import BadExpression
from callsheet.core.flow.belongings import Belongings
from callsheet.core.flow.blocks.kind import Finding
from callsheet.core.flow.document import SHOWN_AS, Json, as_list, text_of
from callsheet.core.flow.expression.casting import MOST_TEXT
from callsheet.core.flow.expression.dividing import divides_by_zero
from callsheet.core.flow.expression.reading import expressions_in, read_expression, read_text
from callsheet.core.flow.session import Mode
from callsheet.core.flow.speaking import is_url
from callsheet.core.flow.wording import read_wording

DIVIDES: Final = "This divides by zero, whatever comes."
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ANY: Final = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """For which languages and modes a resource has something; an empty text stands for any."""

    pairs: frozenset[tuple[str, str]]

    def has(self, language: str, mode: Mode) -> bool:
        """Tell whether there is something for a language, empty: for any, in a mode."""
        modes = (*SHOWN_AS[mode], _ANY)
        if not language:
            return any(shown in modes for _, shown in self.pairs)
        return any((spoken, shown) in self.pairs for spoken in (language, _ANY) for shown in modes)


@dataclass(frozen=True, slots=True)
class DocumentLook:
    """A flow of a document that is checked."""

    resources: Mapping[str, Shown]
    flows: frozenset[str]
    modes: tuple[Mode, ...]
    """Those of ours that the flow says it is made for."""
    languages: tuple[str, ...]
    fence: Fence | None = None
    """What is called from here; None: nobody knows."""
    belongings: Belongings | None = None
    """What the app has; None: nobody knows."""

    def shut(self, url: str) -> str | None:
        """Say why a URL is not called from here; None: it is, or nobody knows."""
        return None if self.fence is None else self.fence.fault_of(url)

    def has_endpoint(self, name: str) -> bool:
        """Tell whether the app has such an AI endpoint, or nobody knows."""
        return self.belongings is None or self.belongings.has_endpoint(name)

    def has_queue(self, name: str) -> bool:
        """Tell whether the app has such a queue, or nobody knows."""
        return self.belongings is None or self.belongings.has_queue(name)

    def prompt(
        self, config: Json, key: str, at: str, *, required: bool = True, is_said: bool = True
    ) -> Iterator[Finding]:
        """Find what is wrong with a prompt."""
        said, path = config.get(key), f"{at}.{key}"
        if said is None or said == "":
            if required:
                yield Finding(path, "Give the text, or the uuid of a resource with it.")
        elif not isinstance(said, str):
            yield Finding(path, "Give a text, or the uuid of a resource.")
        elif said in self.resources:
            yield from self._lacking(said, path) if is_said else ()
        elif _UUID.fullmatch(said):
            yield Finding(path, f"There is no resource {said} in the document.")
        else:
            yield from find_in_wording(said, path)

    def expression(self, said: object, at: str) -> Iterator[Finding]:
        """Find what is wrong with an expression; what is no text stands for itself."""
        if not isinstance(said, str):
            return
        try:
            read_expression(said)
        except BadExpression as error:
            yield Finding(at, str(error))
        else:
            if divides_by_zero(said):
                yield Finding(at, DIVIDES)

    def text(self, said: object, at: str) -> Iterator[Finding]:
        """Find what is wrong with a text that has expressions in it."""
        if not isinstance(said, str):
            return
        if len(said) > MOST_TEXT:
            yield Finding(at, _too_long(said))
            return
        try:
            read_text(said)
        except BadExpression as error:
            yield Finding(at, str(error))
        else:
            yield from _dividing(said, at)

    def has_flow(self, uuid: str) -> bool:
        """Tell whether the document has such a flow."""
        return uuid in self.flows

    def has_mode(self, mode: Mode) -> bool:
        """Tell whether the flow is made for a mode."""
        return mode in self.modes

    def _lacking(self, uuid: str, path: str) -> Iterator[Finding]:
        """Find what a resource has nothing for."""
        shown = self.resources[uuid]
        texts = {SHOWN_AS[mode][0] if mode is Mode.ivr else "SMS": mode for mode in self.modes}
        for name, mode in texts.items():
            if not shown.has("", mode):
                yield Finding(path, f"The resource {uuid} has nothing for the mode {name}.")
                continue
            for language in self.languages:
                if not shown.has(language, mode):
                    what = f"The resource {uuid} has nothing in the language {language[:40]} for the mode {name}."
                    yield Finding(path, what)


def find_in_wording(said: str, at: str) -> Iterator[Finding]:
    """Find what is wrong with what a prompt says."""
    if len(said) > MOST_TEXT:
        yield Finding(at, _too_long(said))
        return
    try:
        read_wording(said)
    except BadExpression as error:
        yield Finding(at, str(error))
    else:
        yield from _dividing(said, at)


def find_in_resources(
    holder: Json, at: str, shown: dict[str, Shown], belongings: Belongings | None = None
) -> Iterator[Finding]:
    """Note for what each resource of a container or a flow has something, and find what is wrong with one."""
    listed = holder.get("resources")
    if isinstance(listed, Mapping):
        for uuid, item in listed.items():
            if isinstance(item, Mapping):
                yield from _find_in_resource(uuid, item, f"{at}.resources.{uuid[:80]}", shown, belongings)
        return
    if listed is not None and not isinstance(listed, list):
        yield Finding(f"{at}.resources", "Give a list of resources.")
    for number, item in enumerate(as_list(listed)):
        path = f"{at}.resources[{number}]"
        if not isinstance(item, Mapping):
            yield Finding(path, "A resource is an object with uuid and values.")
            continue
        uuid = text_of(item, "uuid")
        if not uuid:
            yield Finding(f"{path}.uuid", "Give the resource a uuid, by which blocks name it.")
        elif uuid in shown:
            yield Finding(f"{path}.uuid", f"Another resource has the uuid {uuid[:80]} already; give each its own.")
        yield from _find_in_resource(uuid, item, path, shown, belongings)


def _find_in_resource(
    uuid: str, item: Json, at: str, shown: dict[str, Shown], belongings: Belongings | None
) -> Iterator[Finding]:
    pairs: set[tuple[str, str]] = set()
    for number, value in enumerate(as_list(item.get("values"))):
        path = f"{at}.values[{number}]"
        said = value.get("value") if isinstance(value, Mapping) else None
        if not isinstance(value, Mapping) or not isinstance(said, str):
            yield Finding(f"{path}.value", "Give the text, or the name of the recording.")
            continue
        kind = text_of(value, "content_type", "TEXT").upper()
        is_text = kind == "TEXT"
        if is_text:
            yield from find_in_wording(said, f"{path}.value")
        elif kind == "AUDIO" and said:
            yield from _find_in_audio(said, f"{path}.value", belongings)
        if said:
            pairs |= {(text_of(value, "language_id"), mode) for mode in _modes(value) if is_text or mode == "IVR"}
    shown[uuid] = Shown(frozenset(pairs))


def _find_in_audio(said: str, at: str, belongings: Belongings | None) -> Iterator[Finding]:
    """Find what is wrong with the name of a recording."""
    if is_url(said):
        what = "A recording at a URL is not played: upload it as a sound, and give the name of that."
        yield Finding(at, what, is_warning=True)
    elif belongings is not None and not belongings.has_sound(said):
        yield Finding(at, f"The app has no sound {said[:128]}: upload it before a call plays it.", is_warning=True)


def _modes(value: Json) -> Sequence[str]:
    modes = [str(mode).upper() for mode in as_list(value.get("modes"))]
    return modes or [_ANY]


def _too_long(said: str) -> str:
    return f"A text has at most {MOST_TEXT:,} characters; this one has {len(said):,}."


def _dividing(said: str, at: str) -> Iterator[Finding]:
    if "@" in said and any(divides_by_zero(expression) for expression in expressions_in(said)):
        yield Finding(at, DIVIDES)
