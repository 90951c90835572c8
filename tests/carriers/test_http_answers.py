"""What a REST provider answers and calls is read as its account says; what cannot be read is never taken for a yes."""

import hashlib
import hmac
import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.account import read_account
from callsheet.carriers.base import (
    Accepted,
    AccountRefused,
    Forbidden,
    Inbound,
    InvalidMessage,
    InvalidNumber,
    NoAnswer,
    Outbound,
    Receipt,
    SendError,
    Stopped,
    Throttled,
    Unwell,
)
from callsheet.carriers.callback import BadSignature, Callback, Doors, Unreadable, What
from callsheet.carriers.http.account import HttpAccount
from callsheet.carriers.http.callbacks import read_callback
from callsheet.carriers.http.json_path import find
from callsheet.carriers.http.presets import PlivoAccount, VonageAccount
from callsheet.carriers.http.wording import HttpWording
from callsheet.carriers.web import WebCarrier
from callsheet.clock import SystemClock
from callsheet.core.asking import Answer, HeldBack, NotReached, Request
from callsheet.core.attempt import Kind
from callsheet.core.part import Part

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
MESSAGE = Outbound("ab12", "+14155550100", "+14155550199", "Hello", 2, "cd-1")
VONAGE = VonageAccount.model_validate({"api_key": "k", "api_secret": "s"}).expand()
PLIVO = PlivoAccount.model_validate({"auth_id": "MA1", "auth_token": "token"}).expand()


def account(**document: Any) -> HttpAccount:
    return read_account(HttpAccount, {"url": "https://api.example.com/", **document})


def read(of: HttpAccount, status: int, body: Any) -> Accepted | SendError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        return HttpWording(of, Doors("")).read(Answer(status, {}, raw), MESSAGE)
    except SendError as error:
        return error


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a", [{"b": [{"c-d": 1}, {"c-d": 2}]}]),
        ("a.b[0].c-d", [1]),
        ("a.b[*].c-d", [1, 2]),
        ("a.b[9].c-d", []),
        ("a.x", []),
        ("a[0]", []),
        ("", []),
    ],
)
def test_a_path_leads_where_it_says(path, found):
    assert find({"a": {"b": [{"c-d": 1}, {"c-d": 2}]}}, path) == found


def test_a_path_may_begin_in_a_list():
    assert find([{"id": 1}, {"id": 2}], "[1].id") == [2]


OPEN = account(
    success_path="ok",
    success_values=["true"],
    id_path="id",
    code_path="error",
    errors=[
        {"codes": ["busy"], "means": "retry"},
        {"codes": ["full"], "means": "throttle"},
        {"codes": ["nobody"], "means": "number"},
        {"codes": ["stop"], "means": "stopped"},
        {"codes": ["credit"], "means": "account"},
        {"codes": ["hm"], "means": "uncertain"},
        {"statuses": [503], "means": "retry"},
        {"pattern": "maintenance", "means": "retry"},
    ],
)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"ok": True, "id": 7}, Accepted("7", 2, ("7",))),
        # An error inside a success.
        (200, {"ok": False, "error": "busy"}, Unwell),
        (200, {"error": "full"}, Throttled),
        (200, {"error": "nobody"}, InvalidNumber),
        (400, {"error": "stop"}, Stopped),
        (200, {"error": "credit"}, AccountRefused),
        (500, {"error": "hm"}, NoAnswer),
        (200, {"ok": False, "error": "new"}, InvalidMessage),
        # Nobody said that it was taken, nobody said that it was not.
        (200, {"ok": False}, NoAnswer),
        (200, {"ok": True}, NoAnswer),
        (200, b"<html>Welcome to the hotel</html>", NoAnswer),
        (200, b"", NoAnswer),
        (200, b"[" * 2000, NoAnswer),
        (204, b"\xff\xfe", NoAnswer),
        (302, b"", NoAnswer),
        (500, b"", NoAnswer),
        (502, b"", NoAnswer),
        (504, b"", NoAnswer),
        (408, b"", NoAnswer),
        (409, b"", NoAnswer),
        # The account says that these are definite.
        (503, b"", Unwell),
        (500, b"down for maintenance", Unwell),
        (429, b"", Throttled),
        (401, b"", AccountRefused),
        (404, b"", AccountRefused),
        (422, b"", InvalidMessage),
    ],
)
def test_an_answer_means_what_the_account_says(status, body, expected):
    found = read(OPEN, status, body)
    assert found == expected if isinstance(expected, Accepted) else type(found) is expected


