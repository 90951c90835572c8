"""A file goes into a list from the command line, whether a server runs or not, and every row is accounted for."""

import csv
import os
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from callsheet.folder import DataFolder
from e2e.running import Process, callsheet, server
from phone_numbers import numbers

PEOPLE = numbers("US-Eastern", 500)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "var"


@pytest.fixture(scope="module")
def process(tmp_path_factory) -> Iterator[Process]:
    """Start one server for all tests that want one."""
    with server(tmp_path_factory.mktemp("import") / "var") as running:
        yield running


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Make a file of 500 good rows, two of them again, and five bad ones at known places."""
    rows = [f"{number},Ada,America/New_York" for number in PEOPLE]
    rows += rows[:2]
    bad = {3: ",Ada,", 10: "call me,Ada,", 100: "+1212,Ada,", 200: "+12125550123,Ada,Mars/Olympus", 300: "12,Ada,"}
    for row_no, text in bad.items():
        rows.insert(row_no - 1, text)
    path = tmp_path / "people.csv"
    path.write_text("phone,first_name,time zone\n" + "\n".join(rows) + "\n")
    return path


def rejected(file: Path) -> list[tuple[int, str]]:
    with file.with_name("people.csv.rejects.csv").open(newline="") as source:
        return [(int(row["row"]), row["reason"]) for row in csv.DictReader(source)]


COUNTS = "507 rows: 500 accepted, 2 duplicates, 5 rejected"


def test_without_a_server_every_row_is_counted_and_the_bad_ones_are_listed(data, file):
    done = callsheet("import", "Spring", str(file), data=data)

    assert done.returncode == 0, done.stderr
    assert COUNTS in done.stdout
    assert [reason for _, reason in rejected(file)] == [
        "missing_number", "not_a_number", "invalid_number", "unknown_time_zone", "no_region",
    ]  # fmt: skip
    # Counted as a spreadsheet numbers them, the header being row 1, or from the first contact: the same distance.
    first = rejected(file)[0][0]
    assert [row - first for row, _ in rejected(file)] == [0, 7, 97, 197, 297]
    assert not (data / "server.json").exists()
    assert not DataFolder(data).is_owned()
    assert list(DataFolder(data).imports.iterdir()) == []


def test_with_a_server_the_same_counts_come_and_a_second_file_adds_to_the_list(process, file):
    done = callsheet("import", "Spring", str(file), data=process.data)
    again = callsheet("import", "spring", str(file), data=process.data)
    app = process.known["app_id"]
    _, found = process.request("GET", f"/agentassist/api/v1/public/{app}/campaign/contactList/Spring")

    assert COUNTS in done.stdout
    assert "507 rows: 0 accepted, 502 duplicates, 5 rejected" in again.stdout
    assert found["data"]["totalRecordCount"] == 500


def test_numbers_go_on_a_dnc_list_that_is_made_or_was_there(process, file):
    done = callsheet("import", "Never", str(file), "--dnc", data=process.data)
    callsheet("import", "default global dnc", str(file), "--dnc", data=process.data)
    lists = {one["name"]: one["size"] for one in process.v1("GET", "/dnc-lists")["items"]}

    assert done.returncode == 0, done.stderr
    counts = re.search(r"507 rows: (\d+) accepted, (\d+) duplicates, (\d+) rejected", done.stdout)
    accepted, duplicates, bad = (int(count) for count in counts.groups())
    assert (accepted + duplicates + bad, duplicates) == (507, 2)
    assert lists == {"Default Global DNC": accepted, "Never": accepted}


def test_a_file_without_a_phone_column_fails_with_a_sentence(process, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text("a,b\n1,2\n")
    done = callsheet("import", "Failing", str(file), data=process.data)

    assert done.returncode == 1
    assert "phone" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Failing" not in names(process)


def names(process: Process) -> set[str]:
    return {one["name"] for kind in ("contact-lists", "dnc-lists") for one in process.v1("GET", f"/{kind}")["items"]}


@pytest.mark.parametrize("name", ["", " ", "A" * 60])
@pytest.mark.parametrize("kind", [(), ("--dnc",)])
def test_a_name_that_no_list_can_have_is_wrong_usage_and_no_word_of_the_api(process, file, name, kind):
    refused = callsheet("import", name, str(file), *kind, data=process.data)

    assert refused.returncode == 2
    assert re.fullmatch(r"LIST: [A-Z][^{}]+\.\n", refused.stderr)


def test_people_who_must_not_be_contacted_are_not_taken_for_contacts_nor_the_reverse(process, file):
    callsheet("import", "Complaints", str(file), "--dnc", data=process.data)
    callsheet("import", "Customers", str(file), data=process.data)
    forgotten = callsheet("import", "complaints", str(file), data=process.data)
    too_much = callsheet("import", "customers", str(file), "--dnc", data=process.data)

    assert (forgotten.returncode, too_much.returncode) == (2, 2)
    assert forgotten.stderr.startswith('LIST: "Complaints" is a DNC list. Add --dnc')
    assert too_much.stderr.startswith('LIST: "Customers" is a contact list. Leave out --dnc')
    assert sorted(one["name"] for one in process.v1("GET", "/dnc-lists")["items"]).count("customers") == 0


def test_a_list_of_rejected_rows_is_not_left_from_the_import_before(process, file):
    file.with_name("people.csv.rejects.csv").write_text("row,reason,message\n1,not_a_number,x\n")
    file.write_text("phone\n+12125550123\n")
    done = callsheet("import", "Clean", str(file), data=process.data)

    assert 'Contact list "Clean": 1 row: 1 accepted, 0 duplicates, 0 rejected' in done.stdout
    assert "1 row, 0 rejected, 19 bytes of 19 bytes" in done.stdout
    assert not file.with_name("people.csv.rejects.csv").exists()


def test_rejected_rows_that_cannot_be_listed_are_said_to_be_elsewhere_and_the_import_holds(process, tmp_path):
    pipe, file = tmp_path / "pipe.csv", tmp_path / "people.csv"
    os.mkfifo(pipe)
    file.write_text("phone\n+12125550123\nx\n")
    with subprocess.Popen(["cp", file, pipe]):
        piped = callsheet("import", "Piped", str(pipe), data=process.data)
    with file.open() as source:  # a regular file, in a folder where nobody may make one
        refused = callsheet("import", "Refused", f"/proc/{os.getpid()}/fd/{source.fileno()}", data=process.data)

    for done, words in ((piped, "Beside a pipe no file is written"), (refused, ".rejects.csv cannot be written")):
        assert done.returncode == 0, done.stderr
        assert "2 rows: 1 accepted, 0 duplicates, 1 rejected" in done.stdout
        assert words in done.stderr
        path = done.stderr.split("GET ")[1].strip()
        listed = urllib.request.Request(process.known["base_url"] + path, headers={"auth": process.token})
        with urllib.request.urlopen(listed) as answer:
            assert b"not_a_number" in answer.read()


def test_a_list_of_an_earlier_import_that_stays_is_not_taken_for_this_ones(data, file):
    file.with_name("people.csv.rejects.csv").mkdir()
    refused = callsheet("import", "Spring", str(file), data=data)

    assert refused.returncode == 1
    assert "people.csv.rejects.csv, which cannot be deleted" in refused.stderr
    assert not data.exists()


def test_a_folder_of_a_process_without_a_server_is_left_alone(data, file):
    folder = DataFolder(data)
    folder.create()
    with folder.owned():
        refused = callsheet("import", "Spring", str(file), data=data)

    assert refused.returncode == 3
    assert "belongs to process" in refused.stderr


def test_a_file_that_is_not_there_is_wrong_usage(data, tmp_path):
    refused = callsheet("import", "Spring", str(tmp_path / "gone.csv"), data=data)

    assert refused.returncode == 2
    assert not data.exists()
