"""The first row: which column is which, and what to say when it is no first row at all."""

import io

import pytest

from callsheet.engine.importing.layout import Layout, UnreadableFile, read_layout


def layout(data: bytes | str, *, numbers_only: bool = False) -> Layout:
    return read_layout(io.BytesIO(data.encode() if isinstance(data, str) else data), numbers_only=numbers_only)


def refusal(data: bytes | str, *, numbers_only: bool = False) -> str:
    with pytest.raises(UnreadableFile) as refused:
        layout(data, numbers_only=numbers_only)
    return str(refused.value)


@pytest.mark.parametrize(
    ("first_row", "delimiter", "names"),
    [
        ("First Name,Phone", ",", ("First Name", "Phone")),
        ("First Name;Phone;City, State", ";", ("First Name", "Phone", "City, State")),
        ("First Name\tPhone", "\t", ("First Name", "Phone")),
        ('"a;b;c;d",phone', ",", ("a;b;c;d", "phone")),
        ("phone", ",", ("phone",)),
        ("firstName,phoneNumber, Priority", ",", ("firstName", "phoneNumber", " Priority")),  # kept as documented
        ('phone,"two\nlines"', ",", ("phone", "two\nlines")),
        ("phone,,city,\t,", ",", ("phone", None, "city", None, None)),
        ("phone,phone,phone", ",", ("phone", "phone 2", "phone 3")),
        ("phone,Name,Name,Name 2", ",", ("phone", "Name", "Name 3", "Name 2")),
        ("phone,,", ",", ("phone", None, None)),
    ],
)
def test_the_first_row_names_the_columns(first_row: str, delimiter: str, names: tuple[str | None, ...]):
    found = layout(f"\n  \n{first_row}\n1,2\n")

    assert (found.delimiter, found.names, found.first_row_no) == (delimiter, names, 4)
    assert found.rows_begin == len(f"\n  \n{first_row}\n")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ("", "The file is empty."),
        ("\n \n", "The file is empty."),
        (
            "First Name,City\nAda,London\n",
            "No column holds the phone number; name one of them phoneNumber. The file has: First Name, City.",
        ),
        ("," * 200 + "\n", "No column holds the phone number; name one of them phoneNumber. The file has no names."),
        (
            "phone,b\0\n",
            "The name of a column has a character that is no text (NUL, or half of a pair).",
        ),
        ("phone," + "x" * 301, "The name of a column is longer than 300 characters."),
        ("phone," + ",".join(f"c{i}" for i in range(150)), "The file has 151 columns; it may have 150."),
    ],
)
def test_a_file_without_a_use_is_refused_with_a_sentence(data: bytes | str, sentence: str):
    assert refusal(data) == sentence


def test_a_first_row_that_cannot_be_read_says_so():
    assert "cannot be read: A quoted text does not end" in refusal('"phone,name\n' + "x\n" * 10)
    assert "cannot be read: The row is longer than 128 KiB" in refusal("phone," * 50_000)


def test_the_numbers_of_a_file_without_names_are_not_repeated():
    sentence = refusal("Ada,+1 (212) 555-0100,London\n")

    assert sentence.endswith("The file has: Ada, (a number), London.")


def test_of_many_columns_some_are_named():
    assert refusal(",".join(f"c{i}" for i in range(30))).endswith("c19, and 10 more.")


@pytest.mark.parametrize(
    ("data", "first_row_no", "rows_begin"),
    [
        ("phone\n+12125550100\n", 2, 6),
        ("\nphone\n+12125550100\n", 3, 7),
        ("\n+12125550100\n", 1, 0),
        ("Blocked by us\n+12125550100\n", 2, 14),
        ("Blocked,,\n+12125550100,,\n", 2, 10),
        ("+12125550100\n+12125550101\n", 1, 0),
        ("12125550100 ext 5\n+12125550101\n", 1, 0),
        ("'+1 (212) 555-0100\n", 1, 0),
        ("name,mobile\nAda,+12125550100\n", 2, 12),
    ],
)
def test_a_list_of_numbers_needs_no_names(data: str, first_row_no: int, rows_begin: int):
    found = layout(data, numbers_only=True)

    assert (found.first_row_no, found.rows_begin) == (first_row_no, rows_begin)
    assert found.columns.phone_number in found.names


def test_a_list_of_numbers_with_more_columns_needs_a_name_for_one():
    assert refusal("Ada,+12125550100\n", numbers_only=True).endswith("The file has: Ada, (a number).")
    assert len(layout("phone," + ",".join(f"c{i}" for i in range(400)), numbers_only=True).names) == 401
