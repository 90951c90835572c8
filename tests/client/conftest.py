from collections.abc import Iterator
from pathlib import Path

import pytest

from callsheet.client import Client
from client.wire import Wire
from e2e.running import Process, server


@pytest.fixture(scope="session")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """Start one server for all tests of the client."""
    with server(
        tmp_path_factory.mktemp("client") / "var", SANDBOX_SEED="1", ALLOW_PRIVATE_ADDRESSES="true", OUTSIDE_PORTS="*"
    ) as running:
        yield running


@pytest.fixture
def client(process: Process) -> Iterator[Client]:
    with Client(**process.known) as client:
        yield client


@pytest.fixture
def wire(process: Process) -> Iterator[Wire]:
    """Lay a wire to the server that can be cut."""
    with Wire(process.known["base_url"]) as wire:
        yield wire


@pytest.fixture
def far(process: Process, wire: Wire) -> Iterator[Client]:
    """Make a client at the other end of that wire."""
    with Client(**{**process.known, "base_url": wire.base_url}) as client:
        yield client


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_bytes(b"phone,first_name\n+12125550123,Ada\n+12125550124,Bob\nnobody,Cy\n")
    return path
