"""A look at a file finds what its import would find in its first row, whatever the encoding."""

import os
from pathlib import Path

import pytest

from callsheet.engine.importing import looking
from callsheet.engine.importing.looking import look_into
from engine.importing import PEOPLE

GOOD = f"phone,Name\n{PEOPLE[0]},Ada\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
def test_a_good_file_is_good_in_any_encoding(tmp_path: Path, encoding: str):
    file = tmp_path / "people.csv"
    file.write_bytes(GOOD.encode(encoding))

    assert look_into(file, numbers_only=False) == ""


@pytest.mark.parametrize(
    ("data", "problem"), [(b"", "empty"), (b"a,b\n1,2\n", "The file has: a, b"), (b"PK\x03\x04", "workbook")]
)
def test_a_file_of_which_no_row_can_be_imported_is_told(tmp_path: Path, data: bytes, problem: str):
    file = tmp_path / "people.csv"
    file.write_bytes(data)

    assert problem in look_into(file, numbers_only=False)


def test_a_list_of_numbers_needs_no_names(tmp_path: Path):
    file = tmp_path / "never.csv"
    file.write_text(f"{PEOPLE[0]}\n{PEOPLE[1]}\n")

    assert look_into(file, numbers_only=True) == ""
    assert look_into(file, numbers_only=False)


def test_a_file_that_is_too_large_is_told_before_it_is_handed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(looking, "MOST_BYTES", len(GOOD) - 1)
    file = tmp_path / "people.csv"
    file.write_text(GOOD)

    assert "larger than" in look_into(file, numbers_only=False)


def test_nothing_is_taken_from_a_pipe(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")

    assert look_into(tmp_path / "pipe", numbers_only=False) == ""
