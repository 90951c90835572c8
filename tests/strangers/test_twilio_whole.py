"""From a campaign to Twilio and back: creates, errors, signed callbacks, replies, through a served program."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.running import Process, campaign, create_and_start, csv_of, server, until
from ports import free_port
from strangers.emulator import Emulator

PEOPLE = ["+12025550111", "+12025550112", "+12025550113", "+12025550114"]


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    port = str(free_port())
    settings = {"PUBLIC_URL": f"http://127.0.0.1:{port}", "ALLOW_PRIVATE_ADDRESSES": "true", "OUTSIDE_PORTS": "*"}
    with server(tmp_path / "var", command=("serve", "--port", port), **settings) as running:
        yield running


def make_trunk(process: Process, twilio: Emulator, **more: str) -> dict[str, Any]:
    account = {"account_sid": twilio.account_sid, "auth_token": twilio.auth_token, "base_url": twilio.url}
    body = {"name": "Twilio", "carrier": "twilio", "settings": {**account, **more}}
    trunk: dict[str, Any] = process.v1("POST", "/trunks", body)
    return trunk


def send_to(process: Process, people: list[str], trunk: dict[str, Any], number: str, name: str) -> str:
    """Run a campaign through a trunk, and return the run."""
    sender = process.v1("POST", "/senders", {"number": number})
    process.v1("PATCH", f"/senders/{sender['id']}", {"trunk_id": trunk["id"]})
    list_id = process.v1("POST", "/contact-lists", {"name": name})["id"]
    import_id = process.v1("POST", f"/contact-lists/{list_id}/imports", csv_of(people))["id"]
    until(lambda: process.v1("GET", f"/contact-lists/{list_id}/imports/{import_id}")["state"] == "done", "the import")
    body = campaign(name, [name])
    body["dialingStrategy"]["callerId"]["phoneNumber"] = number
    return create_and_start(process, body)[1]


def outcome(process: Process, run: str, state: str) -> int:
    return int(process.v1("GET", f"/runs/{run}")["outcome"][state])


def test_a_campaign_goes_out_and_what_became_of_it_comes_back(process, emulate_twilio: Callable[..., Emulator]):
    twilio = emulate_twilio()
    trunk = make_trunk(process, twilio)
    assert process.v1("POST", f"/trunks/{trunk['id']}/test")["ok"]
    assert twilio.auth_token not in str(process.v1("GET", f"/trunks/{trunk['id']}"))

    run = send_to(process, PEOPLE, trunk, twilio.number, "Out")
    until(lambda: outcome(process, run, "accepted") == len(PEOPLE), "Twilio to take all")

    sent = twilio.messages()
    assert sorted(one["to"] for one in sent) == PEOPLE
    assert {one["body"] for one in sent} == {"Hello Ada"}
    twilio.advance(sent[0]["sid"], "delivered")
    twilio.advance(sent[1]["sid"], "undelivered")
    twilio.advance(sent[2]["sid"], "failed")
    twilio.advance(sent[3]["sid"], "sent")
    assert (outcome(process, run, "delivered"), outcome(process, run, "undelivered")) == (1, 2)
    assert outcome(process, run, "accepted") == 1
    # What never changes back, whatever comes after it.
    twilio.advance(sent[0]["sid"], "sent")
    assert outcome(process, run, "delivered") == 1


def test_a_reply_opts_out(process, emulate_twilio: Callable[..., Emulator]):
    trunk = make_trunk(process, emulate_twilio())
    urls = process.v1("GET", f"/trunks/{trunk['id']}/callbacks")
    twilio = emulate_twilio(inbound_url=urls["inbound_url"])

    twilio.reply(PEOPLE[0], "STOP")

    assert len(process.v1("GET", "/opt-outs")["items"]) == 1
    log = process.output
    assert re.search(r"\+1202555", log) is None
    assert urls["inbound_url"].rsplit("/", 2)[1] not in log


def test_a_wrong_token_holds_the_run_back_and_is_told(process, emulate_twilio: Callable[..., Emulator]):
    twilio = emulate_twilio()
    trunk = make_trunk(process, twilio, auth_token="wrong")
    said = process.v1("POST", f"/trunks/{trunk['id']}/test")
    assert (said["ok"], "20003" in said["said"]) == (False, True)

    run = send_to(process, PEOPLE[:1], trunk, twilio.number, "Held")
    until(lambda: process.v1("GET", f"/trunks/{trunk['id']}")["condition"]["state"] == "broken", "the refusal")
    assert outcome(process, run, "rejected") == 0
    assert twilio.messages() == []
    process.v1("PATCH", f"/trunks/{trunk['id']}", {"settings": {"auth_token": twilio.auth_token}})
    assert process.v1("POST", f"/trunks/{trunk['id']}/test")["ok"]
    until(lambda: outcome(process, run, "accepted") == 1, "the message that was held back")
    assert len(twilio.messages()) == 1


def test_a_number_that_is_not_ours_is_rejected_with_twilios_code(process, emulate_twilio: Callable[..., Emulator]):
    twilio = emulate_twilio()
    trunk = make_trunk(process, twilio)
    run = send_to(process, PEOPLE[:1], trunk, "+12025550100", "Foreign")
    until(lambda: outcome(process, run, "rejected") == 1, "the rejection")
    (one,) = process.v1("GET", f"/runs/{run}/attempts")["items"]
    assert "21606" in str(one)
