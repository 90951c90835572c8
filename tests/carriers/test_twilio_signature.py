"""A callback that Twilio did not sign is not heard; one that it signed is, as Twilio's own validator says."""

import hashlib
import json
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from callsheet.carriers.base import Inbound, Receipt
from callsheet.carriers.callback import BadSignature, Callback, Doors, Unreadable, What
from callsheet.carriers.twilio.account import TwilioAccount
from callsheet.carriers.twilio.callbacks import KINDS, read_callback, sign
from callsheet.core.attempt import Kind
from callsheet.core.opting_out import Word
from examples import drawn

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
TOKEN = "0123456789abcdef0123456789abcdef"
ACCOUNT = TwilioAccount.model_validate({"account_sid": "AC" + "0" * 32, "auth_token": TOKEN})
DOORS = Doors("https://callsheet.example.com/base/ingest/tr-1/secret")
FORM = "application/x-www-form-urlencoded"
TWILIO = RequestValidator(TOKEN)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
fields = st.dictionaries(texts.filter(bool), texts, max_size=8)


def called(
    form: dict[str, str], *, url: str = DOORS.status("ab12"), what: What = What.status, signature: str | None = None
) -> Callback:
    if signature is None:
        signature = TWILIO.compute_signature(url, form)
    headers = {"content-type": FORM, "x-twilio-signature": signature}
    return Callback(what, "POST", url, headers, urlencode(form).encode(), NOW)


STATUS = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+14155550100", "ErrorCode": ""}
REPLY = {"MessageSid": "SM2", "From": "+14155550100", "To": "+14155550199", "Body": "STOP"}


@drawn(500)
@given(fields)
def test_our_signature_is_twilios_on_any_fields(form):
    url = DOORS.status("ab12")
    assert sign(TOKEN, url, form.items()) == TWILIO.compute_signature(url, form)


@drawn(300)
@given(fields, st.sampled_from(["https://h.example", "https://h.example:8443", "http://h.example:80"]), st.booleans())
def test_what_twilios_validator_takes_is_heard(extra, host, told_with_port):
    url = f"{host}/ingest/tr-1/secret/status?reference=ab12"
    signed = url.replace("h.example/", "h.example:443/") if told_with_port else url
    form = {**extra, **STATUS}
    signature = TWILIO.compute_signature(signed, form)
    assert TWILIO.validate(url, form, signature)
    [receipt] = read_callback(ACCOUNT, called(form, url=url, signature=signature))
    assert receipt == Receipt("ab12", "SM1", Kind.delivered, NOW, "", number="+14155550100")


@drawn(200)
@given(fields, st.data())
def test_one_changed_field_is_refused(extra, data):
    form = {**STATUS, **extra}
    name = data.draw(st.sampled_from(sorted(form)))
    changed = {**form, name: form[name] + "x"}
    with pytest.raises(BadSignature):
        read_callback(ACCOUNT, called(changed, signature=TWILIO.compute_signature(DOORS.status("ab12"), form)))


def test_an_attempt_that_was_put_into_the_url_by_somebody_else_is_refused():
    signature = TWILIO.compute_signature(DOORS.status("ab12"), STATUS)
    with pytest.raises(BadSignature):
        read_callback(ACCOUNT, called(STATUS, url=DOORS.status("cd34"), signature=signature))


