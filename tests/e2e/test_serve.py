"""A stranger's script, with nothing but the command line and HTTP, gets a message out; and a stop loses nothing."""

import json
import re
import shlex
import signal
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from callsheet.carriers.sandbox.ledger import LedgerReader
from callsheet.console.first_campaign import first_campaign
from callsheet.folder import DataFolder
from e2e.running import Process, callsheet, campaign, create_and_start, csv_of, server, started, until
from phone_numbers import numbers
from postgres import create_database, drop_database


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "var"


@pytest.fixture(scope="module")
def process(tmp_path_factory) -> Iterator[Process]:
    """Start one server for all tests that only ask it."""
    with server(tmp_path_factory.mktemp("serve") / "var") as running:
        yield running


def contacts(count: int, seed: int = 0) -> list[str]:
    """Return numbers on which the sandbox's handsets behave."""
    return [number for number in numbers("US-Eastern", 2 * count, seed) if number[-4:-2] != "99"][:count]


def make_list(process, name: str, people: list[str]) -> None:
    list_id = process.v1("POST", "/contact-lists", {"name": name})["id"]
    import_id = process.v1("POST", f"/contact-lists/{list_id}/imports", csv_of(people))["id"]
    path = f"/contact-lists/{list_id}/imports/{import_id}"
    until(lambda: process.v1("GET", path)["state"] == "done", "the import")


def outcome(process, run_id: str) -> dict:
    return process.v1("GET", f"/runs/{run_id}")["outcome"]


def test_a_message_goes_out_by_the_documented_calls_alone(process):
    process.known = json.loads(callsheet("credentials", "--json", data=process.data).stdout)
    process.token = callsheet("token", data=process.data).stdout.strip()
    app = process.known["app_id"]
    lists = f"/agentassist/api/v1/public/{app}/campaign/contactList/createContactList"
    process.request("POST", lists, {"name": "A", "description": "", "source": "passiveApi"})
    person = {"phoneNumber": "13055550142", "first_name": "Ada"}
    body = {"contact_list_name": "A", "data": [person]}
    process.request("POST", f"/api/1.1/public/{app}/campaign/contactList/addContacts", body)
    campaign_id, _ = create_and_start(process, campaign("One", ["A"]))
    message = until(lambda: of_campaign(process, campaign_id), "the message")

    assert [(one["to"], one["text"], one["from"]) for one in message] == [("+13055550142", "Hello Ada", "+12025550100")]


def of_campaign(process: Process, campaign_id: str) -> list[dict]:
    return [message for message in process.outbox() if message["campaign_id"] == campaign_id]


def test_the_printed_link_opens_once_and_its_page_has_no_secret(process):
    link = re.search(r"http://\S+/welcome/\S+", process.output)[0]
    with urllib.request.urlopen(link) as answer:
        page = answer.read().decode()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(link)

    assert process.known["app_id"] in page
    assert process.known["client_secret"] not in page


def test_a_second_server_on_the_folder_is_refused_and_told_why(process):
    for port in ("0", process.known["base_url"].rpartition(":")[2]):
        refused = callsheet("serve", "--port", port, data=process.data)
        assert refused.returncode == 3
        assert f"process {process.popen.pid}" in refused.stderr
        assert "Traceback" not in refused.stderr


def test_a_port_that_is_taken_is_a_sentence(process, data):
    port = process.known["base_url"].rpartition(":")[2]
    refused = callsheet("serve", "--port", port, data=data)

    assert refused.returncode == 1
    assert f"127.0.0.1:{port}" in refused.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.full)])
def test_a_stop_in_the_middle_of_a_run_leaves_nothing_uncertain_and_repeats_nothing(data, number):
    people = contacts(300)
    sender = {"number": "+12025550100"}
    with server(data) as process:
        make_list(process, "A", people)
        # So slow that the run outlasts a pause of the machine.
        process.v1("POST", "/senders", {**sender, "segments_per_second": 10})
        _, run_id = create_and_start(process, campaign("One", ["A"]))
        until(lambda: len(process.outbox()) > 20, "the first messages")
        assert process.stop(number) == 0
        assert "Traceback" not in process.output
    assert 20 < len(handed(data)) < len(people)
    with server(data) as process:
        # Whatever had been left in the air would be uncertain from this start on.
        assert outcome(process, run_id)["uncertain"] == 0
        process.v1("POST", "/senders", {**sender, "segments_per_second": None})
        until(lambda: outcome(process, run_id)["delivered"] == len(people), "the rest")

        assert Counter(message["to"] for message in process.outbox()) == Counter(people)


