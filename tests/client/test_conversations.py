"""The documented advanced campaign, from its request to conversations that somebody answers, through the client."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from callsheet.client import Client

PAGE = Path(__file__).parents[1] / "api" / "pages" / "create_advanced_v2.json"
PEOPLE = {"one": "+12125559910", "sentence": "+12125559911", "stop": "+12125559909", "silent": "+12125550177"}


def until(ready: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 120
    while not (found := ready()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def documented(list_name: str) -> dict[str, Any]:
    """Return the body of the page, for a list and hours of this test."""
    body: dict[str, Any] = json.loads(PAGE.read_text("utf-8"))["request"]["body"]
    always = {"frequency": "DAILY", "timezone": "UTC", "days": [{"start": "12:00 AM", "end": "12:00 AM"}]}
    del body["dncLists"]
    body["dialingStrategy"]["callingHours"] = always
    return {**body, "contactLists": [list_name]}


def test_the_documented_advanced_campaign_becomes_conversations(client: Client) -> None:
    people = client.contact_lists.create("Talks")
    client.contact_lists.add(
        people.id,
        [
            {"phoneNumber": number, "first_name": name, "language": "hi" if name == "sentence" else "en"}
            for name, number in PEOPLE.items()
        ],
    )
    made = client.compat.campaigns.create(documented("Talks"), campaign_type="sms").data
    client.compat.campaigns.start(made.id)

    def stand() -> dict[str, Any]:
        """Return the conversations, once they stand where they are to."""
        found = {one.number: one for one in client.conversations.list(flow=made.experience_flow)}
        settled = {number: one.ending or one.awaits for number, one in found.items()}
        expected = {"one": "person", "sentence": "person", "stop": "opted_out", "silent": "reply"}
        return found if settled == {PEOPLE[name]: how for name, how in expected.items()} else {}

    found = until(stand)
    whole = {name: client.conversations.get(found[number].id) for name, number in PEOPLE.items()}

    assert {one.flow.name for one in whole.values()} == {"SMS Support Flow"}
    assert [one.name for one in whole["one"].visits if one.has_left and one.is_question] == [
        "menu", "order_written", "order",
    ]  # fmt: skip
    said = [line.text for line in whole["one"].messages if line.direction == "out"]
    assert said[0].startswith("Hello one, how can we help? Reply 1 for the status")
    assert said[1:3] == ["Please reply with your order number.", "A colleague will look it up and answer you soon."]
    hindi = [line.text for line in whole["sentence"].messages if line.direction == "out"]
    assert hindi[0].startswith("नमस्ते sentence जी")
    assert [text.startswith("क्षमा करें") for text in hindi[1:3]] == [True, True]
    assert len([line for line in whole["silent"].messages if line.direction == "out"]) == 1

    waiting = {one.id for one in client.conversations.list(queue="Default Queue", state="open")}
    assert {whole["one"].id, whole["sentence"].id} <= waiting
    client.conversations.take(whole["one"].id)
    client.conversations.reply(whole["one"].id, "It left our house today.")
    closed = client.conversations.close(whole["one"].id, "answered")
    assert (closed.disposition, closed.messages[-1].by) == ("answered", "agent")
    ended = until(lambda: (one := client.conversations.get(whole["one"].id)).ended_at and one)
    assert (ended.ending, ended.awaits) == ("done", "nothing")
