from collections.abc import AsyncIterator

import pytest

from databases import Place
from postgres import create_database, drop_database


@pytest.fixture
async def postgres_place() -> AsyncIterator[Place]:
    """Make a fresh PostgreSQL database for several nodes, whose own clock they go by."""
    url = await create_database()
    place = Place("postgres", url, None)  # type: ignore[arg-type] # the database's own clock
    yield place
    await place.close_all()
    await drop_database(url)
