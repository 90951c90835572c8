"""What stands in a document and is passed over: keys that nobody knows, and values that mean nothing here.

The keys are those of the Flow Specification (FLOIP, 1.0.0-rc1 to rc4) and of its drafts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from itertools import islice
from typing import Final

from callsheet.core.flow.blocks.kind import Finding
from callsheet.core.flow.document import Json, as_list, text_of
from callsheet.core.flow.looking import Shown
from callsheet.core.flow.session import Mode

MOST_ODD_KEYS: Final = 100
"""Of so many keys at most it is told that nobody knows them: what they are like takes time to find."""

_ANY_PART: Final = ("uuid", "name", "label", "description", "tags", "created_at", "last_modified", "updated_at")
_OF_CONTAINER: Final = frozenset({*_ANY_PART, "specification_version", "version", "flows", "resources"})
_OF_FLOW: Final = frozenset(
    {
        *_ANY_PART,
        *("interaction_timeout", "supported_modes", "languages", "blocks", "first_block_id", "exit_block_id"),
        *("resources", "specification_version", "version"),
    }
)
_OF_BLOCK: Final = frozenset({*_ANY_PART, "semantic_label", "type", "config", "exits"})
_OF_EXIT: Final = frozenset({*_ANY_PART, "tag", "semantic_label", "destination_block", "test", "default", "config"})
_METADATA: Final = "_metadata"
"""What ends so (`vendor_metadata`, `ui_metadata`, `platform_metadata`) is for whoever wrote it."""
_MODES: Final = frozenset({"TEXT", "SMS", "USSD", "IVR", "RICH_MESSAGING", "OFFLINE"})
_LONGEST_KEY: Final = 40


def find_odd_keys(document: Json, flows: Iterable[tuple[Json, str]]) -> Iterator[Finding]:
    """Find keys of a container, of its flows, of their blocks and of their exits that nobody reads: the first ones."""
    yield from islice(_find_odd_keys(document, flows), MOST_ODD_KEYS)


def _find_odd_keys(document: Json, flows: Iterable[tuple[Json, str]]) -> Iterator[Finding]:
    if "flows" in document:
        yield from _odd(document, "document", _OF_CONTAINER, "a container")
    for flow, at in flows:
        yield from _odd(flow, at, _OF_FLOW, "a flow")
        for number, block in enumerate(as_list(flow.get("blocks"))):
            if not isinstance(block, Mapping):
                continue
            path = f"{at}.blocks[{number}]"
            yield from _odd(block, path, _OF_BLOCK, "a block")
            for place, way in enumerate(as_list(block.get("exits"))):
                if isinstance(way, Mapping):
                    yield from _odd(way, f"{path}.exits[{place}]", _OF_EXIT, "an exit")


def find_odd_values(flow: Json, at: str, shown: Mapping[str, Shown]) -> Iterator[Finding]:
    """Find modes and languages of a flow, and defaults of its exits, that mean nothing here."""
    yield from _find_modes(flow, f"{at}.supported_modes")
    yield from _find_languages(flow, f"{at}.languages", shown)
    for number, block in enumerate(as_list(flow.get("blocks"))):
        for place, way in enumerate(as_list(block.get("exits")) if isinstance(block, Mapping) else ()):
            if isinstance(way, Mapping) and not isinstance(way.get("default"), bool | None):
                what = "Say true or false: this exit is not the default one."
                yield Finding(f"{at}.blocks[{number}].exits[{place}].default", what, is_warning=True)


def _odd(part: Json, at: str, known: frozenset[str], what: str) -> Iterator[Finding]:
    for key in part:
        if key not in known and not key.endswith(_METADATA):
            near = get_close_matches(key, known, 1) if len(key) <= _LONGEST_KEY else []
            hint = f" The nearest is {near[0]}." if near else ""
            yield Finding(
                f"{at}.{key[:80]}", f"No key of {what} has this name: it is passed over.{hint}", is_warning=True
            )


def _find_modes(flow: Json, at: str) -> Iterator[Finding]:
    said = flow.get("supported_modes")
    if said is not None and not isinstance(said, list):
        yield Finding(at, "Give a list of modes. The flow is sent as text messages.", is_warning=True)
        return
    modes = [str(mode).upper() for mode in as_list(said)]
    for number, mode in enumerate(modes):
        if mode not in _MODES:
            what = f"There is no mode {mode[:_LONGEST_KEY]}; there are {', '.join(sorted(_MODES))}."
            yield Finding(f"{at}[{number}]", what, is_warning=True)
    if modes and not {mode.value for mode in Mode} & set(modes):
        what = f"None of {', '.join(mode.value for mode in Mode)} is among them: the flow is sent as text messages."
        yield Finding(at, what, is_warning=True)


def _find_languages(flow: Json, at: str, shown: Mapping[str, Shown]) -> Iterator[Finding]:
    said = flow.get("languages")
    if said is None:
        return
    if not isinstance(said, list):
        yield Finding(at, "Give a list of languages.", is_warning=True)
        return
    for number, each in enumerate(said):
        has_name = isinstance(each, Mapping) and (text_of(each, "id") or text_of(each, "iso_639_3"))
        if not has_name and not (isinstance(each, str) and each):
            what = "Give the id of the language, by which the values of resources name it."
            yield Finding(f"{at}[{number}]", what, is_warning=True)
    spoken = sorted({language for one in shown.values() for language, _ in one.pairs if language})
    if not said and spoken:
        named = ", ".join(each[:_LONGEST_KEY] for each in spoken[:10])
        what = f"Resources speak {named}: name these languages, so that each contact gets its own."
        yield Finding(at, what, is_warning=True)
