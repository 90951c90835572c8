"""A pull that is read wrong fills a list with nonsense; one that comes at the wrong time, or never, leaves it empty."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.core.contacts import RowError
from callsheet.core.pull import at_path, fault_of_header, fault_of_path, next_pull, pull_again, row_of

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DOCUMENT = {
    "contact": {"name": {"first": "Ada"}, "phones": ["1", {"no": "2"}]},
    "a.b": "dotted",
    "n": None,
    "t": "text",
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("contact.name.first", "Ada"),
        ("contact.phones.0", "1"),
        ("contact.phones.1.no", "2"),
        ("a.b", "dotted"),
        ("t", "text"),
        *(
            (path, None)
            for path in ("n", "x", "contact.x.y", "contact.phones.2", "contact.phones.-1", "t.0", "contact.phones.²")
        ),
    ],
)
def test_a_path_leads_to_what_lies_there_and_else_to_nothing(path, value):
    assert at_path(DOCUMENT, path) == value


def test_a_row_is_mapped_or_taken_as_it_is():
    assert row_of(DOCUMENT, {"First": "contact.name.first", "Gone": "x"}) == {"First": "Ada", "Gone": None}
    assert row_of({"phone": "1", " ": "no name"}, {}) == {"phone": "1"}


@pytest.mark.parametrize("item", ["+12125550100", 5, None, ["phone"], True])
def test_what_is_no_object_is_no_contact(item):
    assert isinstance(row_of(item, {}), RowError)


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a..b", "a" * 301, "a." * 20 + "a"])
def test_a_path_that_leads_nowhere_is_refused(path):
    assert fault_of_path(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, "x") for name in ("", "a b", "a:b", "Host", "content-length", "Transfer-Encoding", "ä", "a\r\n")),
        *(("x-key", value) for value in ("a\r\nb: c", "\n", " a", "a ", "ä", "\0")),
    ],
)
def test_a_header_that_would_write_another_request_is_refused(name, value):
    assert fault_of_header(name, value)


@pytest.mark.parametrize(("name", "value"), [("X-Api-Key", "a b"), ("Authorization", "Bearer abc=="), ("x", "")])
def test_a_plain_header_passes(name, value):
    assert fault_of_header(name, value) is None


@given(st.integers(5, 1440), st.integers(-100_000, 10_000_000))
def test_the_next_pull_is_the_next_place_on_the_schedule_however_late_it_is(minutes, seconds):
    now = NOON + timedelta(seconds=seconds)

    at = next_pull(NOON, minutes, now)

    assert at is not None
    assert at > now or (at == NOON and now < NOON)
    assert at - now <= timedelta(minutes=minutes) or at == NOON
    assert (at - NOON) % timedelta(minutes=minutes) == timedelta()


def test_a_pull_that_fails_comes_back_sooner_but_keeps_its_schedule():
    day = NOON + timedelta(days=1)

    waits = [(pull_again(day, failures, NOON) or day) - NOON for failures in range(1, 14)]

    assert [wait / timedelta(minutes=1) for wait in waits[:5]] == [1, 2, 4, 8, 16]
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(days=1)
    assert pull_again(NOON + timedelta(seconds=30), 1, NOON) == NOON + timedelta(seconds=30)


def test_what_is_pulled_by_hand_never_comes_by_itself():
    assert next_pull(NOON, None, NOON) is None
    assert pull_again(None, 1, NOON) is None
