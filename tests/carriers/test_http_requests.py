"""Whatever a text holds, it stays a text in the request: nothing else of the request changes with it."""

import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.account import read_account, split
from callsheet.carriers.base import InvalidMessage, Outbound
from callsheet.carriers.callback import Doors
from callsheet.carriers.http.account import HttpAccount
from callsheet.carriers.http.presets import PlivoAccount, VonageAccount
from callsheet.carriers.http.wording import HttpWording
from callsheet.core.asking import Request
from callsheet.core.errors import Invalid

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
DOORS = Doors("https://c.example/ingest/tr-1/s")
MESSAGE = Outbound("ab12", "+14155550100", "+14155550199", "Hello", 1, "cd-1")
URL = "https://api.example.com/send"
texts = st.text(max_size=60) | st.sampled_from(
    ['","to":"+1', "&to=1", "\r\nX: 1", "</text><to>", "{{to}}", "\x00", "\ud800"]
)


def account(**document: Any) -> HttpAccount:
    return read_account(HttpAccount, {"url": URL, "body": {}, **document})


def asked(message: Outbound = MESSAGE, doors: Doors = DOORS, **document: Any) -> Request:
    return HttpWording(account(**document), doors).write(message, NOW)


def body_of(request: Request) -> str:
    assert request.body is not None
    return request.body.decode()


BODY = {"to": "{{to}}", "message": {"text": "[{{text}}]", "parts": "{{segments}}"}, "list": ["{{text}}"], "on": True}


@given(texts)
def test_no_text_breaks_out_of_json(text):
    said = json.loads(body_of(asked(MESSAGE._replace(text=text), body=BODY)))
    inner = [text] if text else []
    assert said == {"to": "+14155550100", "message": {"text": f"[{text}]", "parts": 1}, "list": inner, "on": True}


@given(texts)
def test_no_text_breaks_out_of_a_form_or_a_query(text):
    message = MESSAGE._replace(text=text)
    body = {"to": "{{to}}", "text": "[{{text}}]"}
    expected = [("to", "+14155550100"), ("text", f"[{text}]".encode("utf-8", "replace").decode())]

    form = asked(message, content="form", body=body)
    query = asked(message, content="query", body=body, method="GET", url=f"{URL}?a=1")

    assert parse_qsl(body_of(form), strict_parsing=True) == expected
    assert parse_qsl(urlsplit(query.url).query, strict_parsing=True) == [("a", "1"), *expected]
    assert query.body is None


@given(texts)
def test_no_text_breaks_out_of_a_raw_body(text):
    message = MESSAGE._replace(text=text)
    raw = {"content": "raw", "content_type": "application/xml"}
    tree = ET.fromstring(body_of(asked(message, **raw, body='<m to="{{to}}" again="{{text}}"><t>{{text}}</t></m>')))
    assert [child.tag for child in tree] == ["t"]
    assert list(tree.attrib) == ["to", "again"]

    raw["content_type"] = "application/json"
    assert json.loads(body_of(asked(message, **raw, body='{"text": "{{text}}"}'))) == {"text": text}

    raw["content_type"] = "application/x-www-form-urlencoded"
    assert [
        name for name, _ in parse_qsl(body_of(asked(message, **raw, body="a={{text}}&b=1")), keep_blank_values=True)
    ] == ["a", "b"]


@given(texts)
def test_no_text_breaks_out_of_a_path_and_no_sender_out_of_a_header(text):
    message = MESSAGE._replace(text=text, sender=text)
    request = asked(message, url="https://api.example.com/{{to}}/{{text}}/end", headers={"X-From": "{{from}}"})
    parts = urlsplit(request.url)
    assert parts.netloc == "api.example.com"
    assert parts.path.count("/") == 3
    assert unquote(parts.path.split("/")[1]) == "+14155550100"
    assert request.headers["X-From"].isprintable()
    assert request.headers["X-From"].isascii()


def test_a_field_with_nothing_to_say_is_left_out():
    body = {"url": "{{callback_url}}", "template": "{{dlt_template_id}}", "fixed": ""}
    assert json.loads(body_of(asked(body=body, doors=Doors("")))) == {"fixed": ""}
    tagged = MESSAGE._replace(tags={"dlt_template_id": "7"})
    said = json.loads(body_of(asked(tagged, body=body)))
    assert said == {"url": "https://c.example/ingest/tr-1/s/status?reference=ab12", "template": "7", "fixed": ""}


