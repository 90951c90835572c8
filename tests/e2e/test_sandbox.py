"""`callsheet sandbox` as others use it: clients that others wrote, and a kill in the middle."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import smpp34

from e2e.running import Process, campaign, create_and_start, server, started, until
from house.tree import page
from ports import free_port


class Sandbox:
    def __init__(self, process: Process) -> None:
        self.process = process
        said = process.output.splitlines()
        self.smpp = int(said[0].partition("SMPP 127.0.0.1:")[2].partition(",")[0])
        self.url = said[0].rpartition(" ")[2]
        self.trunk = json.loads(said[1].partition(": ")[2])

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return json.load(answer)


@contextmanager
def sandbox(data: Path, *args: str) -> Iterator[Sandbox]:
    said = data.with_name(f"{data.name}.said")
    said.unlink(missing_ok=True)
    ports = ("--smpp-port", "0", "--http-port", "0", "--seed", "1")
    with started("sandbox", *ports, *args, data=data, said=said) as process:

        def ready() -> bool:
            assert process.popen.poll() is None, process.output
            return "a trunk for them" in process.output

        until(ready, "the simulator")
        yield Sandbox(process)


async def bound(it: Sandbox):
    return await smpp34.Client("127.0.0.1", it.smpp, "us", "secret", bind_type="TRX").connect()


async def send(session, number: int):
    return await session.submit_sm(
        f"4477009{number:05}", b"Hi", source_addr="Acme", dest_addr_ton=1, dest_addr_npi=1, registered_delivery=1
    )


async def test_a_kill_loses_nothing_that_was_answered_and_tells_what_was_not_heard(tmp_path: Path):
    with sandbox(tmp_path / "data") as it:
        session = await bound(it)
        answered = [(await send(session, number)).message_id for number in range(30)]
        it.process.popen.kill()
        it.process.popen.wait()
    with sandbox(tmp_path / "data") as it:
        shown = {item["id"] for item in it.get("/outbox")["items"]}
        assert set(answered) <= shown
        session = await bound(it)
        # What was heard before the kill was acknowledged by its client; all else comes now, and a new one comes too.
        last = (await send(session, 99_999)).message_id
        while f"id:{last} ".encode() not in (await session.next()).short_message:
            pass
        await session.unbind()
        until(lambda: {item["status"] for item in it.get("/outbox")["items"]} == {"delivered"}, "every receipt")
        assert it.process.stop() == 0


def test_kannel_sends_through_it_and_hears_the_receipt(tmp_path: Path, kannel_bearerbox):
    with sandbox(tmp_path / "data", "--system-id", "tester", "--password", "secret") as it:
        gateway = kannel_bearerbox(it.smpp)
        until(lambda: it.get("/healthz")["bound"], "the bind")
        long_text = "A text in parts, with a € in it. " * 8

        gateway.send("Acme", "+447700900123", "Hello from Kannel", dlr_mask="3", dlr_url="http://127.0.0.1:1/%d")
        gateway.send("Acme", "+447700900124", long_text, dlr_mask="3", dlr_url="http://127.0.0.1:1/%d")

        items = until(lambda: len(found := it.get("/outbox")["items"]) == 2 and found, "both texts")
        assert {item["text"].strip() for item in items} == {"Hello from Kannel", long_text.strip()}
        assert {item["to"][-12:] for item in items} == {"447700900123", "447700900124"}
        until(lambda: {one["status"] for one in it.get("/outbox")["items"]} == {"delivered"}, "the receipts")
        assert it.process.stop() == 0


def test_it_says_what_to_put_into_a_trunk_and_owns_its_folder(tmp_path: Path):
    with sandbox(tmp_path / "data", "--system-id", "us", "--password", "secret") as it:
        assert it.trunk["carrier"] == "smpp"
        assert it.trunk["settings"] == {"host": "127.0.0.1", "port": it.smpp, "system_id": "us", "password": "secret"}
        with started("sandbox", "--smpp-port", "0", data=tmp_path / "data", said=tmp_path / "second") as second:
            assert second.popen.wait(60) == 3


def test_the_trunk_on_the_page_sends_and_hears_what_the_handsets_say(tmp_path: Path):
    with sandbox(tmp_path / "handsets") as it:
        http_port, port = it.url.rpartition(":")[2], str(free_port())
        outside = {"ALLOW_PRIVATE_ADDRESSES": "true", "OUTSIDE_PORTS": http_port}
        there = {"PUBLIC_URL": f"http://127.0.0.1:{port}", **outside}
        with server(tmp_path / "var", command=("serve", "--port", port), **there) as process:
            block = page("docs/reference/sandbox.md").partition("```json\n")[2].partition("```")[0]
            trunk = json.loads(block.replace("127.0.0.1:8031", it.url.removeprefix("http://")))
            assert process.v1("POST", "/trunks/test", trunk)["ok"]
            trunk_id = process.v1("POST", "/trunks", trunk)["id"]
            process.v1("POST", "/senders", {"number": "+12025550100", "trunk_id": trunk_id})
            list_id = process.v1("POST", "/contact-lists", {"name": "A"})["id"]
            process.v1("POST", f"/contact-lists/{list_id}/contacts", {"contacts": [{"number": "+12025559909"}]})
            create_and_start(process, campaign("One", ["A"]))

            heard = until(lambda: process.v1("GET", "/messages")["items"], "the reply")
            assert [(one["word"], one["text"]) for one in heard] == [("stop", "STOP")]
            until(lambda: {one["status"] for one in it.get("/outbox")["items"]} == {"delivered"}, "the receipt")
            assert not process.outbox(), "nothing went to the sandbox inside"
