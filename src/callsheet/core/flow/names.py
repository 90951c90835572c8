"""The names that expressions can use: `contact`, `results`, `block`, `flow`, `run` and so on (FLOIP, "Context").

The contact's columns are found however they are spelled, and stand under `campaignUserInfo` too, as in the compatible
system: `campaignUserInfo.firstName`, `context.session.UserSession.campaignUserInfo.firstName`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from callsheet.core.flow.expression.scope import Scope
from callsheet.core.flow.session import Frame, Plain, Result
from callsheet.core.instants import write_instant
from callsheet.core.placeholders import Headers

if TYPE_CHECKING:
    from callsheet.core.flow.turn import MakingTurn

VALUE = "__value__"
"""What an object is where a value is wanted."""


class Found(Mapping[str, object]):
    """Names that are looked up when somebody asks for them."""

    def __getitem__(self, name: str) -> object:
        found = self.get(name, self)
        if found is self:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class Contact(Found):
    """The contact: its number, its groups, and its columns."""

    __slots__ = ("_groups", "columns", "number")

    def __init__(self, columns: Mapping[str, str], number: str, groups: Mapping[str, str]) -> None:
        self.columns = columns
        self.number = number
        self._groups = groups

    def get(self, name: str, default: object = None) -> object:
        """Return what stands under a name; the contact itself is its name, else its number."""
        if name == VALUE:
            return self.get("name") or self.number
        headers = _headers(tuple(self.columns))
        header = headers.find(name)
        if header is not None and header == headers.phone_number:
            return self.number
        if header is not None and header in self.columns:
            return self.columns[header]
        match name.casefold():
            case "phone" | "phonenumber" | "phone_number" | "active_urn" | "preferred_urn":
                return self.number
            case "properties":
                return self
            case "groups":
                return [{"id": key, "name": said, VALUE: said} for key, said in self._groups.items()]
        return default


class Results(Found):
    """What blocks collected, by their names."""

    __slots__ = ("_results",)

    def __init__(self, results: Mapping[str, Result]) -> None:
        self._results = results

    def get(self, name: str, default: object = None) -> object:
        """Return what a block collected, in whatever case its name is written."""
        found = self._results.get(name)
        if found is None:
            wanted = name.casefold()
            found = next((each for key, each in self._results.items() if key.casefold() == wanted), None)
        return default if found is None else _result(found)


@lru_cache(maxsize=64)
def _headers(headers: tuple[str, ...]) -> Headers:
    return Headers(headers)


def scope_of(turn: MakingTurn, response: str | None, value: object, facts: Mapping[str, object] | None) -> Scope:
    """Return what an expression can see in a step."""
    session, frames = turn.session, turn.frames
    frame = frames[-1]
    contact = Contact(turn.contact, session.number, turn.groups)
    block: dict[str, object] = {"response": response, "value": value, "entered_at": frame.entered_at}
    if facts is not None:
        block |= facts
    run = _run(turn, frame)
    parent = _run(turn, frames[-2]) if len(frames) > 1 else None
    if parent is not None and len(frames) > 2:
        parent["parent"] = _run(turn, frames[-3])
    child = {"results": Results(frame.child)}
    run |= {"parent": parent, "child": child}
    user = {"campaignUserInfo": contact}
    names: dict[str, object] = {
        "contact": contact,
        "campaignUserInfo": contact,
        "context": {**user, "session": {**user, "UserSession": user}},
        "run": run,
        "flow": run["flow"],
        "parent": parent,
        "child": child,
        "results": run["results"],
        "block": block,
        "session": {"replies": turn.replies, "trigger": session.trigger, "UserSession": user},
    }
    return Scope(names, turn.at)


def _run(turn: MakingTurn, frame: Frame) -> dict[str, object]:
    session, flow = turn.session, turn.container.flows[frame.flow]
    return {
        "results": Results(frame.results),
        "mode": session.mode.value,
        "language": session.language,
        "entered_at": frame.began_at,
        "flow": {
            "id": flow.uuid, "name": flow.name, VALUE: flow.name, "mode": session.mode.value,
            "language": session.language,
        },
    }  # fmt: skip


def _result(result: Result) -> Mapping[str, object]:
    return {
        "value": result.value,
        VALUE: result.value,
        "response": result.response,
        "exit": {"name": result.exit, VALUE: result.exit},
        "entered_at": result.entered_at,
        "exited_at": result.exited_at,
        **result.facts,
    }


def plain(value: object) -> Plain:  # noqa: PLR0911 (a return for each type)
    """Return a value as JSON can say it."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case datetime():
            return write_instant(value)
        case date() | time():
            return value.isoformat()
        case Mapping():
            return {str(name): plain(each) for name, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
    return str(value)
