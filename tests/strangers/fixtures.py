"""Fixtures of the other ends, for tests of every room: written by others, started by a test, ended with it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from strangers import lacking
from strangers.emulator import Emulator, running_emulator
from strangers.kannel import Kannel, running_kannel
from strangers.node_smpp import NodeSmpp, running_smsc
from strangers.phone_network import PhoneNetwork, running_phone_network


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly, and last, which tests were not run for want of what they talk to."""
    skipped = sum("could not be had" in str(one.longrepr) for one in terminalreporter.stats.get("skipped", ()))
    for line in lacking.tell(skipped):
        terminalreporter.write_line(line, red=True, bold=True)


@pytest.fixture
def node_smpp() -> Iterator[Callable[..., NodeSmpp]]:
    """Start SMSCs: `node_smpp(receipt_delay_ms=300)`; the options stand at the head of `smsc.js`."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(running_smsc(**options))


@pytest.fixture
def emulate_twilio() -> Iterator[Callable[..., Emulator]]:
    """Start Twilios: `emulate_twilio(inbound_url=…)`."""

    def start(**options: Any) -> Emulator:
        return stack.enter_context(running_emulator(**options))

    with ExitStack() as stack:
        yield start


@pytest.fixture
def kannel_bearerbox(tmp_path: Path) -> Iterator[Callable[..., Kannel]]:
    """Start Kannels that bind to the SMSC on a port: `kannel_bearerbox(port, max_pending_submits=10)`."""
    numbers = count(1)

    def start(port: int, **smsc: Any) -> Kannel:
        return stack.enter_context(running_kannel(tmp_path / f"kannel{next(numbers)}", port, **smsc))

    with ExitStack() as stack:
        yield start


@pytest.fixture(scope="session")
def phone_network() -> Iterator[PhoneNetwork]:
    """Run one phone network for all tests: what each number does stands in `phones.py`; take numbers from it."""
    with running_phone_network() as network:
        yield network


@pytest.fixture
def start_phone_network() -> Iterator[Callable[..., PhoneNetwork]]:
    """Start phone networks of a test's own: `start_phone_network(asks_password=True)`."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(running_phone_network(**options))