@pytest.mark.parametrize("signature", ["", "x", "Ä", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="])
def test_no_signature_and_a_foolish_one_are_refused(signature):
    with pytest.raises(BadSignature):
        read_callback(ACCOUNT, called(STATUS, signature=signature))


def test_a_json_body_is_signed_by_its_hash_in_the_url():
    body = json.dumps(STATUS).encode()
    url = f"{DOORS.status('ab12')}&bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = TWILIO.compute_signature(url, {})
    assert TWILIO.validate(url, body.decode(), signature)
    headers = {"content-type": "application/json", "x-twilio-signature": signature}
    callback = Callback(What.status, "POST", url, headers, body, NOW)

    [receipt] = read_callback(ACCOUNT, callback)
    assert isinstance(receipt, Receipt)
    assert receipt.kind is Kind.delivered
    with pytest.raises(BadSignature):
        read_callback(ACCOUNT, callback._replace(body=body + b" "))


def test_a_body_of_another_type_without_its_hash_is_refused():
    url = DOORS.status("ab12")
    headers = {"content-type": "text/plain", "x-twilio-signature": TWILIO.compute_signature(url, {})}
    with pytest.raises(BadSignature):
        read_callback(ACCOUNT, Callback(What.status, "POST", url, headers, b"x", NOW))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("queued", Kind.accepted),
        ("sending", Kind.accepted),
        ("sent", Kind.accepted),
        ("delivered", Kind.delivered),
        ("undelivered", Kind.undelivered),
        ("failed", Kind.undelivered),
    ],
)
def test_only_the_last_states_of_a_message_are_its_end(status, kind):
    [receipt] = read_callback(ACCOUNT, called({**STATUS, "MessageStatus": status, "ErrorCode": "30003"}))
    assert isinstance(receipt, Receipt)
    assert (receipt.kind, receipt.code, receipt.reference) == (kind, "30003", "ab12")
    assert KINDS[status] is kind


def test_a_state_that_nobody_knows_tells_nothing():
    assert read_callback(ACCOUNT, called({**STATUS, "MessageStatus": "pondering"})) == []


def test_a_reply_is_named_by_twilios_own_id():
    [heard] = read_callback(ACCOUNT, called(REPLY, url=DOORS.inbound(), what=What.inbound))
    assert heard == Inbound("SM2", "+14155550100", "+14155550199", "STOP", NOW)


@pytest.mark.parametrize(
    ("said", "word"), [("STOP", Word.stop), ("START", Word.start), ("HELP", Word.help), ("", None), ("?", None)]
)
def test_what_advanced_opt_out_took_a_reply_for_is_told(said, word):
    form = {**REPLY, "Body": "CLUB42", "OptOutType": said}
    [heard] = read_callback(ACCOUNT, called(form, url=DOORS.inbound(), what=What.inbound))
    assert isinstance(heard, Inbound)
    assert heard.word is word


@pytest.mark.parametrize(("code", "stopped"), [("21610", True), ("30003", False), ("", False), ("²", False)])
def test_a_message_that_failed_because_of_a_stop_says_so(code, stopped):
    [receipt] = read_callback(ACCOUNT, called({**STATUS, "MessageStatus": "failed", "ErrorCode": code}))
    assert isinstance(receipt, Receipt)
    assert receipt.stopped is stopped


def test_a_get_is_signed_by_its_url_alone():
    url = f"{DOORS.inbound()}?{urlencode(REPLY)}"
    headers = {"x-twilio-signature": TWILIO.compute_signature(url, {})}
    [heard] = read_callback(ACCOUNT, Callback(What.inbound, "GET", url, headers, b"", NOW))
    assert isinstance(heard, Inbound)
    assert heard.text == "STOP"


@pytest.mark.parametrize("what", list(What))
@pytest.mark.parametrize("missing", ["MessageSid", "From", "To"])
def test_a_signed_callback_that_lacks_something_is_unreadable(what, missing):
    form = {name: value for name, value in REPLY.items() if name != missing}
    with pytest.raises(Unreadable):
        read_callback(ACCOUNT, called(form, what=what))


@drawn(300)
@given(
    st.sampled_from(What),
    st.text(max_size=40),
    st.binary(max_size=200),
    st.sampled_from([FORM, "application/json", ""]),
)
def test_no_callback_breaks_the_reader(what, query, body, content_type):
    url = f"{DOORS.inbound()}?{urlencode({'q': query})}"
    headers = {"content-type": content_type, "x-twilio-signature": query}
    with pytest.raises((BadSignature, Unreadable)):
        read_callback(ACCOUNT, Callback(what, "POST", url, headers, body, NOW))
