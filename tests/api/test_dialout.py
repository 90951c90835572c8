"""A single call by the documented request: its answer, what it refuses, and what whoever asked is told."""

import json

import pytest

from api.callers import SENDER, unique, until
from api.test_webhooks import ear
from callsheet.core.ids import decode_attempt
from phone_numbers import numbers

FULL = {
    "target": "tel:+12125550177", "caller": SENDER, "timeoutInMs": 20_500, "trunk": "sandbox",
    "machineDetection": "disconnect", "thresholdWordCount": 7,
    "metadata": {"order": 7, "name": "Ada", "deep": {"a": 1}},
    "timers": {
        "noSpeechTimeoutMs": 5000, "decisionTimeoutMs": 15_000, "toneTimeoutMs": 20_000,
        "greetingCompletionTimeoutMs": 2000,
    },
    "amdEventsSubscription": ["amd_human_detected"], "callControlParameter": {"headers": {"X-A": "1"}},
    "notifyHeaders": {"x-token": "t"},
}  # fmt: skip

NOTICE = {
    "conversationId", "sessionId", "callId", "status", "reason", "reasonCode", "callConnectTime", "callDisconnectTime",
    "ringDurationInMS", "connectDurationInMS", "callDuration",
}  # fmt: skip


def path_of(caller, version=""):
    return f"/api/1.1/public/bot/{caller.app_id}{version}/smartassist/dialout"


async def post(shop, body, version=""):
    return await shop.server.http.post(path_of(shop, version), headers=shop.headers, json=body)


def faults(answer) -> dict[str, str]:
    assert answer.status_code == 400, answer.text
    return {error["field"]: error["msg"] for error in answer.json()["errors"] if "field" in error}


@pytest.mark.parametrize("version", ["", "/V2"])
async def test_a_call_is_answered_with_its_ids(shop, version):
    answer = await post(shop, {"target": "tel:+12125550177", "caller": SENDER}, version)

    assert answer.status_code == 200, answer.text
    assert answer.json().keys() == {"sid", "callId"}
    assert decode_attempt(answer.json()["callId"]) is not None


@pytest.mark.parametrize("version", ["", "/v2"])
async def test_a_request_as_the_pages_show_it_is_taken_and_its_headers_are_sent(shop, version):
    (person,) = numbers("IN", 1, ending="0177")
    trunk = (await shop.v1("GET", "/trunks")).json()["items"][0]["name"]
    async with ear() as (heard, url):
        body = {
            "bot": "st-another", "botId": "st-another", "target": f"tel:{person.removeprefix('+')}", "caller": SENDER,
            "trunk": trunk, "timeoutInMs": 60_000, "thresholdWordCount": 4, "machineDetection": "detect",
            "timers": {
                "noSpeechTimeoutMs": 12_000, "decisionTimeoutMs": 15_000, "toneTimeoutMs": 20_000,
                "greetingCompletionTimeoutMs": 10_000,
            },
            "notifyurl": url,
            "notifyHeaders": {
                "Accept": "application/json", "Content-Type": "application/json; charset=utf-8", "x-kind": "IVR",
                "event-type": "voice", "Authorization": "Basic dTpw",
            },
            "callControlParameter": {
                "sttProvider": "deepgram", "sttLanguage": "en-AU", "interim": True, "sttLabel": "label",
                "continuousASRTimeoutInMS": 2000, "deepgramUtteranceEndMs": 1000, "deepgramEndpointing": 300,
            },
            "metadata": {"jobPosition": "Engineer", "userName": "Ada"},
        }  # fmt: skip
        # Their sample names no kind of content that is JSON.
        headers = {**shop.headers, "Format": "application/json", "content-type": "application/x-www-form-urlencoded"}
        placed = await shop.server.http.post(path_of(shop, version), headers=headers, content=json.dumps(body))
        assert placed.status_code == 200, placed.text
        await until(lambda: _is_told(heard, 1))
    given, said = heard.heard[0]
    sent = {name.lower(): value for name, value in given.items()}
    assert len(sent) == len(given), "no header is sent twice"
    assert json.loads(said)["conversationId"] == placed.json()["sid"]
    assert (sent["x-kind"], sent["event-type"], sent["accept"]) == ("IVR", "voice", "application/json")
    assert (sent["content-type"], sent["authorization"]) == ("application/json; charset=utf-8", "Basic dTpw")


