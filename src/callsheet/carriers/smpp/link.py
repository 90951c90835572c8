"""Connect to a carrier, and bind: a name, an address behind no fence, TLS where it is wanted, a session."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import NamedTuple

from callsheet.carriers.smpp.account import SmppAccount
from callsheet.carriers.smpp.ear import Ear
from callsheet.carriers.smpp.session import BindRefused, LinkLost, Role, Session
from callsheet.carriers.smpp.statuses import BROKEN
from callsheet.carriers.smpp.tls import tls_of
from callsheet.clock import Clock
from callsheet.core.fence import Fence


class Fenced(Exception):
    """The carrier's host leads to an address that this process must not call."""


class Trouble(NamedTuple):
    """Why there is no session."""

    why: str
    is_for_people: bool
    """Whether it goes on until somebody does something about it."""


class Linker:
    """Makes the sessions of an account."""

    def __init__(self, account: SmppAccount, clock: Clock, fence: Fence) -> None:
        self._account = account
        self._clock = clock
        self._fence = fence
        self._tls: ssl.SSLContext | None = None

    async def bind(self, role: Role, ear: Ear) -> Session:
        """Return a bound session. Raises OSError (TimeoutError among it), Fenced and BindRefused."""
        async with asyncio.timeout(self._account.bind_seconds):
            session = await self.connect(role, ear)
            try:
                await session.bound
            except BaseException:
                session.end("the bind was broken off")
                raise
        return session

    async def connect(self, role: Role, ear: Ear) -> Session:
        """Return a session that has begun to bind. Raises OSError and Fenced."""
        addresses = await self._addresses()
        for address in addresses:
            try:
                return await self._connect_to(address, role, ear)
            except OSError:
                if address == addresses[-1]:
                    raise
        raise Fenced(f"{self._account.host} leads to a private address, which is not called")

    async def _connect_to(self, address: str, role: Role, ear: Ear) -> Session:
        account = self._account
        _, session = await asyncio.get_running_loop().create_connection(
            lambda: Session(account, role, self._clock, ear),
            address,
            account.port,
            ssl=self._context(),
            server_hostname=(account.tls_server_name or account.host) if account.tls else None,
            ssl_shutdown_timeout=2 if account.tls else None,
        )
        return session

    async def _addresses(self) -> list[str]:
        """Return the addresses of the host that may be called: the very ones that are connected to."""
        account = self._account
        try:
            found = await asyncio.get_running_loop().getaddrinfo(account.host, account.port, type=socket.SOCK_STREAM)
        except UnicodeError as error:  # no name at all
            raise socket.gaierror from error
        return [str(place[0]) for *_, place in found if self._fence.lets_through(str(place[0]))]

    def _context(self) -> ssl.SSLContext | None:
        account = self._account
        if account.tls and self._tls is None:
            key = account.tls_key.get_secret_value()
            self._tls = tls_of(account.tls_ca, account.tls_certificate, key, verify=account.tls_verify)
        return self._tls


def trouble_of(error: BaseException, account: SmppAccount) -> Trouble:  # noqa: PLR0911 (a table)
    """Say in words why a session could not be made."""
    place = f"{account.host}:{account.port}"
    match error:
        case BindRefused():
            return Trouble(str(error), error.status in BROKEN)
        case Fenced():
            return Trouble(str(error), is_for_people=True)
        case ssl.SSLCertVerificationError():
            return Trouble(f"the certificate of {place} is not trusted: {error.verify_message}", is_for_people=True)
        case ssl.SSLError():
            return Trouble(f"TLS with {place} failed: {error.reason or 'it broke off'}", is_for_people=True)
        case TimeoutError():
            return Trouble(f"{place} did not answer within {account.bind_seconds:g} seconds", is_for_people=False)
        case LinkLost():
            return Trouble(f"{place} ended the connection before the bind was answered", is_for_people=False)
        case socket.gaierror():
            return Trouble(f"the name {account.host} leads nowhere", is_for_people=False)
        case ConnectionRefusedError():
            return Trouble(f"nobody listens at {place}", is_for_people=False)
        case _:
            return Trouble(f"{place} cannot be reached ({type(error).__name__})", is_for_people=False)
