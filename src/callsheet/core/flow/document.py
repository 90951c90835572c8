"""What a flow's document says: containers, flows, blocks, exits and resources, with their expressions compiled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from callsheet.core.flow.expression.reading import read_expression, read_text
from callsheet.core.flow.expression.scope import Expression, Text
from callsheet.core.flow.session import Mode
from callsheet.core.flow.wording import read_wording

Json = Mapping[str, object]

SHOWN_AS: Final[Mapping[Mode, tuple[str, ...]]] = MappingProxyType(
    {Mode.sms: ("SMS", "TEXT"), Mode.text: ("TEXT", "SMS"), Mode.ivr: ("IVR",)}
)
"""The modes of a resource that suit a session's mode, the more exact one first."""
LONGEST_TIMEOUT_SECONDS: Final = 366 * 24 * 3600
LONGEST_NUMBER: Final = 32
MOST_DEPTH: Final = 100
"""So many lists and objects stand in each other in a document, at most: deeper ones break what goes through them."""
TOO_DEEP: Final = f"At most {MOST_DEPTH} lists and objects stand in each other."
MOST: Final = 10**15
"""No number of a document is greater."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a resource says in one language."""

    language: str
    """Empty: in any."""
    modes: frozenset[str]
    """Empty: in any."""
    text: Text | None
    """None: it is no text."""
    audio: str = ""
    """The name, or the URL, of a recording."""
    source: str = ""
    """The text as the document writes it."""

    def suits(self, shown: str) -> bool:
        """Tell whether it can be said in a mode, such as `SMS`: a recording only in a call."""
        return (not self.modes or shown in self.modes) and (self.text is not None or shown == Mode.ivr.value)


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that can be said, in several languages and modes."""

    uuid: str
    contents: tuple[Content, ...]

    def spoken(self, language: str, mode: Mode) -> Content | None:
        """Return what suits a language, empty: any, and a mode best; None: nothing does.

        Only a call can say what is no text.
        """
        for wanted in (language, "") if language else (None,):
            for shown in SHOWN_AS[mode]:
                for content in self.contents:
                    if wanted in (None, content.language) and content.suits(shown):
                        return content
        return None


@dataclass(frozen=True, slots=True)
class Exit:
    """A way out of a block."""

    uuid: str
    name: str
    to: str | None
    """The uuid of the block that it leads to; None: the flow ends here."""
    test: Expression | None
    is_default: bool


@dataclass(frozen=True, slots=True)
class Setting:
    """A column of the contact that is written when a block is left."""

    name: str
    value: Text


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a flow."""

    uuid: str
    name: str
    label: str
    kind: str
    """Its type, such as `MobilePrimitives.Message`."""
    config: Any
    """What its kind made of the `config`."""
    exits: tuple[Exit, ...]
    default: Exit | None
    sets: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class Language:
    """A language that a flow can speak."""

    id: str
    code: str
    """ISO 639-3; empty where the document does not say."""
    label: str
    tag: str = ""
    """BCP 47, such as `mr-IN`; empty where the document does not say."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One flow."""

    uuid: str
    name: str
    label: str
    timeout_seconds: int
    """After so long without a reply what it waited for has not come; 0: it does not say."""
    modes: tuple[str, ...]
    languages: tuple[Language, ...]
    blocks: Mapping[str, Block]
    """By uuid, in the order of the document."""
    first: str
    exit_block: str | None

    @property
    def is_for_calls_only(self) -> bool:
        """Tell whether its modes say that it cannot be sent; one that names none of ours is."""
        return Mode.ivr.value in self.modes and not {Mode.sms.value, Mode.text.value} & set(self.modes)

    @property
    def is_for_texts_only(self) -> bool:
        """Tell whether its modes say that it cannot lead a call; one that names none of ours can."""
        return Mode.ivr.value not in self.modes and bool({Mode.sms.value, Mode.text.value} & set(self.modes))


@dataclass(frozen=True, slots=True)
class Container:
    """A document: flows that may run each other."""

    uuid: str
    name: str
    flows: Mapping[str, Flow]
    """By uuid, in the order of the document."""
    first: str
    """The uuid of the flow that begins."""
    resources: Mapping[str, Resource]


def is_too_deep(document: object) -> bool:
    """Tell whether more than MOST_DEPTH lists and objects stand in each other, however many do."""
    level = [document]
    for _ in range(MOST_DEPTH):
        holders = [each for each in level if isinstance(each, Mapping | list)]
        if not holders:
            return False
        level = [each for one in holders for each in (one.values() if isinstance(one, Mapping) else one)]
    return any(isinstance(each, Mapping | list) for each in level)


class Reader:
    """Reads the parts of a block's `config`."""

    def __init__(self, resources: Mapping[str, Resource]) -> None:
        self.resources = resources

    def resource(self, said: object) -> Resource | None:
        """Return the resource of a uuid; a text that is none is a resource with only that text. None: nothing."""
        if not isinstance(said, str) or not said:
            return None
        return self.resources.get(said) or Resource("", (Content("", frozenset(), read_wording(said), source=said),))

    def expression(self, said: object) -> Expression:
        """Return an expression; a value that is no text stands for itself. Raises BadExpression."""
        if isinstance(said, str):
            return read_expression(said)
        constant: Any = said
        return lambda _: constant

    def text(self, said: object) -> Text:
        """Return a text with expressions in it. Raises BadExpression."""
        return read_text(said if isinstance(said, str) else "" if said is None else str(said))


def kind_of(block: Json) -> str:
    """Return the type of a block; drafts of the specification wrote the namespace with a backslash."""
    return text_of(block, "type").replace("\\", ".")


def text_of(holder: Json, key: str, otherwise: str = "") -> str:
    """Return a text of an object; something else where it has none."""
    found = holder.get(key)
    return found if isinstance(found, str) else otherwise


def part_of(holder: Json, key: str) -> Json:
    """Return an object of an object; an empty one where there is none."""
    found = holder.get(key)
    return found if isinstance(found, Mapping) else {}


def of_calls(config: Json) -> Json:
    """Return the part of a config that is for calls: `IVR`, or `ivr` as the builder of the specification writes it."""
    return part_of(config, "IVR") or part_of(config, "ivr")


def number_of(value: object) -> float | None:
    """Return a number, also one that is written as a text; None: it is none that is finite."""
    if isinstance(value, str) and len(value) <= LONGEST_NUMBER:
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MOST:
        return None
    return value


def timeout_of(said: object) -> int:
    """Return the seconds of an `interaction_timeout`; 0: it is none."""
    is_whole = isinstance(said, int) and not isinstance(said, bool)
    return said if isinstance(said, int) and is_whole and 0 < said <= LONGEST_TIMEOUT_SECONDS else 0


def settings_of(config: Json) -> list[Json]:
    """Return the columns that a block sets; drafts of the specification had one, not always in a list."""
    said = config.get("set_contact_property")
    if isinstance(said, Mapping):
        return [said]
    return objects(said) or ([config] if "property_key" in config else [])


def as_list(value: object) -> Sequence[object]:
    """Return a list; an empty one where there is none."""
    return value if isinstance(value, list) else []


def objects(listed: object) -> list[Json]:
    """Return the objects of a list."""
    return [item for item in as_list(listed) if isinstance(item, Mapping)]
