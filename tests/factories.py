"""Makes what tests need: apps, lists with contacts, campaigns, runs, and the steps of the way to a contact.

Everything goes through the store as the program itself does it. Instants come from the clock that is given.
"""

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from callsheet.clock import Clock
from callsheet.core.attempt import Happening, Intent, Kind
from callsheet.core.campaign import Campaign, Channel, Definition, MessagePlan, Named, Status
from callsheet.core.hours import CallingHours, Frequency, Window
from callsheet.core.opting_out import read_reply
from callsheet.core.part import Part
from callsheet.core.run import NORMALLY, AppSettings, Launch, Run
from callsheet.core.walk import Chunk, Group
from callsheet.store.apps import App, Trunk
from callsheet.store.lists import ContactList
from callsheet.store.parts import SealedReply
from callsheet.store.protocol import Armed, ArmKey, Batch, NewContact, NewEntry, Recorded, Work
from callsheet.store.store import Store

MONDAY_NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LEASE_SECONDS = 30.0
SENDER = "+12125550100"

_serial = count(1)


class StillClock(Clock):
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime = MONDAY_NOON) -> None:
        self._at = at
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._at

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float = 0.0, **more: float) -> datetime:
        """Move on by seconds, or by `hours=`, `days=`, as timedelta takes them; return the new instant."""
        by = timedelta(seconds=seconds, **more)
        self._at += by
        self._monotonic += max(by.total_seconds(), 0.0)
        return self._at

    def set(self, at: datetime) -> None:
        """Jump to an instant, as a wall clock can."""
        self._at = at


def hours(timezone: str = "UTC", start: int = 0, end: int = 1440, days: Iterable[int] = range(7)) -> CallingHours:
    """Make calling hours with one window a day, in local minutes; by default always open."""
    return CallingHours(Frequency.weekly, timezone, tuple(Window(day, start, end) for day in days))


def number(serial: int) -> str:
    """Make the number of a person: the same for the same serial."""
    return f"+1212{5550000 + serial:07}"


def contact(
    store: Store,
    app: App,
    to: str,
    *,
    zone: str = "",
    candidates: str = "",
    priority: int = 0,
    attributes: str = '{"first_name":"Ada"}',
) -> NewContact:
    """Make a contact, sealed as an import seals it."""
    key = store.vault.app(app.no)
    assert key is not None
    person = key.person(to)
    return NewContact(zone, candidates, priority, person, key.close_number(to, person), attributes)


def person_of(store: Store, app: App, to: str) -> bytes:
    """Return the person key of a number."""
    key = store.vault.app(app.no)
    assert key is not None
    return key.person(to)


async def make_app(store: Store, clock: Clock, settings: AppSettings | None = None, name: str = "Shop") -> App:
    """Make an app with a trunk that takes any sender."""
    account = await store.apps.create_account(f"{name} account", clock.now())
    app = await store.apps.create(account, name, clock.now())
    await store.apps.create_trunk(app.no, name="Sandbox", carrier="sandbox", takes_any_sender=True, now=clock.now())
    return app if settings is None else await change_settings(store, app, settings)


async def change_settings(store: Store, app: App, settings: AppSettings) -> App:
    """Change what an app chose, and return it as it is now."""
    chosen = {field.name: getattr(settings, field.name) for field in fields(settings)}
    changed = await store.apps.change_settings(app.no, chosen)
    return replace(app, settings=changed.after)


async def make_list(
    store: Store,
    app: App,
    clock: Clock,
    contacts: int | Sequence[NewContact] = 0,
    *,
    name: str | None = None,
    allow_duplicates: bool = False,
) -> ContactList:
    """Make a list with these contacts, or with the people `number(0)` to `number(contacts - 1)`."""
    made = await store.lists.create(
        app.no,
        name=name or f"List {next(_serial)}",
        description="",
        source="test",
        allow_duplicates=allow_duplicates,
        now=clock.now(),
    )
    people = [contact(store, app, number(i)) for i in range(contacts)] if isinstance(contacts, int) else contacts
    if people:
        await store.hot.append(app.no, made.no, people)
    return made