async def test_a_field_that_a_table_spells_otherwise_is_read(shop):
    wrong = {"machinedetection": "maybe", "notifyUrl": "ftp://x", "amd_events_subscription": "x", "TimeoutInMS": 1}
    assert faults(await post(shop, {**wrong, "target": "tel:+12125550177", "caller": SENDER})).keys() == {
        "machineDetection", "notifyurl", "amdEventsSubscription", "timeoutInMs",
    }  # fmt: skip
    right = {"machinedetection": "maybe", "machineDetection": "Disconnect"}
    assert (await post(shop, {**right, "target": "tel:+12125550177", "caller": SENDER})).status_code == 200


async def test_calls_that_are_alike_share_a_campaign_which_says_how_they_are_made(shop):
    for body in (FULL, FULL | {"target": "sip:+12125550178@sip.example.com;user=phone"}, FULL | {"timeoutInMs": 9000}):
        assert (await post(shop, body)).status_code == 200
    found = [one for one in (await shop.v1("GET", "/campaigns")).json()["items"] if one["name"].startswith("Outbound")]
    assert sorted(one["ring_seconds"] for one in found) == [9, 21]
    assert {one["voice"]["machine_detection"] for one in found} == {"disconnect"}
    assert all(one["channel"] == "voice" and not one["contact_lists"] for one in found)
    lists = (await shop.v1("GET", "/contact-lists")).json()["items"]
    (calls,) = [one for one in lists if one["name"] == f"Outbound calls {SENDER}"]
    people = (await shop.v1("GET", f"/contact-lists/{calls['id']}/contacts")).json()["items"]
    assert [one["number"] for one in people] == ["+12125550177", "+12125550178", "+12125550177"]
    assert people[0]["columns"] == {"order": "7", "name": "Ada"}


async def test_every_wrong_field_is_named_at_once(shop):
    before = (await shop.v1("GET", "/contact-lists")).json()
    wrong = {
        "target": "sip:ada@example.com", "caller": "nobody", "timeoutInMs": 1, "machineDetection": "maybe",
        "thresholdWordCount": -1, "metadata": [], "timers": {"toneTimeoutMs": 1}, "callControlParameter": "x",
        "amdEventsSubscription": ["amd_human_detected", "amd_dog_detected"], "notifyurl": "ftp://x",
        "notifyHeaders": {"host": "x", "x-a": "b\nc", "x y": "z"},
    }  # fmt: skip
    assert faults(await post(shop, wrong)).keys() == {
        "target", "caller", "timeoutInMs", "machineDetection", "thresholdWordCount", "metadata", "timers.toneTimeoutMs",
        "callControlParameter", "amdEventsSubscription[1]", "notifyurl", "notifyHeaders.host", "notifyHeaders.x-a",
        "notifyHeaders.x y",
    }  # fmt: skip
    assert faults(await post(shop, {})).keys() == {"target", "caller"}
    assert (await shop.v1("GET", "/contact-lists")).json() == before


async def test_a_caller_id_belongs_to_a_trunk_that_carries_calls(shop):
    smpp = {"host": "127.0.0.1", "port": 1, "system_id": "us"}
    texts = (await shop.v1("POST", "/trunks", {"name": unique("Texts"), "carrier": "smpp", "settings": smpp})).json()
    await shop.v1("POST", "/senders", {"number": "+12125550188", "trunk_id": texts["id"]})
    body = {"target": "tel:+12125550177", "caller": "tel:+12125550188"}
    assert faults(await post(shop, body)) == {"caller": "No trunk carries calls for this caller ID."}
    body = {"target": "tel:+12125550177", "caller": SENDER, "trunk": "elsewhere"}
    assert faults(await post(shop, body)) == {"trunk": "The caller does not belong to a trunk of this name."}


