"""Behind a trusted proxy, who fails to sign in is counted by his own address; elsewhere nobody can make one up."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx2
import pytest
from argon2 import PasswordHasher

from callsheet import settings
from callsheet.cli.serving import serving
from callsheet.engine.passwords import Passwords
from callsheet.engine.sign_in import MOST_FAILURES

MOST = MOST_FAILURES["both"]
PEOPLE = [f"198.51.100.{number}" for number in range(1, MOST + 2)]


async def sign_in(base_url: str, peer: str, said: Sequence[str]) -> list[int]:
    """Try with a wrong password, once for each address that a peer says it speaks for."""
    transport = httpx2.AsyncHTTPTransport(local_address=peer)
    async with httpx2.AsyncClient(transport=transport, base_url=base_url, timeout=60) as http:
        wrong = {"login": "ada", "password": "a wrong password"}
        return [
            (await http.post("/v1/sessions", json=wrong, headers={"x-forwarded-for": address})).status_code
            for address in said
        ]


@pytest.fixture
async def base_url(tmp_path: Path, trusted: str | None) -> AsyncIterator[str]:
    chosen = settings.load(data=tmp_path, trusted_proxies=trusted)
    async with serving(chosen, passing=True, start_engine=False) as server:
        # What a password costs is not what this is about.
        hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        server.runtime.sign_in.passwords = Passwords(hasher)
        yield server.known.base_url


@pytest.mark.parametrize(
    ("trusted", "peer"), [(None, "127.0.0.1"), ("127.0.0.2", "127.0.0.2"), ("192.0.2.1, 127.0.0.0/8", "127.0.0.3")]
)
async def test_a_trusted_proxy_says_who_it_is(base_url, peer):
    assert await sign_in(base_url, peer, PEOPLE) == [401] * len(PEOPLE)
    # Of a list the last that no proxy of ours wrote: what came before it anybody can write.
    assert await sign_in(base_url, peer, [f"{one}, {PEOPLE[0]}" for one in PEOPLE]) == [401] * (MOST - 1) + [429] * 2


@pytest.mark.parametrize(("trusted", "peer"), [(None, "127.0.0.2"), ("127.0.0.2", "127.0.0.1")])
async def test_a_stranger_who_says_that_he_is_somebody_else_is_himself(base_url, peer):
    assert await sign_in(base_url, peer, PEOPLE) == [401] * MOST + [429]