async def grow_list(store: Store, app: App, contact_list: ContactList, serials: Iterable[int]) -> None:
    """Append the people of these serials."""
    await store.hot.append(app.no, contact_list.no, [contact(store, app, number(i)) for i in serials])


def make_definition(lists: Sequence[ContactList], **changes: Any) -> Definition:
    """Make a campaign's definition: open always, one attempt, FIFO; `changes` name fields of Definition."""
    plain = Definition(
        name=f"Campaign {next(_serial)}",
        description="",
        channel=Channel.sms,
        contact_lists=tuple(Named(one.no, one.id, one.name) for one in lists),
        dnc_lists=(),
        priority=5,
        sender=SENDER,
        hours=hours(),
        hours_document={"timezone": "UTC"},
        message=MessagePlan("Hello {{first_name}}"),
    )
    return replace(plain, **changes)


async def make_campaign(store: Store, app: App, clock: Clock, lists: Sequence[ContactList], **changes: Any) -> Campaign:
    """Make a campaign in Ready."""
    definition = make_definition(lists, **changes)
    made = await store.campaigns.create(app.no, definition, clock.now(), unique_names=True)
    if made.status is Status.ready:
        return made
    await store.campaigns.prepare(clock.now())
    found = await store.campaigns.find(app.no, campaign_id=made.id)
    assert found is not None
    return found


async def start(
    store: Store,
    app: App,
    clock: Clock,
    campaign: Campaign,
    *,
    one_run_per_list: bool = True,
    most_voice_campaigns: int = 50,
    launch: Launch = NORMALLY,
) -> Run:
    """Start a campaign and return its run, as the engine sees it."""
    sender = await store.apps.find_sender(app.no, campaign.definition.sender, clock.now())
    assert sender is not None
    started = await store.campaigns.start(
        campaign,
        text=campaign.definition.message.received or "",
        sender_no=sender.no,
        one_run_per_list=one_run_per_list,
        most_voice_campaigns=most_voice_campaigns,
        now=clock.now(),
        launch=launch,
    )
    return next(run for run in await store.runs.active() if run.no == started.run_no)


async def start_run(
    store: Store, app: App, clock: Clock, contacts: int | Sequence[NewContact] = 10, **changes: Any
) -> Run:
    """Make a list, a campaign of it, and start it."""
    contact_list = await make_list(store, app, clock, contacts)
    return await start(store, app, clock, await make_campaign(store, app, clock, [contact_list], **changes))


async def refreshed(store: Store, run: Run) -> Run:
    """Return the run as the database has it now."""
    found = await store.runs.by_no(run.no)
    assert found is not None
    return found


async def work_of(store: Store, run: Run) -> Work:
    """Return what is left to do in a run."""
    (work,) = await store.hot.work([run])
    return work


async def forbid(store: Store, app: App, dnc_no: int, numbers: Iterable[str]) -> int:
    """Put numbers on a DNC list and return how many were new there."""
    key = store.vault.app(app.no)
    assert key is not None
    entries = [NewEntry(person := key.person(to), key.close_number(to, person)) for to in numbers]
    return (await store.hot.forbid(app.no, dnc_no, entries, source="test")).added


async def opt_out(store: Store, app: App, clock: Clock, to: str, channel: Channel = Channel.sms) -> None:
    """Say STOP for a number."""
    if channel is Channel.sms:
        trunk = await trunk_of(store, app)
        await store.inbox.hear(app.no, trunk.no, [heard(store, app, clock, to, "STOP")], clock.now())
    else:
        await store.opt_outs.add(app.no, channel, "reply", [person_of(store, app, to)], clock.now())


def heard(
    store: Store,
    app: App,
    clock: Clock,
    to: str,
    text: str,
    *,
    inbound_id: str = "",
    part: Part | None = None,
    sender: str = SENDER,
    teller: str = "",
) -> SealedReply:
    """Make a reply as the engine seals it; of a `teller`, one that its carrier gave no id."""
    key = store.vault.app(app.no)
    assert key is not None
    person = key.person(to)
    sealed = key.seal.close(text.encode(), person)
    name = inbound_id or f"in-{next(_serial)}"
    digest = key.digest(f"{to} {sender} {part} {text}".encode()) if teller else b""
    return SealedReply(
        name, person, key.close_number(to, person), sealed, sender, clock.now(), read_reply(text), part,
        teller=teller, digest=digest,
    )  # fmt: skip