@pytest.mark.parametrize(
    ("caller", "from_"),
    [
        ("+12125550177", "+12125550177"),
        ("tel:12125550177", "+12125550177"),
        ("sip:+12125550177@sip.example.com", "+12125550177"),
        # No phone could be reached by these; the sample of the page has one of them.
        ("+11234567890", "+11234567890"),
        ("4711", "4711"),
    ],
)
async def test_a_caller_id_that_nobody_configured_leaves_through_the_trunk_that_takes_any(shop, caller, from_):
    (person,) = numbers("IN", 1, ending="0177")
    assert (await post(shop, {"target": f"tel:{person}", "caller": caller})).status_code == 200

    async def placed():
        return (await shop.v1("GET", "/sandbox/calls")).json()["items"]

    assert [(one["from"], one["to"]) for one in await until(placed)] == [(from_, person)]


async def test_whoever_asked_is_told_that_somebody_is_spared(shop):
    (person,) = numbers("IN", 1)
    opted_out = await shop.v1("POST", "/opt-outs", {"numbers": [person], "channel": "voice"})
    assert opted_out.status_code == 200, opted_out.text
    async with ear() as (heard, url):
        body = {"target": f"tel:{person}", "caller": SENDER, "notifyurl": url, "notifyHeaders": {"x-token": "secret"}}
        placed = (await post(shop, body)).json()
        await until(lambda: _is_told(heard, 1))
    ((headers, said),) = heard.heard
    told = json.loads(said)
    assert (told["status"], told["conversationId"], told["callId"]) == ("Failed", placed["sid"], placed["callId"])
    assert (told["reason"], told["reasonCode"]) == ("opted out", "Service Unavailable")
    assert headers["x-token"] == "secret"
    assert person not in said.decode()


async def _is_told(heard, count) -> bool:
    return len(heard.heard) >= count


async def test_another_tenant_cannot_call_for_this_one(shop, stranger):
    answer = await shop.server.http.post(path_of(stranger), headers={"auth": shop.token()}, json=FULL)

    assert answer.status_code == 403


async def test_sending_that_was_stopped_holds_for_single_calls_too(shop):
    assert (await shop.v1("POST", "/stop-all", {"reason": "test"})).status_code in (200, 201)
    answer = await post(shop, {"target": "tel:+12125550177", "caller": SENDER})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "sending_stopped")


@pytest.mark.parametrize(
    ("ending", "asked", "told_of", "reasons"),
    [
        ("0177", "detect", ["Answered", "amd_human_detected", "completed"], ("200 OK", "bot-disconnected")),
        ("0178", "disabled", ["Answered", "completed"], ("200 OK", "bot-disconnected")),
        ("9924", "disconnect", ["Answered", "amd_machine_detected", "completed"], ("200 OK", "bot-disconnected")),
        ("9921", "detect", ["Failed"], ("486 Busy Here", "Busy Here")),
        ("9923", "detect", ["Failed"], ("603 Decline", "Temporarily Unavailable")),
    ],
)
async def test_whoever_asked_is_told_what_became_of_a_call_of_the_sandbox(shop, ending, asked, told_of, reasons):
    (person,) = numbers("IN", 1, ending=ending)
    async with ear() as (heard, url):
        body = {"target": f"tel:{person}", "caller": SENDER, "notifyurl": url, "machineDetection": asked}
        assert (await post(shop, body)).status_code == 200
        await until(lambda: _is_told(heard, len(told_of)))
    told = [json.loads(said) for _, said in heard.heard]
    assert sorted(_what(one) for one in told) == sorted(told_of)
    (last,) = [one for one in told if one["status"] in ("completed", "Failed")]
    assert (last["reason"], last["reasonCode"]) == reasons
    verdict = next((word for word in told_of if word.startswith("amd_")), None)
    assert last.get("machineDetection") == verdict
    is_answered = last["status"] == "completed"
    assert (last["callDisconnectTime"] > last["callConnectTime"]) is is_answered
    assert last["connectDurationInMS"] >= last["ringDurationInMS"]
    assert all(one.keys() >= NOTICE for one in told)


def _what(notice: dict[str, object]) -> object:
    """Return what a notice tells: an event of machine detection, or a status."""
    return notice["machineDetection" if notice["status"] == "Call-In-Progress" else "status"]
