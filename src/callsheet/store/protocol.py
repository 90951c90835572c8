"""What the engine asks of a store: about a dozen hot operations, each one transaction.

Both databases implement it by hand and pass one conformance suite (`tests/store`). Everything else (campaigns,
lists, templates, reports) is written once with SQLAlchemy Core, in the files beside this one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple, Protocol

from callsheet.core.attempt import Happening, Intent, Kind
from callsheet.core.ids import AttemptKey
from callsheet.core.matching import Carried, LooseReceipt
from callsheet.core.pacing import Grant
from callsheet.core.retrying import Turn
from callsheet.core.run import Run
from callsheet.core.walk import Chunk, Group


class ArmKey(NamedTuple):
    """One arm: what a node armed in one transaction."""

    app: int
    run_no: int
    node_no: int
    arm_no: int


class Armed(NamedTuple):
    """What came of arming.

    Only `intents` may be contacted, and only before `lease_until`. `left` is what remains of the chunk: None when it
    is done or lost. `lost`: another node has the chunk, or the run is not active. `closed_until`: the group is
    outside its hours until then, nothing was armed, and the chunk is still held.
    """

    intents: Sequence[Intent] = ()
    left: Chunk | None = None
    lost: bool = False
    closed_until: datetime | None = None
    lease_until: datetime | None = None
    seen: int = 0
    """Contacts that were looked at, suppressed and deferred ones included."""
    groups: Sequence[Group] = ()
    """The groups of the contacts that were looked at."""
    at: datetime | None = None
    """When the intents were armed: the attempts keep it."""


class Batch(NamedTuple):
    """What a node records in one transaction."""

    node_no: int
    batch_no: int
    happenings: Sequence[Happening] = ()
    handed: Sequence[ArmKey] = ()
    """Arms of which every intent has left, or never will."""
    ended: Sequence[ArmKey] = ()
    """Arms of which every intent has a result."""
    carried: Sequence[Carried] = ()
    """The carriers' ids of what happened."""
    receipts: Sequence[LooseReceipt] = ()
    """Receipts that do not carry our reference."""
    intents: Mapping[AttemptKey, Intent] = MappingProxyType({})
    """Those of these attempts with which conversations begin: their messages were made from these columns."""


class Recorded(NamedTuple):
    """What a batch changed: how many events were new, and when the earliest contact comes again."""

    events: int
    again_at: datetime | None
    unknown: int
    """Happenings that name no attempt of ours."""
    matched: Sequence[Kind] = ()
    """What the receipts said whose message was found by its id, those that had waited included."""
    settled: Sequence[Kind] = ()
    """What the receipts said that were attached to the one uncertain attempt that they can mean."""
    parked: int = 0
    """Receipts that wait from now on, because nobody knows their message yet."""
    dropped: int = 0
    """Receipts that would have to wait, but too many of their trunk do."""
    of_answers: int = 0
    """Receipts of answers of ours, which are no attempts: they change nothing."""


class Work(NamedTuple):
    """What is left to do in a run."""

    groups: Sequence[Group]
    """Groups with positions that nobody took yet, or with chunks whose lease has run out."""
    due: Mapping[Turn, datetime]
    in_flight: bool
    """Nodes hold arms of it, or calls of it go on."""


