"""People with browsers: they sign in, keep the cookie, and their pages are ours unless a test says otherwise."""

from typing import Any

import httpx2
from argon2 import PasswordHasher

from api.callers import Caller, unique
from callsheet.api.app import build
from callsheet.engine.passwords import Passwords

PASSWORD = "correct horse battery"
SITE = "http://callsheet.test"
OURS = {"origin": SITE}


def hash_cheaply(caller: Caller) -> None:
    """Let passwords cost little in this process."""
    caller.server.runtime.sign_in.passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


class Person:
    """Somebody with a browser."""

    def __init__(
        self, caller: Caller, login: str, user_id: str, *, site: str = SITE, address: str = "192.0.2.7"
    ) -> None:
        transport = httpx2.ASGITransport(build(caller.server.runtime), client=(address, 1))
        self.http = httpx2.AsyncClient(transport=transport, base_url=site)
        self.caller = caller
        self.login = login
        self.id = user_id

    async def sign_in(self, password: str = PASSWORD, **headers: str) -> Any:
        """Sign in, and keep the cookie."""
        body = {"login": self.login, "password": password, "account_id": self.caller.account_id}
        return await self.http.post("/v1/sessions", json=body, headers=headers)

    async def call(self, method: str, path: str, body: Any = None, *, app_id: str | None = None, **headers: str) -> Any:
        """Call as a page of ours does, below an app."""
        return await self.send(method, f"/v1/apps/{app_id or self.caller.app_id}{path}", body, **{**OURS, **headers})

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Call with these headers and the cookie."""
        more: dict[str, Any] = {} if body is None else {"json": body}
        return await self.http.request(method, path, headers=headers, **more)


async def make_person(caller: Caller, role: str, *, login: str | None = None, **more: Any) -> Person:
    """Make a user of an app, and sign him in."""
    hash_cheaply(caller)
    login = login or unique("person")
    made = await caller.v1("POST", "/users", {"login": login, "password": PASSWORD, "role": role})
    assert made.status_code == 201, made.text
    person = Person(caller, login, made.json()["id"], **more)
    signed_in = await person.sign_in()
    assert signed_in.status_code == 201, signed_in.text
    return person