def test_an_answer_in_words_is_read_by_patterns():
    of = account(success_pattern="^ID: ", id_pattern=r"^ID: (\w+)")
    assert read(of, 200, b"ID: a1b2") == Accepted("a1b2", 2, ("a1b2",))
    assert type(read(of, 200, b"ERR: 105")) is NoAnswer
    assert type(read(account(errors=[{"pattern": "^ERR: 105", "means": "number"}]), 200, b"ERR: 105")) is InvalidNumber


def test_a_provider_without_ids_is_taken_by_its_word():
    assert read(account(), 202, b"") == Accepted("", 2, ())


def test_vonage_tells_each_part():
    parts = [{"status": "0", "message-id": "A"}, {"status": "0", "message-id": "B"}]
    assert read(VONAGE, 200, {"messages": parts}) == Accepted("A", 2, ("A", "B"))
    assert type(read(VONAGE, 200, {"messages": [{"status": "1"}]})) is Throttled
    assert type(read(VONAGE, 200, {"messages": [{"status": "4"}]})) is AccountRefused
    assert type(read(VONAGE, 200, {"messages": [{"status": "5"}]})) is NoAnswer
    assert type(read(VONAGE, 200, {"messages": [{"status": "99"}]})) is InvalidMessage


def test_a_text_of_which_a_part_was_taken_is_not_sent_again():
    halves = [{"status": "0", "message-id": "A"}, {"status": "1"}]
    for parts in (halves, halves[::-1]):
        error = read(VONAGE, 200, {"messages": parts})
        assert isinstance(error, NoAnswer)
        # A receipt of the one that was taken does not speak of both.
        assert error.carrier_ids == ("A", "")


def test_plivo_takes_a_message():
    assert read(PLIVO, 202, {"message": "queued", "message_uuid": ["u1"]}) == Accepted("u1", 2, ("u1",))
    assert type(read(PLIVO, 400, {"error": "no such number"})) is InvalidMessage


@given(st.binary(max_size=200), st.integers(100, 599))
def test_no_answer_breaks_the_reader(body, status):
    for of in (OPEN, VONAGE, PLIVO):
        assert isinstance(read(of, status, body), NoAnswer | InvalidMessage | AccountRefused | Throttled | Unwell)


async def sent(*said: Answer | NotReached, **document: Any) -> tuple[Accepted | SendError, list[Request]]:
    asked: list[Request] = []
    answers = iter(said)

    async def ask(request: Request, **_: Any) -> Answer:
        asked.append(request)
        answer = next(answers)
        if isinstance(answer, NotReached):
            raise answer
        return answer

    of = account(**document)
    carrier = WebCarrier(
        HttpWording(of, Doors("")), ask, SystemClock(), window=1, tries=2 if of.repeats_are_safe else 1
    )
    try:
        return await carrier.send(MESSAGE), asked
    except SendError as error:
        return error, asked


async def test_what_was_forbidden_while_it_connected_is_given_up_as_not_sent():
    answer, asked = await sent(HeldBack("forbidden", was_sent=False))

    assert isinstance(answer, Forbidden)
    assert len(asked) == 1


async def test_only_a_provider_that_knows_repeats_is_asked_again_and_with_the_same_key():
    late, taken = NotReached("There was no answer."), Answer(200, {}, b"")

    once, asked_once = await sent(late, taken)
    twice, asked_twice = await sent(late, taken, idempotency_header="Idempotency-Key", repeats_are_safe=True)
    never, _ = await sent(late, NotReached("no", was_sent=False), idempotency_header="K", repeats_are_safe=True)

    assert type(once) is NoAnswer
    assert len(asked_once) == 1
    assert isinstance(twice, Accepted)
    assert len(asked_twice) == 2
    assert asked_twice[0] == asked_twice[1]
    assert type(never) is NoAnswer


def called(body: Any = None, *, what: What = What.status, query: str = "", **headers: str) -> Callback:
    url = f"https://c.example/ingest/tr-1/s/{what}{query}"
    if isinstance(body, bytes):
        return Callback(what, "POST", url, headers, body, NOW)
    return Callback(what, "POST", url, {"content-type": "application/json", **headers}, json.dumps(body).encode(), NOW)


