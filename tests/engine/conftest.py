from collections.abc import AsyncIterator, Callable

import pytest

from callsheet.carriers.base import Done, Outbound
from callsheet.carriers.one_by_one import OneByOne
from callsheet.clock import SystemClock
from databases import Place
from postgres_pool import borrow_database, give_back_database


@pytest.fixture
async def postgres_place() -> AsyncIterator[Place]:
    """Make a fresh PostgreSQL database for several nodes, whose own clock they go by."""
    url = await borrow_database()
    place = Place("postgres", url, None)  # type: ignore[arg-type] # the database's own clock
    yield place
    await place.close_all()
    await give_back_database(url)


@pytest.fixture
def instants(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Note when each message is handed to a carrier, on the monotonic clock."""
    clock = SystemClock()
    found: list[float] = []
    submit = OneByOne.submit

    def noted(carrier: OneByOne, message: Outbound, leave: Callable[[], None], done: Done) -> None:
        found.append(clock.monotonic())
        submit(carrier, message, leave, done)

    monkeypatch.setattr(OneByOne, "submit", noted)
    return found
