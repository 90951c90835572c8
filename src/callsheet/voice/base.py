"""What a voice engine is.

It places calls through trunks, tells what happens to each, plays sounds, lets us hear the other side, and hangs up.
No database of ours, no retry, no campaign, no flow inside. Failures of a call are events and values; nothing that
happens to one call is raised out of another.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from callsheet.core.asking import Leave
from callsheet.core.attempt import Kind
from callsheet.core.calling import Dial
from callsheet.core.condition import Condition


class Ringing(NamedTuple):
    """The callee's side has the call: it rings, or plays something before it answers."""

    at: datetime
    has_early_media: bool = False


class Answered(NamedTuple):
    """Somebody, or something, answered."""

    at: datetime
    not_before: datetime | None = None
    """The answer itself was not told, and may have been as early as this; None: it was at `at`."""


class Pressed(NamedTuple):
    """A key was pressed: one of `0123456789*#ABCD`."""

    at: datetime
    digit: str


class Played(NamedTuple):
    """A sound is through, or was stopped."""

    at: datetime
    token: str
    """As `Call.play` returned it."""
    is_whole: bool = True


class HungUp(NamedTuple):
    """The call is over; nothing more is told of it."""

    at: datetime
    cause: int
    """Q.850; 0: none was given."""
    sip_status: int
    """The final SIP status; 0: none came."""
    by_us: bool = False


class Lost(NamedTuple):
    """What carried the call broke, and nobody knows what became of it; nothing more is told of it."""

    at: datetime
    why: str


CallEvent = Ringing | Answered | Pressed | Played | HungUp | Lost
Hear = Callable[[CallEvent], None]
"""Told each event of one call, in order, on the loop's thread; it never blocks and never raises."""
HearAudio = Callable[[bytes], None]
"""Told the other side's audio as it comes: 8 kHz, mono, 16 bits little-endian, 20 ms (320 bytes) at a time."""


class NotDialed(Exception):
    """The call was not placed. The sentence says why.

    `kind` says what that means for the attempt: `refused` (surely not placed: no node, no trunk, no room), `withdrawn`
    (it was forbidden), `uncertain` (the engine did not say whether it took the call), `rejected` (it never can be).
    """

    def __init__(self, kind: Kind, code: str, why: str) -> None:
        self.kind = kind
        self.code = code
        super().__init__(why)


class CallGone(Exception):
    """The call is over; its ear was, or will be, told."""


class CannotHear(Exception):
    """The other side cannot be heard: the node did not bring its audio. The call goes on."""


class CannotJoin(Exception):
    """Two calls could not be joined: the node did not do it, or they are not on one node. Both go on."""


class Sound(NamedTuple):
    """Something to be played."""

    id: str
    """The same id has always the same content: engines keep a copy under it. Letters, digits and `-` only."""
    path: Path
    """A WAV file: 8 kHz, mono, 16 bits."""
    seconds: float


class Recording(NamedTuple):
    """What was recorded of a call."""

    path: Path
    """A WAV file: 8 kHz, mono, 16 bits; whoever asked for it moves it away, or deletes it."""
    seconds: float
    is_whole: bool = True
    """False: it broke off before its time, as the disk was full, or what recorded it died."""


class Call(Protocol):
    """A call that was placed. All methods raise CallGone when it is over."""

    @property
    def id(self) -> str:
        """The reference that it was placed with."""

    @property
    def node(self) -> str:
        """Which node carries it."""

    async def play(self, sound: Sound) -> str:
        """Begin to play a sound, after those that play already; return the token that `Played` will bear."""

    async def stop_playing(self) -> None:
        """Stop all that plays or waits to be played: each is told by `Played`."""

    async def listen(self, hear: HearAudio) -> datetime:
        """Begin to hear the other side; one ear at a time. Raises CannotHear.

        Returns from when on it is heard, by the clock that the answer was told by.
        """

    async def stop_listening(self) -> None:
        """Hear nothing more."""

    async def record(self, *, both_sides: bool) -> bool:
        """Begin to record the other side, or both: two recordings, which know nothing of each other.

        False: it cannot be recorded just now. The call goes on.
        """

    async def stop_recording(self, *, both_sides: bool) -> Recording | None:
        """Return what was recorded; None: nothing was, or it could not be kept. Works after the call's end, too."""

    async def join(self, other: Call) -> None:
        """Let the two other sides hear each other, until one is over. Raises CannotJoin.

        Both were answered, and are on one node. Nothing is played in either meanwhile.
        """

    async def part(self) -> None:
        """Let it be alone again: what is played is heard. Does nothing where it was not joined."""

    async def hang_up(self) -> None:
        """End it; `HungUp` tells when it is over."""


class Found(NamedTuple):
    """A call that lives on a node, and that nobody here has placed or led so far: an earlier process did."""

    call: Call
    is_answered: bool
    placed_at: datetime
    answered_at: datetime | None = None
    """None: it was not, or the node does not say when."""


class VoiceEngine(Protocol):
    """Mouths and ears of calls."""

    on_found: Callable[[Found], Hear | None]
    """Asked for each call of an earlier process, and of a `dial` that ended as uncertain: who hears it from now on;
    None: nobody knows it, it is hung up. It may be over already: then `HungUp` is told next."""
    on_free: Callable[[], None]
    """Called when there may be room again."""

    def room(self, trunk_id: str) -> int:
        """Return how many more calls the nodes bear for a trunk now; 0: none takes any."""

    def bears(self, trunk_ids: Collection[str]) -> int:
        """Return how many calls may go on at once through any of these trunks, those that go on included.

        0: nobody can say yet, as no node is there.
        """

    def condition(self, trunk_id: str) -> Condition:
        """Return how a trunk stands."""

    async def dial(self, trunk_id: str, dial: Dial, leave: Leave, hear: Hear, beside: Call | None = None) -> Call:
        """Place a call. Its events may come before this returns. Raises NotDialed.

        `beside`: it goes out from the node of another call, to be joined with it.

        `leave` is asked right before the request goes to the node, with nothing awaited in between: False, it is given
        up as NotDialed of the kind `withdrawn`.
        """

    def living(self) -> Sequence[str]:
        """Return the ids of the calls that live."""

    async def open(self) -> None:
        """Begin. An engine that cannot work yet does not raise: it goes on trying, and its condition says so."""

    async def close(self) -> None:
        """End: calls that live are hung up, and told."""
