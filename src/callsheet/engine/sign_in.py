"""Sign in: a login and a password become a session, and no answer tells which of the two was wrong.

Failures are counted by each node for itself: of a login from one address, of an address, and of a login.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict, deque
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from callsheet.clock import Clock
from callsheet.core.audit import ActorKind, Deed
from callsheet.core.errors import FieldError, Invalid, TooManySignIns, Unauthenticated
from callsheet.core.names import key_of
from callsheet.core.passwords import fault_of
from callsheet.engine.invitation import Invitation
from callsheet.engine.passwords import Passwords
from callsheet.store.audit import Chain
from callsheet.store.sessions import Limits, Session
from callsheet.store.store import Store
from callsheet.store.users import User

ACTION: Final = "POST /v1/sessions"
USUAL_LIMITS: Final = Limits(idle=timedelta(minutes=60), longest=timedelta(hours=12))

WINDOW_SECONDS: Final = 900.0
MOST_FAILURES: Final[Mapping[str, int]] = {"both": 5, "address": 50, "login": 100}
"""Within the window: of a login from one address, of an address, of a login from anywhere."""

_MOST_KEYS: Final = 20_000
_TOKEN_BYTES: Final = 32
_LONGEST_TOKEN: Final = 128
_SEEN_EVERY: Final = timedelta(minutes=1)
_WRONG: Final = "The login or the password is wrong. Where several accounts have the login, give account_id as well."


class Throttle:
    """Counts failures of the last quarter of an hour."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def spend(self, login: str, address: str) -> None:
        """Count a try as a failure, until it is forgiven. Raises TooManySignIns, and counts nothing then."""
        now = self._clock.monotonic()
        keys = _keys(login, address)
        for key in keys:
            failures = self._failures.get(key, deque())
            while failures and failures[0] <= now - WINDOW_SECONDS:
                failures.popleft()
            if len(failures) >= MOST_FAILURES[key[0]]:
                raise TooManySignIns(failures[0] + WINDOW_SECONDS - now)
        for key in keys:
            self._failures.setdefault(key, deque()).append(now)
            self._failures.move_to_end(key)
        while len(self._failures) > _MOST_KEYS:
            self._failures.popitem(last=False)

    def forgive(self, login: str, address: str) -> None:
        """Take the last try back: it was none; and what this login did from here before."""
        for key in _keys(login, address):
            failures = self._failures.get(key)
            if failures:
                failures.pop()
            if key[0] == "both" or not failures:
                self._failures.pop(key, None)


def _keys(login: str, address: str) -> tuple[tuple[str, str], ...]:
    name = key_of(login)
    return ("both", f"{address} {name}"), ("address", address), ("login", name)


class SignIn:
    """The door for people."""

    def __init__(
        self, store: Store, clock: Clock, limits: Limits = USUAL_LIMITS, passwords: Passwords | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._limits = limits
        self._throttle = Throttle(clock)
        self.invitation = Invitation(clock)
        self.passwords = passwords or Passwords()

    async def sign_in(self, login: str, password: str, account_id: str | None, address: str) -> tuple[str, Session]:
        """Begin a session, and return its token. Raises Unauthenticated, TooManySignIns."""
        self._throttle.spend(login, address)
        known = await self._store.users.known(login, account_id)
        right = await self.passwords.is_right(known.password_hash if known is not None else None, password)
        if known is None or not right or not known.is_enabled:
            await self._write_down(known.account_id if known else account_id, known.id if known else "", 401)
            raise Unauthenticated(_WRONG)
        self._throttle.forgive(login, address)
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        await self._store.sessions.begin(known.no, token, self._limits, self._clock.now())
        await self._write_down(known.account_id, known.id, 201)
        return token, await self.session(token)

    async def session(self, token: str) -> Session:
        """Return who is signed in with a token, and note that he is there. Raises Unauthenticated."""
        now = self._clock.now()
        found = None
        if token and len(token) <= _LONGEST_TOKEN:
            found = await self._store.sessions.find(token, self._limits, now)
        if found is None or not found.roles:
            raise Unauthenticated("Nobody is signed in with this session, or not any more.")
        if now - found.seen_at >= min(_SEEN_EVERY, self._limits.idle / 2):
            await self._store.sessions.touch(token, now)
        return found

    async def set_up(self, token: str, login: str, password: str) -> User:
        """Create the first user with the token of the sign-in link. Raises Unauthenticated, Invalid, Conflict."""
        if not self.invitation.may_be_redeemed(token):
            raise Unauthenticated("The sign-in link is over. `callsheet serve` prints a new one each time it starts.")
        kept = await self.new_password("password", login, password)
        user = await self._store.users.create_first(login, kept, self._clock.now())
        self.invitation.redeem()
        return user

    async def new_password(self, field: str, login: str, password: str) -> str:
        """Return the hash of a password that may be had. Raises Invalid, which names the field."""
        fault = fault_of(password, login)
        if fault is not None:
            raise Invalid([FieldError(field, fault)])
        return await self.passwords.hash(password)

    async def change_own(self, session: Session, current: str, new: str, address: str) -> None:
        """Change one's own password, and end all sessions. Raises Unauthenticated, Invalid, TooManySignIns."""
        self._throttle.spend(session.login, address)
        known = await self._store.users.known(session.login, session.account_id)
        if known is None or not await self.passwords.is_right(known.password_hash, current):
            raise Unauthenticated("The current password is wrong.")
        self._throttle.forgive(session.login, address)
        kept = await self.new_password("new", session.login, new)
        await self._store.users.set_password(session.user_no, kept)

    async def _write_down(self, account_id: str | None, user_id: str, status: int) -> None:
        """Add a line to the log of the account; what names no account that is there goes to the oldest one's."""
        account = await self._store.apps.account_or_oldest(account_id)
        kind = ActorKind.user if status < 400 else ActorKind.nobody
        actor_id = user_id if kind is ActorKind.user else ""
        deed = Deed(kind, actor_id, ACTION, user_id, {"status": status})
        await self._store.audit.add(Chain(account_id=account.id), deed, self._clock.now())
