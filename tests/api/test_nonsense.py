"""Whatever arrives is read, or refused with a reason; nothing that a client can send is a fault of ours."""

from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from api.callers import ALWAYS, SENDER
from callsheet.api.compat.wishes import read_new_wish, read_wish
from callsheet.api.contact_rows import read_row
from callsheet.api.json_body import parse
from callsheet.api.paths import find_address, read_query
from callsheet.core.campaign import Channel
from callsheet.core.contacts import Contact
from callsheet.core.errors import FieldError, Invalid, MalformedBody
from callsheet.core.wish import Wish

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=60),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=12), inside, max_size=4),
    max_leaves=12,
)

RIGHT: dict[str, Any] = {
    "name": "A campaign",
    "description": "",
    "contactLists": ["A list"],
    "dncLists": {"name": "A DNC list"},
    "campaignType": "sms",
    "priority": "5",
    "format": "simple",
    "message": {"message": "Hello", "templateId": "", "template_name": ""},
    "dialingStrategy": {"callerId": {"phoneNumber": SENDER}, "callingHours": ALWAYS},
    "schedule": {"isSchedulingEnabled": False},
    "experienceFlowName": "",
}
PATHS = [
    *((key,) for key in RIGHT),
    ("data",),
    ("message", "message"),
    ("message", "template_name"),
    ("message", "templateId"),
    ("dialingStrategy", "callerId"),
    ("dialingStrategy", "callerId", "phoneNumber"),
    ("dialingStrategy", "callingHours"),
    ("dialingStrategy", "callingHours", "frequency"),
    ("dialingStrategy", "callingHours", "timezone"),
    ("dialingStrategy", "callingHours", "days"),
    ("schedule", "isSchedulingEnabled"),
]


def replaced(document: Any, path: tuple[str, ...], value: Any) -> Any:
    if not path:
        return value
    return {**document, path[0]: replaced(document.get(path[0], {}), path[1:], value)}


@given(st.sampled_from(PATHS), VALUES)
def test_any_value_in_any_field_is_taken_or_named(path, value):
    wish = read_wish(replaced(RIGHT, path, value), Channel.sms, 2)

    assert isinstance(wish, Wish)
    assert all(fault.path.startswith(path[0]) or "message" in fault.path for fault in wish.faults)


@given(
    st.dictionaries(st.sampled_from([*RIGHT, "dialingMode", "data", "x"]), VALUES, max_size=8),
    st.text(max_size=8),
    st.sampled_from([1, 2]),
)
def test_any_object_is_a_wish_or_is_refused(document, in_query, generation):
    wish = read_new_wish(document, in_query, generation)

    assert wish.channel is Channel.sms or wish.faults


@given(
    st.dictionaries(st.sampled_from(["phoneNumber", "timeZone", "contactPriority", "priority", "x"]), VALUES) | VALUES
)
def test_any_row_is_a_contact_or_is_named(row):
    wrong: list[FieldError] = []

    read = read_row(row, "data[0]", "IN", wrong)

    assert isinstance(read, Contact) != bool(wrong)
    assert all(fault.path.startswith("data[0]") for fault in wrong)


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_json_or_malformed(body):
    with suppress(MalformedBody):
        parse(body)


@given(st.binary(max_size=100))
def test_any_path_and_query_lead_somewhere(raw):
    find_address(raw, raw.decode("latin-1"))
    with suppress(Invalid):
        read_query(raw)