def test_vonages_receipts_and_replies_are_read():
    told = {"msisdn": "14155550100", "messageId": "A", "status": "DELIVERED", "err-code": "0", "client-ref": "ab12"}
    assert read_callback(VONAGE, called(told)) == [
        Receipt("ab12", "A", Kind.delivered, NOW, "0", number="+14155550100"),
    ]
    by_get = Callback(What.status, "GET", f"https://c.example/x?{urlencode(told)}", {}, b"", NOW)
    assert read_callback(VONAGE, by_get) == read_callback(VONAGE, called(told))
    assert read_callback(VONAGE, called({**told, "status": "unknown"})) == []

    reply = {"msisdn": "14155550100", "to": "14155550199", "messageId": "R", "text": "STOP"}
    parts = {"concat-ref": "1A", "concat-total": "3", "concat-part": "2"}
    assert read_callback(VONAGE, called({**reply, **parts}, what=What.inbound)) == [
        Inbound("R", "+14155550100", "+14155550199", "STOP", NOW, Part(26, 3, 2)),
    ]


def test_plivos_signature_covers_its_url_and_nonce():
    body = urlencode({"MessageUUID": "u1", "Status": "delivered", "To": "14155550100"}).encode()
    url = "https://c.example/ingest/tr-1/s/status"
    right = b64encode(hmac.digest(b"token", f"{url}n1".encode(), hashlib.sha256)).decode()
    signed = {"x-plivo-signature-v2": right, "x-plivo-signature-v2-nonce": "n1"}

    assert read_callback(PLIVO, called(body, query="?reference=ab12", **signed)) == [
        Receipt("ab12", "u1", Kind.delivered, NOW, "", number="+14155550100"),
    ]
    for wrong in ({}, {**signed, "x-plivo-signature-v2-nonce": "n2"}, {**signed, "x-plivo-signature-v2": ""}):
        with pytest.raises(BadSignature):
            read_callback(PLIVO, called(body, query="?reference=ab12", **wrong))


@pytest.mark.parametrize("encoding", ["hex", "base64"])
@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
def test_a_body_is_signed_as_the_account_says(encoding, algorithm):
    signature = {"header": "X-Sig", "secret": "k", "algorithm": algorithm, "encoding": encoding, "prefix": "v="}
    of = account(status={"state_path": "s", "id_path": "id", "states": {"ok": "delivered"}}, signature=signature)
    made = hmac.digest(b"k", json.dumps({"s": "ok", "id": "1"}).encode(), algorithm)
    right = "v=" + (made.hex().upper() if encoding == "hex" else b64encode(made).decode())

    assert len(read_callback(of, called({"s": "ok", "id": "1"}, **{"x-sig": right}))) == 1
    with pytest.raises(BadSignature):
        read_callback(of, called({"s": "ok", "id": "2"}, **{"x-sig": right}))


def test_one_callback_may_tell_several():
    status = {"items_path": "results", "id_path": "id", "state_path": "s.name", "states": {"ok": "delivered"}}
    told = {"results": [{"id": "1", "s": {"name": "ok"}}, {"id": "2", "s": {"name": "OK"}}]}
    heard = read_callback(account(status=status), called(told))
    assert [receipt.carrier_id for receipt in heard if isinstance(receipt, Receipt)] == ["1", "2"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"results": 1}', b'{"results": []}', b"\xff", b"a=b", b"[" * 999]
)
@pytest.mark.parametrize("what", list(What))
def test_what_the_account_does_not_know_is_unreadable(body, what):
    status = {"items_path": "results", "id_path": "id", "state_path": "s", "states": {"ok": "delivered"}}
    for of in (VONAGE, account(status=status), account()):
        with pytest.raises(Unreadable):
            read_callback(of, called(body, what=what))


@given(
    st.sampled_from(What),
    st.binary(max_size=100)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["status", "messageId", "msisdn", "to", "text", "concat-ref"]), inner, max_size=6
            )
        ),
    ),
)
def test_no_callback_breaks_the_reader(what, body):
    try:
        heard = read_callback(VONAGE, called(body, what=what))
    except Unreadable:
        return
    assert all(isinstance(one, Receipt | Inbound) for one in heard)
