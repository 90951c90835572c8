import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.core.contacts import (
    LONGEST_VALUE,
    MOST_COLUMNS,
    Columns,
    Contact,
    NoPhoneColumn,
    RowError,
    RowReason,
    guess_columns,
    mapping_of,
    read_contact,
)
from callsheet.core.phone import Number

COLUMNS = Columns("phoneNumber", "firstName", "lastName", "timezone", "uniqueId", " Priority")
ROW = {
    "firstName": "Asha",
    "lastName": "Rao",
    "phoneNumber": "919876543210",
    "timezone": "Asia/Kolkata",
    "uniqueId": "A-17",
    " Priority": "7",
    "Due Date": "3 May",
}


def read(region="IN", **changes) -> Contact | RowError:
    return read_contact({**ROW, **changes}, COLUMNS, region)


def reason(**changes) -> str | None:
    found = read(**changes)
    return found.reason if isinstance(found, RowError) else None


# -- which column holds what -----------------------------------------------------------------------------------------


def test_the_documented_sample_header_is_understood():
    header = ["firstName", "lastName", "phoneNumber", "timezone", "uniqueId", " Priority"]
    assert guess_columns(header) == COLUMNS
    assert mapping_of(COLUMNS) == {
        "firstName": "firstName",
        "lastName": "lastName",
        "phoneNumber": "phoneNumber",
        "timeZone": "timezone",
        "uniqueId": "uniqueId",
        "contactPriority": " Priority",  # as the sample writes it
    }


@pytest.mark.parametrize(
    ("headers", "columns"),
    [
        (["phoneNumber"], Columns("phoneNumber")),
        (["PHONE"], Columns("PHONE")),
        (["Mobile Number", "First Name"], Columns("Mobile Number", "First Name")),
        (["msisdn", "TIME-ZONE", "unique_id"], Columns("msisdn", None, None, "TIME-ZONE", "unique_id")),
        (
            ["phone_number", "timeZone", "contactPriority"],
            Columns("phone_number", None, None, "timeZone", None, "contactPriority"),
        ),
        (["\ufeffPhone", "tz"], Columns("\ufeffPhone", None, None, "tz")),
        (["id", "number"], Columns("number", None, None, None, "id")),
        (["number", "phone number", "id", "External ID"], Columns("phone number", None, None, None, "External ID")),
        (["phone", "Phone", "PHONE"], Columns("phone")),
        (["priority", "contact priority", "tel"], Columns("tel", contact_priority="contact priority")),
    ],
)
def test_headers_are_understood_however_they_are_written(headers, columns):
    assert guess_columns(headers) == columns


@pytest.mark.parametrize("headers", [[], ["name", "city"], ["phone type"], [""]])
def test_a_file_without_a_phone_column_is_refused_at_once(headers):
    with pytest.raises(NoPhoneColumn, match="phoneNumber"):
        guess_columns(headers)


def test_a_mapping_always_has_its_six_keys():
    assert list(mapping_of(Columns("phone")).values()) == ["", "", "phone", "", "", ""]


@given(st.lists(st.text(max_size=20), max_size=8))
def test_guessing_never_names_a_column_that_is_not_there(headers):
    try:
        columns = guess_columns(headers)
    except NoPhoneColumn:
        return
    assert set(filter(None, mapping_of(columns).values())) <= set(headers)


# -- reading a row ---------------------------------------------------------------------------------------------------


def test_a_row_becomes_a_contact():
    assert read() == Contact(
        number=Number("+919876543210", "IN"),
        sent="919876543210",
        zones=frozenset({"Asia/Kolkata"}),
        candidate_zones=frozenset({"Asia/Kolkata"}),
        priority=7,
        unique_id="A-17",
        attributes={
            "firstName": "Asha",
            "lastName": "Rao",
            "phoneNumber": "",  # sealed, and kept apart
            "timezone": "Asia/Kolkata",
            "uniqueId": "A-17",
            " Priority": "7",
            "Due Date": "3 May",
        },
    )