def test_a_text_in_parts_is_told_by_the_ids_of_its_parts():
    body = {"url": "{{callback_url}}", "ref": "{{receipt_reference}}"}
    long = MESSAGE._replace(segments=2)
    said = json.loads(body_of(asked(long, body=body, receipts_per_part=True, id_path="ids[*]")))
    assert said == {"url": "https://c.example/ingest/tr-1/s/status?reference="}
    assert "ref" in json.loads(body_of(asked(MESSAGE, body=body, receipts_per_part=True, id_path="ids[*]")))


def test_what_no_url_can_hold_is_not_asked_for_ever():
    with pytest.raises(InvalidMessage):
        asked(MESSAGE._replace(text="é" * 400), content="query", method="GET", body={"text": "{{text}}"})


@pytest.mark.parametrize(
    ("auth", "name", "value"),
    [
        ({"auth": "basic", "key": "me", "secret": "pw"}, "authorization", "Basic bWU6cHc="),
        ({"auth": "bearer", "secret": "tok"}, "authorization", "Bearer tok"),
        ({"auth": "header", "auth_header": "X-Key", "secret": "tok"}, "X-Key", "tok"),
        ({"idempotency_header": "Idempotency-Key"}, "Idempotency-Key", "ab12"),
    ],
)
def test_who_we_are_stands_where_the_account_says(auth, name, value):
    assert asked(**auth).headers[name] == value


@pytest.mark.parametrize(("left", "seconds"), [(30, 60), (90.5, 90), (10**7, 172_800)])
def test_the_provider_gives_up_within_its_bounds(left, seconds):
    message = MESSAGE._replace(valid_until=NOW + timedelta(seconds=left))
    assert json.loads(body_of(asked(message, body={"ttl": "{{valid_seconds}}"}))) == {"ttl": seconds}


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"url": "ftp://x"}, "url"),
        ({"url": "https://{{to}}/"}, "url"),
        ({"url": "https://x/{{phone}}"}, "url"),
        ({"url": "https://x/{{to"}, "url"),
        ({"method": "DELETE"}, "method"),
        ({"method": "GET"}, "content"),
        ({"headers": {"Host": "x"}}, "headers"),
        ({"headers": {"X": "a\r\nb"}}, "headers"),
        ({"headers": {"X": "{{text}}"}}, "headers"),
        ({"body": {"a": "{{nothing}}"}}, "body"),
        ({"body": {"{{to}}": "x"}}, "body"),
        ({"body": "x"}, "body"),
        ({"content": "form", "body": {"a": ["x"]}}, "body"),
        ({"content": "raw", "body": {"a": "x"}}, "body"),
        ({"auth": "basic", "secret": "x"}, "key"),
        ({"auth": "bearer"}, "secret"),
        ({"auth": "header", "secret": "x"}, "auth_header"),
        ({"auth": "bearer", "secret": "a\nb"}, "secret"),
        ({"success_path": "a..b", "success_values": ["1"]}, "success_path"),
        ({"success_path": "a"}, "success_values"),
        ({"id_pattern": "("}, "id_pattern"),
        ({"id_pattern": "(a+)+b"}, "id_pattern"),
        ({"id_pattern": ".*.*.*x"}, "id_pattern"),
        ({"id_pattern": r"\w{1,9}\w{1,99}\w{1,99}!"}, "id_pattern"),
        ({"id_pattern": "a?" * 30}, "id_pattern"),
        ({"id_pattern": "(a|a)" * 20}, "id_pattern"),
        ({"id_pattern": r"(a)\1"}, "id_pattern"),
        ({"id_pattern": "(?x)(a+) +"}, "id_pattern"),
        ({"errors": [{"means": "retry"}]}, "errors[0].codes"),
        ({"errors": [{"codes": ["1"], "means": "retry"}]}, "code_path"),
        ({"errors": [{"statuses": [500], "means": "perhaps"}]}, "errors[0].means"),
        ({"repeats_are_safe": True}, "idempotency_header"),
        ({"receipts_per_part": True}, "id_path"),
        ({"status": {"states": {"x": "delivered"}}}, "status.state_path"),
        ({"status": {"state_path": "s", "states": {"x": "lost"}}}, "status.states"),
        ({"inbound": {"id_path": "x"}}, "inbound.number_path"),
        ({"signature": {"header": "X", "secret": "s", "covers": ["nonce"]}}, "signature.nonce_header"),
        ({"probe_url": "x"}, "probe_url"),
        ({"encodings": {"GSM-7": "a"}}, "encodings"),
        ({"window": "5"}, "window"),
        ({"wrong": 1}, "wrong"),
    ],
)
def test_a_wrong_field_is_named(wrong, named):
    with pytest.raises(Invalid) as caught:
        account(**wrong)
    assert named in str(caught.value)


