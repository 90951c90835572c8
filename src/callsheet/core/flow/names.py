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

from callsheet.core.flow.session import Plain, Result, Session
from callsheet.core.instants import write_instant
from callsheet.core.placeholders import Headers
from callsheet.core.zones import zone_named

if TYPE_CHECKING:
    from callsheet.core.flow.document import Flow
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
        if header is not None and (header == headers.phone_number or header in self.columns):
            return self.number if header == headers.phone_number else self.columns[header]
        match name.casefold():
            case "phone" | "phonenumber" | "phone_number" | "active_urn" | "preferred_urn":
                return self.number
            case "properties":
                return Properties(self)
            case "groups":
                return [{"id": key, "name": said, VALUE: said} for key, said in self._groups.items()]
        return default


class Properties(Found):
    """The columns of a contact as objects: `contact.properties.city` and `contact.properties.city.value`."""

    __slots__ = ("_contact",)

    def __init__(self, contact: Contact) -> None:
        self._contact = contact

    def get(self, name: str, default: object = None) -> object:
        """Return what stands in a column."""
        found = self._contact.get(name)
        return {"value": found, VALUE: found} if isinstance(found, str) else default if found is None else found


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
            name = next((key for key in self._results if key.casefold() == wanted), "")
            found = self._results.get(name)
        return default if found is None else _result(name, found)


def language_of(contact: Mapping[str, str]) -> str:
    """Return the language of a contact, as its column `language` says it; empty: nobody knows."""
    header = _headers(tuple(contact)).find("language")
    return "" if header is None else contact.get(header, "")


def header_of(contact: Mapping[str, str], name: str) -> str:
    """Return the column of a contact that is called so, in any spelling; the name itself where there is none."""
    header = _headers(tuple(contact)).find(name)
    return name if header is None or header not in contact else header


def is_number(contact: Mapping[str, str], header: str) -> bool:
    """Tell whether a column is that of the phone number, of which a contact has one."""
    return header == _headers(tuple(contact)).phone_number


def zone_of(contact: Mapping[str, str]) -> str:
    """Return the zone of a contact, as its column `timeZone` says it; empty: nobody knows."""
    header = _headers(tuple(contact)).find("timeZone")
    return zone_named(contact.get(header, "")) or "" if header is not None else ""


@lru_cache(maxsize=64)
def _headers(headers: tuple[str, ...]) -> Headers:
    return Headers(headers)


class Names(Found):
    """The names that an expression can begin with, made when one is asked for: most expressions use one or two."""

    __slots__ = ("_facts", "_response", "_turn", "_value")

    def __init__(
        self, turn: MakingTurn, response: str | None, value: object, facts: Mapping[str, object] | None
    ) -> None:
        self._turn = turn
        self._response = response
        self._value = value
        self._facts = facts

    def get(self, name: str, default: object = None) -> object:  # noqa: PLR0911 (a return for each name)
        """Return what stands under a name."""
        turn = self._turn
        match name:
            case "contact" | "campaignUserInfo":
                return self._contact()
            case "block":
                return self._block()
            case "results":
                return Results(turn.frames[-1].results)
            case "call":
                return {"answered_by": turn.session.answered_by, VALUE: name}
            case "flow" | "parent" | "child":
                return self._run().get(name)
            case "run":
                return self._run()
            case "session":
                user = {"campaignUserInfo": self._contact()}
                return {"replies": turn.replies, "trigger": turn.session.trigger, "UserSession": user}
            case "context":
                user = {"campaignUserInfo": self._contact()}
                return {**user, "session": {**user, "UserSession": user}}
        return default

    def _contact(self) -> Contact:
        turn = self._turn
        return Contact(turn.contact, turn.session.number, turn.groups)

    def _run(self) -> Run:
        return Run(self._turn, len(self._turn.frames) - 1)

    def _block(self) -> Mapping[str, object]:
        entered_at = self._turn.frames[-1].entered_at
        said = {"response": self._response, "value": self._value, "entered_at": entered_at}
        return said if self._facts is None else {**said, **self._facts}


class Run(Found):
    """A flow that runs, and what was collected in it."""

    __slots__ = ("_depth", "_turn")

    def __init__(self, turn: MakingTurn, depth: int) -> None:
        self._turn = turn
        self._depth = depth

    def get(self, name: str, default: object = None) -> object:  # noqa: PLR0911 (a return for each name)
        """Return what stands under a name."""
        frame, session = self._turn.frames[self._depth], self._turn.session
        match name:
            case "results":
                return Results(frame.results)
            case "mode":
                return session.mode.value
            case "language":
                return _language(self._turn.container.flows[frame.flow], session.language)
            case "entered_at":
                return frame.began_at
            case "flow":
                return InFlow(self._turn.container.flows[frame.flow], session, frame.results)
            case "parent":
                return Run(self._turn, self._depth - 1) if self._depth else None
            case "child":
                ran, results = self._turn.container.flows.get(frame.child_flow), Results(frame.child)
                return {"results": results, "flow": None if ran is None else InFlow(ran, session, frame.child)}
        return default


class InFlow(Found):
    """The flow; drafts of the specification had the results in it: `flow.menu.value`."""

    __slots__ = ("_flow", "_results", "_session")

    def __init__(self, flow: Flow, session: Session, results: Mapping[str, Result]) -> None:
        self._flow = flow
        self._session = session
        self._results = Results(results)

    def get(self, name: str, default: object = None) -> object:
        """Return what stands under a name."""
        match name:
            case "id":
                return self._flow.uuid
            case "name" | "__value__":
                return self._flow.name
            case "mode":
                return self._session.mode.value
            case "language":
                return _language(self._flow, self._session.language)
        return self._results.get(name, default)


def _language(flow: Flow, spoken: str) -> Mapping[str, object]:
    """Return the language of a session, as the flow that runs describes it."""
    said = {"id": spoken, VALUE: spoken}
    for language in flow.languages:
        if language.id == spoken:
            return {**said, "iso_639_3": language.code, "bcp_47": language.tag, "label": language.label}
    return said


def _result(name: str, result: Result) -> Mapping[str, object]:
    return {
        "value": result.value,
        VALUE: result.value,
        "response": result.response,
        "block": {"id": result.block, "name": name, VALUE: name},
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
