"""The demo is the first thing that anybody sees: it ends, its numbers add up, and it gives nobody away."""

import re
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from callsheet import settings
from callsheet.bootstrap import open_runtime
from callsheet.carriers.sandbox.ledger import LedgerReader
from callsheet.cli.demo_people import ENDINGS
from callsheet.folder import DataFolder
from e2e.running import callsheet, server, until

LINE = re.compile(r"^  (delivered|undelivered|rejected|accepted|uncertain|excluded|duplicate|deferred"
                  r"|contacts|rejected rows|twice in a file|rows) +([\d,]+)  ", re.MULTILINE)  # fmt: skip


@pytest.fixture(scope="module")
def played(tmp_path_factory) -> tuple[Path, str]:
    """Play the demo once, with everything logged that can be."""
    data = tmp_path_factory.mktemp("demo") / "var"
    done = callsheet("demo", data=data, LOG_LEVEL="debug", LOG_FORMAT="json", SANDBOX_SEED="1")
    assert done.returncode == 0, done.stdout + done.stderr
    return data, done.stdout + done.stderr


def table(text: str) -> dict[str, int]:
    return {name: int(count.replace(",", "")) for name, count in LINE.findall(text)}


def test_every_contact_and_every_row_is_accounted_for(played):
    counts = table(played[1])
    outcomes = ("delivered", "undelivered", "rejected", "accepted", "uncertain", "excluded", "duplicate", "deferred")

    assert counts["contacts"] == sum(counts[name] for name in outcomes)
    assert counts["rows"] == counts["contacts"] + counts["rejected rows"] + counts["twice in a file"]
    assert counts["rows"] > 1_900
    assert min(counts.values()) > 0


def test_handsets_that_misbehave_show_up_as_what_they_did(played):
    counts = table(played[1])

    assert counts["undelivered"] == ENDINGS["9904"]
    assert counts["rejected"] == ENDINGS["9905"]
    assert counts["uncertain"] == ENDINGS["9907"]
    assert counts["accepted"] == ENDINGS["9908"]
    assert "on a DNC list 50" in played[1]
    assert f"{2 * ENDINGS['9906']} were throttled" in played[1]
    # So few are silent that the second campaign has not to wait until the trunk is trusted again.
    assert "trunk.broken" not in played[1]


async def test_no_number_and_no_text_of_a_contact_is_anywhere_but_on_the_sandbox_handsets(played):
    data, said = played
    people, texts = await told_in_confidence(data)
    assert len(people) > 1_800
    assert len(texts) > 1_000

    places = {"what it printed and logged": said.encode()}
    for path in data.rglob("*"):
        if path.is_file() and path.parent != DataFolder(data).sandbox:
            places[path.name] = path.read_bytes()
    assert "callsheet.db" in places
    for place, content in places.items():
        assert not [True for secret in people | texts if secret in content], place


async def told_in_confidence(data: Path) -> tuple[set[bytes], set[bytes]]:
    """Return the digits of every contact's number, and every text that went out."""
    people, texts = set(), set()
    async with open_runtime(settings.load(data=data), start_engine=False) as runtime:
        app = await runtime.store.apps.by_no(1)
        for name in ("Demo 1 customers", "Demo 1 newsletter"):
            found = await runtime.store.lists.find(app.no, name=name)
            people |= {c.number[1:].encode() for c in await runtime.store.contacts.page(found, after=0, limit=10_000)}
        # The ledger opens with the engine; without one nobody else has it.
        texts = {text.encode() for text in texts_of(data)}
    return people, texts


def texts_of(data: Path) -> Iterator[str]:
    for path in DataFolder(data).sandbox.glob("*.db"):
        with LedgerReader(path) as ledger:
            yield from (message.text for message in ledger.outbox(0, 10_000))


def test_nobody_else_may_read_what_it_left(played):
    for path in [played[0], *played[0].rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_it_may_be_shown_again_and_the_server_stays_up_until_told(played):
    data, _ = played
    with server(data, command=("demo", "--keep", "--port", "0")) as process:
        until(lambda: "until Ctrl-C" in process.output, "the end of the demo")
        assert "Demo 2 on the sandbox carrier" in process.output
        run_path = re.search(r"/runs/(cid-[0-9a-f-]+)\"", process.output)
        status = process.v1("GET", f"/runs/{run_path[1]}")["status"]
        assert status == "Active"
        assert process.stop(signal.SIGINT) == 0
    assert "Traceback" not in process.output