class HotStore(Protocol):
    """The way a contact is reached, and nothing else."""

    async def now(self) -> datetime:
        """Return the instant by which leases and hours are judged: the database's clock, or the Clock argument."""

    async def enter(self, name: str) -> int:
        """Register a node and return its number, new at every start."""

    async def work(self, runs: Sequence[Run]) -> Sequence[Work]:
        """Return what is left to do in each of some runs, taking in what the lists have gained since.

        It asks for all of them at once: as many statements for a thousand single messages as for one campaign.
        """

    async def take(
        self, run: Run, open_groups: Collection[Group], *, node_no: int, size: int, lease_seconds: float
    ) -> Chunk | None:
        """Take a chunk whose lease has run out, with `epoch + 1`, or cut the next one from a cursor."""

    async def arm(
        self,
        run: Run,
        chunk: Chunk,
        group: Group,
        *,
        limit: int,
        arm_no: int,
        node_no: int,
        lease_seconds: float,
    ) -> Armed:
        """Verify chunk, epoch and run, evaluate the gate, insert the intents, renew the lease."""

    async def arm_again(
        self, run: Run, turn: Turn, *, limit: int, arm_no: int, node_no: int, lease_seconds: float
    ) -> Armed:
        """Arm contacts that come again and are due: the gate is the same."""

    async def record(self, batch: Batch, jitter: Callable[[], float]) -> Recorded:
        """Store events, retries and counters; a batch that was stored before changes nothing.

        Who comes again is decided by the run's policy as it is now. In a run that has ended nobody is contacted; who
        was not taken is written down as waiting all the same.

        A node has one batch on its way at a time: one with a lower number than the last is taken for stored.
        """

    async def members(self, arm: ArmKey) -> Collection[tuple[bytes, int]]:
        """Return the persons and tries of an arm; nothing when it has ended, or never was stored."""

    async def renew(
        self, node_no: int, chunks: Collection[Chunk], lease_seconds: float, arms: Collection[ArmKey] = ()
    ) -> None:
        """Renew the leases of chunks that the node still holds, and of arms of which something goes on.

        Such an arm is renewed although its lease ran out, where nobody has reaped it yet.
        """

    async def release(self, node_no: int | None, run_no: int | None = None) -> None:
        """Give chunks back at once, with what they have left; without a node, everybody's."""

    async def reap(self, node_no: int, jitter: Callable[[], float], *, all_arms: bool) -> int:
        """Make attempts without a result whose lease has run out `uncertain`; return how many.

        `all_arms` is for the one owner of a SQLite file at its start: whoever held the leases is dead. Those of calls
        run out by themselves: a call outlives who placed it, and is found again.
        """

    async def complete(self, run: Run) -> bool:
        """Complete a run of which nothing is left, and say whether it did."""

    async def lease_rate(
        self, app: int, name: str, segments_per_second: float, *, wanted: int, horizon_seconds: float
    ) -> Grant:
        """Lease a slice of a sender's rate."""

    async def reserve_day(self, app: int, name: str, *, day: int, cap: int, wanted: int) -> int:
        """Reserve segments of the day that began at `day` (microseconds), and return how many there were.

        Negative: give so many back. Of a day that is over nothing is left.
        """

    async def unhanded(
        self, app: int, run_no: int | None = None, persons: Collection[bytes] | None = None
    ) -> Collection[ArmKey]:
        """Return the arms of which something may leave yet; of all, or those that some of these persons are in."""

    async def recall(self, arms: Collection[ArmKey]) -> None:
        """Ask the nodes that hold these arms to let nothing of them leave any more."""

    async def recalled(self, arms: Collection[ArmKey]) -> Collection[ArmKey]:
        """Return those of these arms that somebody asks for."""


class NewContact(NamedTuple):
    """A contact that was read and checked, sealed, and is about to be stored."""

    own_zone: str
    """Empty: it has none of its own."""
    candidate_zones: str
    """The zones that its number may be in, sorted, with spaces between."""
    priority: int
    person: bytes
    sealed: bytes
    attributes: str
    """A JSON object of text values."""
    unique_id: str = ""
    """The source's own key of the contact, or empty."""


class NewEntry(NamedTuple):
    """A number that goes on a DNC list."""

    person: bytes
    sealed: bytes


class Step(NamedTuple):
    """How far an import has come: stored with the rows of the same block, so that a killed import goes on exactly."""

    import_no: int
    rows: int
    bytes_done: int
    rejects: Sequence[tuple[int, str, str]] = ()
    """Row number, reason and sentence of each rejected row."""
    done: bool = False


class Appended(NamedTuple):
    """What a block added."""

    added: int
    duplicates: int


class BulkStore(Protocol):
    """Contacts and DNC numbers by the thousand."""

    async def append(
        self,
        app: int,
        list_no: int,
        contacts: Sequence[NewContact],
        *,
        step: Step | None = None,
        allow_duplicates: bool | None = None,
    ) -> Appended:
        """Append contacts to a list; those of a person who is in it already are left out unless that is allowed.

        None: as the list says.
        """

    async def forbid(
        self, app: int, dnc_no: int, entries: Sequence[NewEntry], *, source: str, step: Step | None = None
    ) -> Appended:
        """Put numbers on a DNC list. Arming sees them from the commit on."""