def test_every_wrong_field_is_named_at_once():
    with pytest.raises(Invalid) as caught:
        account(auth="basic", repeats_are_safe=True, receipts_per_part=True)
    assert [
        name for name in ("secret:", "key:", "idempotency_header:", "id_path:") if name not in str(caught.value)
    ] == []


def test_what_is_shown_of_an_account_has_no_secret_and_both_make_the_account_again():
    document = {"auth": "basic", "key": "me", "secret": "pw", "signature": {"header": "X", "secret": "sig"}}
    shown, secrets = split(account(**document))
    assert secrets == {"secret": "pw", "signature": {"secret": "sig"}}
    assert "pw" not in json.dumps(shown)


def test_the_presets_ask_as_their_providers_want_it():
    message = MESSAGE._replace(text="Привет", valid_until=NOW + timedelta(hours=1))
    vonage = VonageAccount.model_validate({"api_key": "k", "api_secret": "s"}).expand()
    plivo = PlivoAccount.model_validate({"auth_id": "MA1", "auth_token": "t"}).expand()

    to_vonage, to_plivo = (HttpWording(one, DOORS).write(message, NOW) for one in (vonage, plivo))

    assert to_vonage.url == "https://rest.nexmo.com/sms/json"
    assert json.loads(body_of(to_vonage)) == {
        "api_key": "k",
        "api_secret": "s",
        "to": "14155550100",
        "from": "14155550199",
        "text": "Привет",
        "type": "unicode",
        "ttl": 3_600_000,
        "status-report-req": True,
        "client-ref": "ab12",
    }
    assert to_plivo.url == "https://api.plivo.com/v1/Account/MA1/Message/"
    assert json.loads(body_of(to_plivo)) == {
        "src": "+14155550199",
        "dst": "+14155550100",
        "text": "Привет",
        "url": "https://c.example/ingest/tr-1/s/status?reference=ab12",
        "method": "POST",
    }


@pytest.mark.parametrize(
    "shown",
    [
        {"headers": {"Authorization": "Bearer abc"}},
        {"headers": {"X-Api-Key": "abc"}},
        {"url": f"{URL}?api_key=abc"},
        {"body": {"to": "{{to}}", "account": {"api_secret": "abc"}}},
        {"body": {"list": [{"Password": 1234}]}},
        {"content": "raw", "body": '{"to": "{{to}}", "password": "abc"}'},
        {"content": "raw", "content_type": "text/xml", "body": "<m><password>abc</password></m>"},
        {"probe_url": f"{URL}?token=abc"},
    ],
)
def test_a_secret_is_not_taken_where_it_would_be_shown(shown):
    with pytest.raises(Invalid) as caught:
        account(**shown)
    assert "secret" in str(caught.value)
    assert "abc" not in str(caught.value)


def test_named_secrets_are_filled_in_and_never_shown():
    document = {
        "url": f"{URL}?token={{{{secret.token}}}}",
        "headers": {"Authorization": "App {{secret}}", "X-Api-Key": "{{secret.app}}"},
        "body": {"password": "{{secret.app}}", "idempotency_token": "{{reference}}", "to": "{{to}}"},
        "probe_url": f"{URL}?api_key={{{{secret.app}}}}",
        "secret": "s1",
        "secrets": {"token": "t&1", "app": "a1"},
    }
    wording = HttpWording(account(**document), DOORS)
    request = wording.write(MESSAGE, NOW)
    assert request.url == f"{URL}?token=t%261"
    assert (request.headers["Authorization"], request.headers["X-Api-Key"]) == ("App s1", "a1")
    assert json.loads(body_of(request)) == {"password": "a1", "idempotency_token": "ab12", "to": "+14155550100"}
    question = wording.question()
    assert question is not None
    assert question.url == f"{URL}?api_key=a1"
    shown, secrets = split(account(**document))
    assert secrets == {"secret": "s1", "secrets": {"token": "t&1", "app": "a1"}}
    assert shown["secrets"] == {}
    with pytest.raises(Invalid):
        account(body={"x": "{{secret.none}}"})
    with pytest.raises(Invalid):
        account(probe_url=f"{URL}?to={{{{to}}}}")


def test_the_address_for_replies_needs_not_be_written_out():
    body = {"webhook": "{{inbound_url}}", "report": "{{callback_url}}"}
    assert json.loads(body_of(asked(body=body)))["webhook"] == "https://c.example/ingest/tr-1/s/inbound"
    unheard = asked(MESSAGE._replace(wants_receipt=False), body=body)
    assert json.loads(body_of(unheard)) == {"webhook": "https://c.example/ingest/tr-1/s/inbound"}