def test_an_object_of_the_api_goes_the_same_way():
    sent = {
        "phoneNumber": 919876543210,
        "contactPriority": 3,
        "timeZone": None,
        "vip": True,
        "tags": ["a", "ü"],
        "rate": 2.0,
    }
    contact = read_contact(sent, guess_columns(sent), None)
    assert (contact.number.e164, contact.sent, contact.priority, contact.own_zone) == (
        *("+919876543210", "919876543210", 3, None),
    )
    assert contact.attributes == {
        "phoneNumber": "",
        "contactPriority": "3",
        "timeZone": "",
        "vip": "true",
        "tags": '["a", "ü"]',
        "rate": "2",
    }


def test_a_contact_may_have_nothing_but_a_number():
    contact = read_contact({"phone": "+12125550123"}, Columns("phone"), None)
    assert (contact.zones, contact.priority, contact.unique_id) == (frozenset(), 0, "")
    assert contact.attributes == {"phone": ""}
    assert contact.candidate_zones == {"America/New_York"}


def test_the_contacts_own_zone_stands_beside_those_of_its_number():
    contact = read(timezone=" america/new_york ")
    assert contact.zones == {"America/New_York"}
    assert contact.own_zone == "America/New_York"
    assert contact.candidate_zones == {"Asia/Kolkata"}
    assert contact.attributes["timezone"] == " america/new_york "  # kept as it came


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"phoneNumber": ""}, "missing_number"),
        ({"phoneNumber": "  "}, "missing_number"),
        ({"phoneNumber": "n/a"}, "not_a_number"),
        ({"phoneNumber": "9.19877E+11"}, "not_a_number"),
        ({"phoneNumber": "12345"}, "invalid_number"),
        ({"phoneNumber": "2025550123", "region": None}, "no_region"),
        ({"timezone": "IST"}, "unknown_time_zone"),
        ({"timezone": "Asia/Calcuta"}, "unknown_time_zone"),
        ({" Priority": "11"}, "bad_priority"),
        ({" Priority": "-1"}, "bad_priority"),
        ({" Priority": "high"}, "bad_priority"),
        ({" Priority": "1e1"}, "bad_priority"),
        ({" Priority": "7.5"}, "bad_priority"),
        ({" Priority": "\u0667"}, "bad_priority"),
        ({"Due Date": "x" * 301}, "value_too_long"),
        ({"phoneNumber": "9" * 301}, "value_too_long"),
        ({"n" * 301: ""}, "value_too_long"),
        ({"Due Date": "3\0May"}, "unreadable_character"),
        ({"Due Date": "\ud83d"}, "unreadable_character"),
        ({f"column {n}": "" for n in range(MOST_COLUMNS)}, "too_many_columns"),
    ],
)
def test_a_wrong_row_is_rejected_with_its_reason(changes, expected):
    assert reason(**changes) == expected


def test_what_is_just_allowed_is_taken():
    assert reason(**{"Due Date": "ü" * LONGEST_VALUE}) is None
    assert reason(**{f"column {n}": "" for n in range(MOST_COLUMNS - len(ROW))}) is None
    for text, priority in (("0", 0), ("10", 10), ("", 0), (" 5 ", 5), ("5.0", 5), ("007", 7)):
        assert read(**{" Priority": text}).priority == priority


def test_neither_a_rejection_nor_a_printed_contact_tells_the_number():
    for changes in ({"phoneNumber": "98765432"}, {"timezone": "IST"}, {"phoneNumber": "call 98765432"}):
        assert "98765432" not in str(read(**changes))
    assert "98765432" not in repr(read())
    assert "Asha" not in repr(read())


anything = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(max_size=3), max_size=3)
)


@given(st.dictionaries(st.sampled_from([*ROW, "city"]), anything), st.sampled_from([None, "IN", "US"]))
def test_no_row_whatever_brings_the_reader_down(row, region):
    found = read_contact(row, COLUMNS, region)
    if isinstance(found, RowError):
        assert found.reason in RowReason
        assert found.message.endswith(".")
    else:
        assert set(found.attributes) == set(row) - {"phoneNumber"}
        assert 0 <= found.priority <= 10
        "".join(found.attributes.values()).encode()


def test_every_reason_is_a_whole_word():
    assert all(word.islower() and word.replace("_", "").isalpha() for word in RowReason)
