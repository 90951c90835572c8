import inspect
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from api.callers import HASTY, Caller, Server, make_client
from api.tenant_watch import Watched, watch
from callsheet import settings
from callsheet.api.app import build
from callsheet.bootstrap import open_runtime
from callsheet.engine.tuning import Tuning
from databases import DATABASES, change
from postgres import create_database, drop_database
from strangers.packages import CACHE

HERE = Path(__file__).parent

# The client looks for it with every request, and takes as long as the request for not finding it.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]

PATIENT = Tuning(hand_seconds=20.0)
"""Where a machine stands between arming and handing, nobody is withdrawn and counted twice."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of this folder in one loop: they share a server, and each has an app of its own.

    The walks that try each of a tenant's ids in each place take very many requests: they go over one database, and a
    sample of them over the other. What they look at lies above the store.
    """
    items[:] = [item for item in items if not ("test_tenant_walk" in item.nodeid and "postgres-whole" in item.name)]
    mine = [item for item in items if HERE in item.path.parents]
    for item in mine:
        if inspect.iscoroutinefunction(inspect.unwrap(getattr(item, "function", None))):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session", params=DATABASES)
def served_database(request: pytest.FixtureRequest) -> str:
    """Run a test on both databases."""
    return str(request.param)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server(served_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """Start a process as `serve` does, with handsets that answer at once."""
    url = await create_database() if served_database == "postgres" else ""
    chosen = settings.load(
        data=tmp_path_factory.mktemp("data"), database_url=url, allow_private_addresses=True, outside_ports="*",
        asterisk_tree=str(CACHE / "asterisk" / "tree"), sip_address="127.0.0.1",
    )  # fmt: skip
    async with open_runtime(chosen, timings=HASTY, tuning=PATIENT) as runtime:
        watch(runtime.store)
        transport = httpx2.ASGITransport(Watched(build(runtime)))
        async with httpx2.AsyncClient(transport=transport, base_url="http://callsheet.test") as http:
            yield Server(runtime, http)
    if url:
        await drop_database(url)


@pytest_asyncio.fixture(loop_scope="session")
async def shop(server: Server) -> AsyncIterator[Caller]:
    """Make an app of the test's own, and someone who calls for it."""
    caller = Caller(server, await make_client(server))
    yield caller
    await _leave(caller)


@pytest_asyncio.fixture(loop_scope="session")
async def stranger(server: Server) -> AsyncIterator[Caller]:
    """Make another app in another account."""
    caller = Caller(server, await make_client(server, name="Stranger"))
    yield caller
    await _leave(caller)


async def _leave(caller: Caller) -> None:
    """Take the trunks of an app away with its test: the lines of two thousand would be looked at all the time."""
    await change(caller.server.runtime.store, "delete from trunk where app = :app", app=caller.client.app.no)
