"""What a kind of block is, and what it can answer when it is come to, or given something: a closed family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeAlias

from callsheet.core.flow.document import Block, Flow, Json, Reader, Resource
from callsheet.core.flow.effects import Effect
from callsheet.core.flow.expression.scope import Scope
from callsheet.core.flow.given import Given
from callsheet.core.flow.session import Awaits, Ending, Frame, Mode, Plain, Session


class Leave(NamedTuple):
    """Leave the block: by the first exit without a test, or whose test holds; else by the default one."""

    value: Plain = None
    response: str | None = None
    is_question: bool = False
    """The value is kept as a result, under the block's name."""
    why: str = ""
    facts: Mapping[str, Plain] | None = None
    """What else the tests of exits see of `block`. With them the value is kept too, although it was no question."""


class Fail(NamedTuple):
    """Leave the block by its default exit: the reply was none that it takes, or something was amiss."""

    why: str
    response: str | None = None
    is_question: bool = False
    value: Plain = None
    """What came all the same; it is kept where there are facts."""
    facts: Mapping[str, Plain] | None = None
    """What else is kept under the block's name."""


class Wait(NamedTuple):
    """Stay in the block until something is given."""

    awaits: Awaits
    memory: Plain = None
    value: Plain = None
    """What the visit says meanwhile."""


class RunFlow(NamedTuple):
    """Run another flow, and leave the block when it has ended."""

    flow: str


class End(NamedTuple):
    """End the session."""

    ending: Ending
    why: str = ""


Outcome: TypeAlias = Leave | Fail | Wait | RunFlow | End


class Turn(Protocol):
    """A step in the making, as a block sees it."""

    @property
    def at(self) -> datetime:
        """Return the instant of the step."""

    @property
    def mode(self) -> Mode:
        """Return by what the flow speaks."""

    @property
    def session(self) -> Session:
        """Return the session as it was before the step."""

    @property
    def contact(self) -> Mapping[str, str]:
        """Return the columns of the contact, as they stand now."""

    @property
    def written(self) -> Sequence[str]:
        """Return the columns of the contact that the flow set so far."""

    @property
    def replies(self) -> int:
        """Return how many replies the session took, with that of the step."""

    @property
    def frame(self) -> Frame:
        """Return the flow that runs, as it stands now."""

    def scope(self, *, response: str | None = None, value: object = None, facts: Json | None = None) -> Scope:
        """Return what an expression of this block can see; `facts` are further fields of `block`."""

    def do(self, effect: Effect) -> None:
        """Let an effect follow from the step."""

    def say(
        self, *prompts: Resource | None, most_digits: int = 0, listens_seconds: int = 0, ends_with: str = "#"
    ) -> None:
        """Say prompts, each in the session's language and mode. Raises Amiss where one has nothing for them.

        In a call it is listened to so many digits, to an answer of so many seconds, up to one of some keys.
        """

    def note(self, block: Block, *, has_left: bool = True, why: str = "") -> None:
        """Note a visit."""

    def say_text(self, text: str) -> None:
        """Say a text as it is: what looks like an expression in it is none."""

    def heard(self, prompt: Resource | None) -> tuple[str, str]:
        """Return the text, and the name of the sound, of a prompt that is heard, but not said now. Raises Amiss."""

    def text(self, prompt: Resource, *, response: str | None = None) -> str:
        """Return the text of a prompt in the session's language and mode. Raises Amiss."""


class Look(Protocol):
    """A document that is checked, as a kind of block sees it. Paths are like `document.flows[0].blocks[2].config`."""

    def prompt(
        self, config: Json, key: str, at: str, *, required: bool = True, is_said: bool = True
    ) -> Iterator[Finding]:
        """Find what is wrong with a prompt: no such resource, or nothing in a mode or a language of the flow.

        `is_said`: without it, the resource is not said as it is, and need not have everything.
        """

    def expression(self, said: object, at: str) -> Iterator[Finding]:
        """Find what is wrong with an expression."""

    def text(self, said: object, at: str) -> Iterator[Finding]:
        """Find what is wrong with a text that has expressions in it."""

    def has_flow(self, uuid: str) -> bool:
        """Tell whether the document has such a flow."""

    def has_mode(self, mode: Mode) -> bool:
        """Tell whether the flow is made for a mode."""

    def shut(self, url: str) -> str | None:
        """Say why a URL is not called from here; None: it is, or nobody knows."""

    def has_endpoint(self, name: str) -> bool:
        """Tell whether the app has such an AI endpoint, or nobody knows."""

    def has_queue(self, name: str) -> bool:
        """Tell whether the app has such a queue, or nobody knows."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with a document, and where."""

    path: str
    message: str
    is_warning: bool = False
    """A flow can run with it."""


class Kind(Protocol):
    """A kind of block."""

    waits: bool
    """It stays until something is given: a flow that never comes to such a block must not go in a circle."""

    def read(self, config: Json, reader: Reader) -> Any:
        """Return what the config says. Raises BadExpression."""

    def find(self, config: Json, at: str, look: Look) -> Iterator[Finding]:
        """Find what is wrong with a config."""

    def enter(self, turn: Turn, block: Block) -> Outcome:
        """Do what is to do when the block is come to. Raises Amiss."""

    def take(self, turn: Turn, block: Block, given: Given) -> Outcome | None:
        """Take what was given; None: it is not for this block, and is passed over. Raises Amiss."""


class Passing:
    """A kind that never waits."""

    waits = False

    def take(self, turn: Turn, block: Block, given: Given) -> Outcome | None:  # noqa: ARG002 (as every kind)
        """Nothing is given to it."""
        return None


__all__ = ["End", "Fail", "Finding", "Flow", "Kind", "Leave", "Look", "Outcome", "Passing", "RunFlow", "Turn", "Wait"]
