import asyncio
import shutil
import zoneinfo
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

from callsheet.garbage import collect_seldom, look_seldom
from callsheet.store.apps import App
from callsheet.store.store import Store
from databases import DATABASES, Place, make_file
from e2e.starting import copy_processes
from factories import Node, StillClock, make_app
from postgres_pool import borrow_database, give_back_database

pytest_plugins = ["sampling", "strangers.fixtures"]

HERE = Path(__file__).parent
WAITING = ("chaos", "e2e", "strangers", "voice")
"""Folders whose tests mostly wait for other processes: begun first, they wait while other workers compute."""

# The zones of the pinned package rule, here as in the program: the machine may know another future.
zoneinfo.reset_tzpath(to=())

# How long an example takes, or its making, says nothing on a machine that does other work too.
_patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("house", _patient)
settings.register_profile("quick", _patient, derandomize=True, max_examples=30)
settings.load_profile("house")

# Where a loop breaks again and again, drawing each trace in boxes takes longer than the test.
_plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
structlog.configure(processors=[structlog.processors.add_log_level, _plain])

# Modules and tests are no garbage: a tenth of the time went into looking at them.
look_seldom()


def pytest_configure(config: pytest.Config) -> None:
    """Draw few examples in the quick suite, the same each time: it tells what a change broke; the full one looks on.

    Nor does it load the program anew for each process.
    """
    if "not full" in config.option.markexpr:
        settings.load_profile("quick")
        copy_processes()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that wait."""
    items.sort(key=lambda item: item.path.relative_to(HERE).parts[0] not in WAITING)


def pytest_collection_finish() -> None:
    """Never look at them again, as the server does."""
    collect_seldom()


@pytest.fixture
def clock() -> StillClock:
    """Stand still on a Monday at noon UTC until moved."""
    return StillClock()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a SQLite file with the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("template") / "callsheet.db"
    asyncio.run(make_file(path))
    return path


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> str:
    """Run a test on both databases."""
    return str(request.param)


@pytest.fixture
async def place(database: str, clock: StillClock, tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Place]:
    """Make a fresh database, on which the test opens stores."""
    if database == "sqlite":
        address = str(tmp_path / "callsheet.db")
        shutil.copy(sqlite_template, address)
    else:
        address = await borrow_database()
    place = Place(database, address, clock)
    yield place
    await place.close_all()
    if database == "postgres":
        await give_back_database(address)


@pytest.fixture
async def store(place: Place) -> Store:
    """Open a store on a fresh database."""
    return await place.open()


@pytest.fixture
async def app(store: Store, clock: StillClock) -> App:
    """Make an app with a trunk that takes any sender."""
    return await make_app(store, clock)


@pytest.fixture
async def node(store: Store, clock: StillClock) -> Node:
    """Register a node."""
    return await Node.enter(store, clock)


@pytest.fixture
async def other(place: Place, clock: StillClock, node: Node) -> Node:
    """Enter a second node, in a program of its own."""
    return await Node.enter(await place.open(), clock)