def test_credentials_are_the_same_while_a_server_runs_and_after_it(data):
    with server(data) as process:
        during = json.loads(callsheet("credentials", "--json", data=data).stdout)
        assert process.stop() == 0

    assert json.loads(callsheet("credentials", "--json", data=data).stdout) == during == process.known
    assert set(during) == {"base_url", "account_id", "app_id", "client_id", "client_secret"}


def test_before_the_first_start_credentials_say_what_to_do(data):
    refused = callsheet("credentials", "--json", data=data)

    assert (refused.returncode, refused.stdout) == (1, "")
    assert "callsheet serve" in refused.stderr
    assert not data.exists()


def test_a_wrong_setting_is_named_and_an_unknown_one_is_warned_about(data):
    wrong = callsheet("serve", data=data, PORT="ninety")
    warned = callsheet("migrate", "--check", data=data, PROT="1")

    assert (wrong.returncode, warned.returncode) == (2, 4)
    assert wrong.stderr.startswith("CALLSHEET_PORT: ")
    assert "CALLSHEET_PROT" in warned.stderr


def test_the_first_campaign_of_the_welcome_page_works_as_printed(process):
    known = process.known
    steps = first_campaign(known["base_url"], known["app_id"], known["account_id"], "true")
    answers = [curl(process, step.command) for step in steps[1:-1]]
    until(lambda: of_campaign(process, answers[-2]["data"]["_id"]), "the message")
    texts = [message["text"] for message in curl(process, steps[-1].command)["items"]]

    assert answers[-1]["status"] == "Active"
    assert "Hello Ada, this is Callsheet." in texts


def curl(process, command: str) -> dict:
    """Do what curl does with these arguments, and nothing else."""
    words = shlex.split(command.replace("\\\n", "").replace("$TOKEN", process.token))
    assert words[:2] == ["curl", "-s"]
    headers, url, body = {}, "", None
    rest = iter(words[2:])
    for word in rest:
        if word == "-H":
            name, _, value = next(rest).partition(": ")
            headers[name] = value
        elif word == "--data":
            body = next(rest).encode()
        else:
            url = word
    method = "GET" if body is None else "POST"
    status, answer = process.request(method, url.removeprefix(process.known["base_url"]), body, headers=headers)
    assert status == 200, answer
    return answer


def test_the_engine_alone_needs_a_shared_database(data):
    refused = callsheet("work", data=data)

    assert refused.returncode == 1
    assert "CALLSHEET_DATABASE_URL" in refused.stderr


async def test_a_second_node_on_postgres_contacts_nobody_twice(tmp_path):
    url = await create_database("template0")
    shared = {"DATABASE_URL": url, "MASTER_KEY": "5a" * 32}
    people = contacts(300)
    try:
        with server(tmp_path / "one", **shared) as process:
            said = tmp_path / "two.said"
            with started("work", data=tmp_path / "two", said=said, **shared) as node:
                until(lambda: "works on the shared database" in node.output, "the second node")
                make_list(process, "A", people)
                process.v1("POST", "/senders", {"number": "+12025550100", "segments_per_second": 200})
                _, run_id = create_and_start(process, campaign("One", ["A"]))
                until(lambda: outcome(process, run_id)["delivered"] == len(people), "all receipts")
                assert node.stop() == 0
            assert process.stop() == 0
    finally:
        await drop_database(url)

    sent = [number for name in ("one", "two") for number in handed(tmp_path / name)]
    assert Counter(sent) == Counter(people)


def handed(data: Path) -> list[str]:
    """Return to whom the sandbox ledgers of a data folder say that a message went."""
    found = []
    for path in DataFolder(data).sandbox.glob("*.db"):
        with LedgerReader(path) as ledger:
            found += [message.to for message in ledger.outbox(0, 100_000)]
    return found
