"""What Twilio's answers mean: what was certainly not taken may be sent again, what may have been taken never is."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from pydantic import ValidationError

from callsheet.carriers.base import (
    Accepted,
    AccountRefused,
    InvalidMessage,
    InvalidNumber,
    NoAnswer,
    NotConnected,
    Outbound,
    SendError,
    Stopped,
    Throttled,
    Unwell,
)
from callsheet.carriers.callback import Doors
from callsheet.carriers.twilio.account import TwilioAccount
from callsheet.carriers.twilio.wording import TwilioWording
from callsheet.carriers.web import WebCarrier
from callsheet.clock import SystemClock
from callsheet.core.asking import Answer, NotReached, Request
from callsheet.core.condition import State

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
DOCUMENT = {"account_sid": "AC" + "0" * 32, "auth_token": "token"}
MESSAGE = Outbound("ab12", "+14155550100", "+14155550199", "Hé & <co>", 1, "cd-1")


def wording(base: str = "https://c.example/ingest/tr-1/s", **more: Any) -> TwilioWording:
    return TwilioWording(TwilioAccount.model_validate({**DOCUMENT, **more}), Doors(base))


def fields(message: Outbound = MESSAGE, **more: Any) -> dict[str, str]:
    body = wording(**more).write(message, NOW).body
    assert body is not None
    return dict(parse_qsl(body.decode(), strict_parsing=True))


def test_a_request_names_our_attempt_in_the_url_that_is_called_back():
    assert fields() == {
        "To": "+14155550100",
        "From": "+14155550199",
        "Body": "Hé & <co>",
        "ValidityPeriod": "36000",
        "StatusCallback": "https://c.example/ingest/tr-1/s/status?reference=ab12",
    }


def test_a_messaging_service_stands_for_the_sender():
    asked = fields(messaging_service_sid="MG" + "1" * 32, smart_encoded=True)
    assert "From" not in asked
    assert (asked["MessagingServiceSid"], asked["SmartEncoded"]) == ("MG" + "1" * 32, "true")


def test_nothing_is_asked_to_call_back_when_nobody_can_or_nobody_waits():
    assert "StatusCallback" not in fields(base="")
    assert "StatusCallback" not in fields(MESSAGE._replace(wants_receipt=False))


@pytest.mark.parametrize(
    ("left", "asked"), [(60.9, "60"), (0.2, "1"), (-5, "1"), (35_999, "35999"), (36_001, "36000"), (10**7, "36000")]
)
def test_twilio_gives_up_no_later_than_the_contacts_window(left, asked):
    assert fields(MESSAGE._replace(valid_until=NOW + timedelta(seconds=left)))["ValidityPeriod"] == asked


def test_an_api_key_signs_in_where_there_is_one():
    token = wording().write(MESSAGE, NOW).headers["authorization"]
    key = wording(api_key_sid="SK" + "2" * 32, api_key_secret="s").write(MESSAGE, NOW).headers["authorization"]
    assert token != key


def answer(status: int, body: Any) -> Answer:
    return Answer(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


def read(status: int, body: Any) -> Accepted | SendError:
    try:
        return wording().read(answer(status, body), MESSAGE)
    except SendError as error:
        return error


def test_what_twilio_took_has_its_id_and_its_segments():
    assert read(201, {"sid": "SM1", "status": "queued", "num_segments": "3"}) == Accepted("SM1", 3)
    # A Messaging Service says 0 while it has not chosen a sender.
    assert read(201, {"sid": "SM1", "status": "accepted", "num_segments": "0"}) == Accepted("SM1", 1)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (401, 20003, AccountRefused),
        (403, None, AccountRefused),
        (404, 20404, AccountRefused),
        (429, 20429, Throttled),
        (429, None, Throttled),
        (400, 21611, Throttled),
        (400, 21211, InvalidNumber),
        (400, 21614, InvalidNumber),
        (400, 21610, Stopped),
        (400, 21606, InvalidMessage),
        (400, 21603, InvalidMessage),
        (400, 21617, InvalidMessage),
        (400, 99999, InvalidMessage),
        (503, 20503, Unwell),
        (503, None, NoAnswer),
        (500, 20500, NoAnswer),
        (502, None, NoAnswer),
        (504, None, NoAnswer),
        (408, None, NoAnswer),
        (302, None, NoAnswer),
    ],
)
def test_an_error_means_one_thing(status, code, error):
    found = read(status, {"code": code, "message": "said", "status": status} if code else b"<html>")
    assert type(found) is error
    assert found.code == (str(code) if code else f"http_{status}")


@pytest.mark.parametrize(
    "body", [b"", b"<html>welcome</html>", b"[]", b"[" * 5000, b'"x"', b"{}", b'{"sid": []}', b"\xff"]
)
def test_a_success_that_is_not_twilios_is_uncertain(body):
    assert type(read(200, body)) is NoAnswer


def test_a_message_that_failed_while_it_was_created_was_not_taken():
    assert type(read(201, {"sid": "SM1", "status": "failed", "error_code": 21610})) is Stopped
    assert type(read(201, {"sid": "SM1", "status": "failed", "error_code": None})) is InvalidMessage


def carrier(said: Answer | NotReached, tries: int = 1) -> WebCarrier:
    async def ask(_request: Request, **_: Any) -> Answer:
        if isinstance(said, NotReached):
            raise said
        return said

    return WebCarrier(wording(), ask, SystemClock(), window=1, tries=tries)


async def test_what_was_not_sent_is_definite_and_what_may_have_been_is_not():
    unsent, sent = carrier(NotReached("no", was_sent=False)), carrier(NotReached("no"))
    with pytest.raises(NotConnected):
        await unsent.send(MESSAGE)
    with pytest.raises(NoAnswer):
        await sent.send(MESSAGE)
    assert unsent.condition().state is State.connecting


async def test_the_line_says_how_it_stands():
    for status, code, state in [(401, 20003, State.broken), (429, 20429, State.throttled), (400, 21211, State.open)]:
        line = carrier(answer(status, {"code": code}))
        with pytest.raises(SendError):
            await line.send(MESSAGE)
        assert line.condition().state is state


async def test_a_test_call_says_what_is_wrong():
    account = {"sid": "AC" + "0" * 32, "status": "active"}
    assert (await carrier(answer(200, account)).probe()).ok
    for said in (answer(200, {**account, "status": "suspended"}), answer(200, {"sid": "AC1"}), answer(401, b"")):
        assert not (await carrier(said).probe()).ok
    assert (
        await carrier(NotReached("The host's name leads nowhere.")).probe()
    ).said == "The host's name leads nowhere."


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"account_sid": "AC1"}, "account_sid"),
        ({"auth_token": ""}, "auth_token"),
        ({"api_key_sid": "SK" + "2" * 32}, "api_key_secret"),
        ({"api_key_secret": "x"}, "api_key_sid"),
        ({"base_url": "ftp://x"}, "base_url"),
        ({"base_url": "https://u:p@x"}, "base_url"),
        ({"validity_seconds": 36_001}, "validity_seconds"),
        ({"window": 0}, "window"),
        ({"more": 1}, "more"),
    ],
)
def test_a_wrong_account_names_its_field(more, named):
    with pytest.raises(ValidationError, match=named):
        TwilioAccount.model_validate({**DOCUMENT, **more})