async def trunk_of(store: Store, app: App) -> Trunk:
    """Return the trunk of an app that has one."""
    (trunk,) = await store.apps.trunks(app.no)
    return trunk


def happening(intent: Intent, kind: Kind, at: datetime, code: str = "", segments: int = 0) -> Happening:
    """Say what happened to an attempt."""
    return Happening(intent.run_no, intent.person, intent.n, kind, at, code, segments=segments)


class Node:
    """A node that does one step at a time: take, arm, hand over (to nobody), record."""

    def __init__(self, store: Store, clock: Clock, no: int) -> None:
        self.store = store
        self.clock = clock
        self.no = no
        self._arms = count(1)
        self._batches = count(1)
        self._groups: dict[tuple[int, int], Group] = {}

    @classmethod
    async def enter(cls, store: Store, clock: Clock) -> "Node":
        """Register a new node."""
        return cls(store, clock, await store.hot.enter("node"))

    async def take(self, run: Run, groups: Collection[Group] | None = None, size: int = 200) -> Chunk | None:
        """Take a chunk out of these groups, or out of all that have something left."""
        if groups is None:
            groups = (await work_of(self.store, run)).groups
        self._groups.update({(group.list_no, group.group_no): group for group in groups})
        return await self.store.hot.take(run, groups, node_no=self.no, size=size, lease_seconds=LEASE_SECONDS)

    async def arm(self, run: Run, chunk: Chunk, limit: int = 50) -> Armed:
        """Arm the next contacts of a chunk that this node took."""
        group = self._groups[chunk.list_no, chunk.group_no]
        return await self.store.hot.arm(
            run, chunk, group, limit=limit, arm_no=next(self._arms), node_no=self.no, lease_seconds=LEASE_SECONDS
        )

    async def arm_again(self, run: Run, turn: Any, limit: int = 50) -> Armed:
        """Arm contacts that come again."""
        return await self.store.hot.arm_again(
            run, turn, limit=limit, arm_no=next(self._arms), node_no=self.no, lease_seconds=LEASE_SECONDS
        )

    async def walk(self, run: Run, size: int = 200, limit: int = 50) -> AsyncIterator[Armed]:
        """Take and arm until nothing is left that may be contacted now."""
        while chunk := await self.take(run, size=size):
            left: Chunk | None = chunk
            while left is not None:
                armed = await self.arm(run, left, limit)
                yield armed
                left = None if armed.closed_until else armed.left
            if armed.closed_until:
                return

    async def walk_all(self, run: Run, size: int = 200, limit: int = 50) -> list[Intent]:
        """Take and arm until nothing is left, and return everyone who was armed, in order."""
        return [intent async for armed in self.walk(run, size, limit) for intent in armed.intents]

    async def record(
        self,
        happenings: Iterable[Happening] = (),
        *,
        handed: Iterable[ArmKey] = (),
        ended: Iterable[ArmKey] = (),
        jitter: Callable[[], float] = lambda: 0.0,
    ) -> Recorded:
        """Record what happened, as the next batch of this node."""
        batch = Batch(self.no, next(self._batches), tuple(happenings), tuple(handed), tuple(ended))
        return await self.store.hot.record(batch, jitter)

    async def tell(self, intents: Iterable[Intent], kind: Kind, code: str = "") -> Recorded:
        """Record that one thing happened to all these attempts now, and that their arms have ended."""
        mine = list(intents)
        return await self.record(
            [happening(intent, kind, self.clock.now(), code) for intent in mine], ended=arms_of(self, mine)
        )

    async def reap(self, *, all_arms: bool = False) -> int:
        """Make attempts uncertain whose lease ran out without a result."""
        return await self.store.hot.reap(self.no, lambda: 0.0, all_arms=all_arms)


def arms_of(node: Node, intents: Iterable[Intent]) -> set[ArmKey]:
    """Name the arms of these intents, which this node holds."""
    return {ArmKey(intent.app, intent.run_no, node.no, intent.arm_no) for intent in intents}
