"""Trunks: read what their carriers want to know, make carriers of them, and try whether an account works."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import structlog

from callsheet.account import Account, merge, names_of, read_account, split
from callsheet.carriers.base import Carrier, Probe
from callsheet.carriers.callback import Ears
from callsheet.carriers.known import KNOWN, Given, Known, Prober
from callsheet.clock import Clock
from callsheet.core.allowance import UNLIMITED, Allowance
from callsheet.core.errors import CallsheetError, Conflict, FieldError, Invalid, RateLimited
from callsheet.core.fence import Fence
from callsheet.core.sip import SipTrunk
from callsheet.engine.accounts import change_account, read_reachable
from callsheet.store.apps import Trunk
from callsheet.store.rows import DAMAGE
from callsheet.store.store import Store
from callsheet.store.trunks import Changed, Settled

log = structlog.get_logger()

PROBE_SECONDS: Final = 20.0
"""So long a test call may take."""

TESTS_A_MINUTE: Final = 10
"""So many test calls an app has in a minute: carriers lock accounts out that somebody tries again and again."""
_MINUTE: Final = 60.0

Document = Mapping[str, Any]


class Tested(NamedTuple):
    """What came of a test call."""

    ok: bool
    said: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Wanted:
    """A trunk to be."""

    name: str
    carrier: str
    settings: Document
    """What its carrier wants to know, secrets among it."""
    takes_any_sender: bool
    carrier_answers_stop: bool | None = None
    """Whether the carrier confirms a STOP itself; None: as is usual there."""
    allowance: Allowance = UNLIMITED


class Trunks:
    """What an engine and an API need to know of carriers."""

    def __init__(self, store: Store, clock: Clock, fence: Fence, give: Callable[[Trunk], Given]) -> None:
        """`give` returns what a trunk's carrier is given besides its account; `fence` says what may be called."""
        self._fence = fence
        self._store = store
        self._clock = clock
        self._give = give
        self._calls: dict[int, deque[float]] = {}
        self._reading_sip = asyncio.Lock()
        self._sip: Sequence[SipTrunk] = ()
        self._sip_changed: Mapping[int, Changed] | None = None

    async def create(self, app: int, new: Wanted) -> Trunk:
        """Create a trunk. Raises Invalid, which names every wrong field of its settings."""
        known, answers = KNOWN[new.carrier], new.carrier_answers_stop
        account = read_reachable(self._fence, known.account, new.settings)
        settings, secrets = split(account)
        return await self._store.apps.create_trunk(
            app,
            name=new.name,
            carrier=new.carrier,
            takes_any_sender=new.takes_any_sender,
            now=self._clock.now(),
            settings=settings,
            secrets=secrets,
            allowance=new.allowance,
            carrier_answers_stop=known.answers_stop if answers is None else answers,
            writing=account.writing(),
        )

    async def change(
        self,
        app: int,
        trunk_id: str,
        changes: Mapping[str, Any],
        settings: Document | None,
        wrong: Sequence[FieldError] = (),
    ) -> Trunk | None:
        """Change the named columns, and merge settings into those of before; secrets that are not named stay.

        Returns None when there is no such trunk. Raises Invalid, as `create` does, with what was found `wrong` before.
        """

        def settle(carrier: str, before: Document, secrets: Document) -> Settled | None:
            settled: Settled | None = None
            try:
                if settings is not None:
                    settled = self._settle(carrier, before, secrets, settings)
            except Invalid as error:
                raise Invalid([*wrong, *error.fields]) from None
            if wrong:
                raise Invalid(wrong)
            return settled

        asks = settings is not None or wrong
        return await self._store.trunks.change(app, trunk_id, changes, self._clock.now(), settle if asks else None)

    def _settle(self, carrier: str, before: Document, secrets: Document, changes: Document) -> Settled:
        """Return settings and secrets after a change, and how texts are written there. Raises Invalid."""
        account = change_account(self._fence, _known(carrier).account, before, secrets, changes)
        return Settled(*split(account), account.writing())

    def secrets_set(self, trunk: Trunk) -> list[str]:
        """Return the path of each secret that a trunk has; none when they cannot be read."""
        try:
            return sorted(names_of(self._store.trunks.open_secrets(trunk)))
        except DAMAGE:
            return []

    def carrier(self, trunk: Trunk) -> Carrier:
        """Make the carrier of a trunk, not opened yet. Raises Conflict when what is stored of it makes none."""
        known = _known(trunk.carrier, trunk.name)
        if known.make is None:
            raise Conflict(f"No text goes through the trunk {trunk.name}: {trunk.carrier} carries calls.")
        return known.make(self._account(known, trunk), self._give(trunk))

    async def sip_trunks(self) -> Sequence[SipTrunk]:
        """Return the SIP trunks of all apps, for the voice engine; those that cannot be read are left out.

        While no trunk is changed it is the very same list, and cheap to ask for.
        """
        async with self._reading_sip:
            changed = dict(await self._store.trunks.changes())
            if changed != self._sip_changed:
                trunks = await self._store.apps.trunks()
                self._sip = [sip for trunk in trunks if (sip := self._sip_of(trunk)) is not None]
                self._sip_changed = changed
            return self._sip

    def _sip_of(self, trunk: Trunk) -> SipTrunk | None:
        known = KNOWN.get(trunk.carrier)
        if known is None or known.sip is None:
            return None
        try:
            return known.sip(self._account(known, trunk), trunk.id)
        except CallsheetError:
            log.warning("trunk.unreadable", trunk=trunk.id)
            return None

    def ears(self, trunk: Trunk) -> Ears | None:
        """Return how the callbacks of a trunk are understood; None when its carrier calls nobody back.

        Raises Conflict when what is stored of it makes no account.
        """
        known = _known(trunk.carrier, trunk.name)
        return known.ears(self._account(known, trunk)) if known.ears is not None else None

    def _account(self, known: Known, trunk: Trunk) -> Account:
        try:
            return read_account(known.account, merge(trunk.settings, self._store.trunks.open_secrets(trunk)))
        except DAMAGE:
            raise Conflict(
                f"What is stored of the trunk {trunk.name} cannot be read: give it its secrets again."
            ) from None

    async def try_out(self, trunk: Trunk) -> Tested:
        """Try whether a trunk's account works, on a connection of its own; no message is sent. Raises RateLimited."""
        self._spend(trunk.app)
        known = _known(trunk.carrier, trunk.name)
        return await self._timed(trunk, lambda: _prober(known, self._account(known, trunk), self._give(trunk)))

    async def try_new(self, app: int, wanted: Wanted) -> Tested:
        """Try whether an account works that is not stored. Raises Invalid, as `create` does, and RateLimited."""
        known = KNOWN[wanted.carrier]
        account = read_reachable(self._fence, known.account, wanted.settings)
        self._spend(app)
        trunk = Trunk(0, app, "", wanted.name, wanted.carrier, wanted.takes_any_sender, {}, b"", self._clock.now())
        return await self._timed(trunk, lambda: _prober(known, account, self._give(trunk)))

    def _spend(self, app: int) -> None:
        now, calls = self._clock.monotonic(), self._calls.setdefault(app, deque(maxlen=TESTS_A_MINUTE))
        if len(calls) == TESTS_A_MINUTE and now - calls[0] < _MINUTE:
            raise RateLimited(calls[0] + _MINUTE - now)
        calls.append(now)

    async def _timed(self, trunk: Trunk, make: Callable[[], Prober]) -> Tested:
        began = self._clock.monotonic()
        probe = await _probe(trunk, make)
        return Tested(probe.ok, probe.said, round(self._clock.monotonic() - began, 3))


def _prober(known: Known, account: Account, given: Given) -> Prober:
    make = known.prober or known.make
    assert make is not None, "a carrier that nobody can try out"
    return make(account, given)


async def _probe(trunk: Trunk, make: Callable[[], Prober]) -> Probe:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            return await make().probe()
    except TimeoutError:
        return Probe(ok=False, said=f"The carrier did not answer within {PROBE_SECONDS:g} seconds.")
    except CallsheetError as error:
        return Probe(ok=False, said=error.message)
    except Exception:
        log.exception("trunk.probe_broke", trunk=trunk.id)
        return Probe(ok=False, said="The test broke off; the log says why.")


def _known(carrier: str, name: str = "") -> Known:
    known = KNOWN.get(carrier)
    if known is None:
        of = f"The trunk {name}" if name else "It"
        raise Conflict(f"{of} is of the carrier {carrier}, which this release does not have.")
    return known
