"""Whatever a source answers becomes contacts or rejects with reasons; nothing of it breaks the pull for the rest."""

import json
import threading
import time

import msgspec
import pytest

from callsheet.core.contacts import RowReason
from callsheet.core.pull import PullPlan
from callsheet.engine.importing.layout import UnreadableFile
from callsheet.engine.pulling import Block, Pulled
from phone_numbers import numbers

ADA, BOB, EVE = numbers("IN", 3)
URL = "https://example.com"


def read(body: str | bytes, content_type: str = "application/json", **plan: object) -> Block:
    data = body.encode() if isinstance(body, str) else body
    return Pulled(PullPlan(URL, **plan), data, content_type, "IN").take()  # type: ignore[arg-type]


def test_flat_keys_are_columns():
    block = read(json.dumps([{"phone": ADA, "First Name": "Ada", "age": 36, "vip": True, "note": None, "tags": ["a"]}]))

    (contact,) = block.contacts
    assert contact.number.e164 == ADA
    assert contact.attributes == {
        "phone": "", "First Name": "Ada", "age": "36", "vip": "true", "note": "", "tags": '["a"]',
    }  # fmt: skip


def test_a_mapping_leads_into_an_answer_as_deep_as_it_lies():
    answer = {"data": {"pages": [{"contacts": [{"id": 7, "contact": {"phone": ADA, "name": {"first": "Ada"}}}]}]}}
    mapping = {"phoneNumber": "contact.phone", "First": "contact.name.first", "Gone": "x.y"}

    block = read(json.dumps(answer), items_path="data.pages.0.contacts", mapping=mapping)

    assert [dict(contact.attributes) for contact in block.contacts] == [{"phoneNumber": "", "First": "Ada", "Gone": ""}]


def test_wrong_rows_are_rejected_and_the_others_are_read():
    rows = [{"phone": ADA}, "text", {"phone": "12"}, {"phone": ""}, {"name": "Bob"}, {"phone": BOB, "x": "y" * 301}]

    block = read(json.dumps([*rows, {"phone": BOB}]))

    assert [contact.number.e164 for contact in block.contacts] == [ADA, BOB]
    assert [(no, wrong.reason) for no, wrong in block.rejects] == [
        (2, RowReason.not_an_object),
        (3, RowReason.invalid_number),
        (4, RowReason.missing_number),
        (5, RowReason.missing_number),
        (6, RowReason.value_too_long),
    ]
    assert block.rows == 7


@pytest.mark.parametrize("body", ["phone,First\n{0},Ada\n\n{1},Bob\n", "phone;First\r\n{0};Ada\r\n\r\n{1};Bob"])
@pytest.mark.parametrize("content_type", ["text/csv; charset=utf-8", "text/plain", ""])
def test_csv_is_read_as_imports_read_it(body, content_type):
    block = read(body.format(ADA, BOB), content_type)

    assert [contact.attributes["First"] for contact in block.contacts] == ["Ada", "Bob"]


def test_columns_of_csv_can_be_mapped_and_rows_have_the_numbers_of_a_spreadsheet():
    block = read(
        f"Kontakt,Vorname.kurz\n{ADA},Ada\n\n5,Bob\n", "text/csv", mapping={"phone": "Kontakt", "First": "Vorname.kurz"}
    )

    assert dict(block.contacts[0].attributes) == {"phone": "", "First": "Ada"}
    assert [no for no, _ in block.rejects] == [4]


@pytest.mark.parametrize(
    ("body", "plan", "says"),
    [
        ("[", {}, "not JSON"),
        ("", {}, "not JSON"),
        ('{"a": 1}', {}, "not an array"),
        ('"text"', {}, "not an array"),
        ("[1, 2", {}, "not JSON"),
        ('[{"a": "\\ud8"}]', {}, "not JSON"),
        (b'[{"phone": "\xff\xfe"}]', {}, "not JSON"),
        ("[" * 100_000, {}, "not JSON"),
        ('[{"a":' + "[" * 90_000 + "]" * 90_000 + "}]", {}, "not JSON"),
        ('{"a": {"b": 5}}', {"items_path": "a.b"}, "no array at a.b"),
        ('{"a": {"b": 5}}', {"items_path": "a.c"}, "nothing at a.c"),
        ('{"a": 5}', {"items_path": "a.c"}, "nothing at a.c"),
        ('{"a": [5]}', {"items_path": "a.7"}, "nothing at a.7"),
    ],
)
def test_an_answer_without_contacts_says_why_and_quotes_nothing(body, plan, says):
    with pytest.raises(UnreadableFile, match=says):
        read(body, **plan)


def test_an_empty_array_is_no_failure():
    assert read("[]").rows == 0
    assert read(b"\xef\xbb\xbf[]").rows == 0


def test_a_number_in_a_cell_keeps_all_its_digits():
    assert read(f'[{{"phone": {ADA[1:]}}}]').rejects or read(f'[{{"phone": {ADA[1:]}}}]').contacts
    (contact,) = read(f'[{{"phone": "{ADA}", "account": 12345678901234567890123}}]').contacts
    assert contact.attributes["account"] == "12345678901234567890123"


def test_a_large_answer_leaves_others_their_turns():
    body = msgspec.json.encode([{"phone": "x", "text": "y" * 280} for _ in range(100_000)])
    longest, ended, looked = 0.0, threading.Event(), threading.Event()

    def read_all() -> None:
        pulled = Pulled(PullPlan(URL), body, "application/json", None)
        while pulled.take().rows:
            pass
        ended.set()
        looked.wait()

    reading = threading.Thread(target=read_all)
    reading.start()
    assert reading.ident is not None
    # How much it works between two turns of ours: how long the machine lets both wait says nothing.
    worked = time.pthread_getcpuclockid(reading.ident)
    while not ended.is_set():
        before = time.clock_gettime(worked)
        time.sleep(0.001)
        longest = max(longest, time.clock_gettime(worked) - before)
    looked.set()
    reading.join()

    assert len(body) > 25_000_000
    assert longest < 1.0
