"""The importer on a real store: every row is in the list, or has a reason why not, exactly once."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from callsheet.core.run import AppSettings
from callsheet.store.apps import App
from callsheet.store.store import Store
from databases import rows
from engine.importing import PEOPLE, Desk, desk, names, write_csv
from factories import StillClock, change_settings, make_app
from phone_numbers import numbers

A, B, C = PEOPLE[:3]


@pytest.fixture
async def work(store: Store, app: App, clock: StillClock, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(store, app, clock, tmp_path / "imports") as found:
        yield found


class Case(NamedTuple):
    """A file, who of it ends up in the list, and which rows do not."""

    fear: str
    data: bytes | str
    numbers: list[str]
    rejects: list[tuple[int, str]]
    duplicates: int = 0


HEAD = "Name,phoneNumber,timeZone,contactPriority\n"
UNREADABLE, PRIORITY = "unreadable_character", "bad_priority"
CASES = [
    Case("plain", f"{HEAD}Ada,{A},,\nBob,{B},,\n", [A, B], []),
    Case("a byte order mark", f"\ufeff{HEAD}Ada,{A},,\n", [A], []),
    Case("UTF-16, as a spreadsheet's Unicode text", f"Name\tphone\r\n\u0141ucja\t{A}\r\n".encode("utf-16"), [A], []),
    Case("Latin-1", f"Name;phone\r\nJos\u00e9;{A}\r\nZo\u00eb;x\r\n".encode("latin-1"), [A], [(3, "not_a_number")]),
    Case("NULs", f"{HEAD}A\0da,{A},,\nBob,{B}\0,,\nCy,{C},,\n", [C], [(2, UNREADABLE), (3, UNREADABLE)]),
    Case(
        "halves of pairs",
        f"{HEAD}\ud83d,{A},,\nBob,{B},,\n\U0001f600,{C},,\n".encode("utf-8", "surrogatepass"), [B, C], [(2, UNREADABLE)]
    ),
    Case("two spellings of one name", f"First Name,first_name,phone\nAda,Bob,{A}\n", [A], []),
    Case("quoted newlines count as one row", f'{HEAD}"Ada\r\nLovelace",{A},,\nBob,x,,\n', [A], [(3, "not_a_number")]),
    Case("blank lines have numbers only", f"\n{HEAD}\nAda,{A},,\n \nBob,x,,\n\n\n", [A], [(6, "not_a_number")]),
    Case("a stray quotation mark", f'{HEAD}"Ada,{A},,\nBob,{B},,\n"Cy",{C},,\n', [B, C], [(2, "unclosed_quote")]),
    Case("a long line", f"{HEAD}{'x' * 200_000},{A},,\nBob,{B},,\n", [B], [(2, "row_too_long")]),
    Case("a long value", f"{HEAD}{'x' * 301},{A},,\n{'y' * 300},{B},,\n", [B], [(2, "value_too_long")]),
    Case("more cells", f"{HEAD}Ada,{A},,,Countess\nBob,{B},,,,\n", [B], [(2, "more_cells_than_columns")]),
    Case("fewer cells", f"{HEAD}Ada,{A}\nBob\n", [A], [(3, "missing_number")]),
    Case("an unknown zone", f"{HEAD}Ada,{A},Mars/Olympus,\nBob,{B},Asia/Kolkata,\n", [B], [(2, "unknown_time_zone")]),
    Case("a bad priority", f"{HEAD}Ada,{A},,11\nBob,{B},,10\nCy,{C},,-1\n", [B], [(2, PRIORITY), (4, PRIORITY)]),
    Case("no number", f"{HEAD}Ada,,,\n,,,\nBob,{B},,\n", [B], [(2, "missing_number"), (3, "missing_number")]),
    Case("no numbers", f"{HEAD}Ada,n/a,,\nBob,+1202555010,,\n", [], [(2, "not_a_number"), (3, "invalid_number")]),
    Case("local numbers without a region", f"{HEAD}Ada,5550100,,\nBob,{B},,\n", [B], [(2, "no_region")]),
    Case("duplicates in the file", f"{HEAD}Ada,{A},,\nBob,{B},,\nAda again,{A[1:]},,\n", [A, B], [], duplicates=1),
    Case("names twice, and blank ones", f"phone,Name,,Name\n{A},Ada,?,Countess\n", [A], []),
    Case("only names of columns", HEAD, [], []),
]  # fmt: skip


async def test_each_kind_of_bad_file_has_exact_counts_and_a_reason_for_each_row(work: Desk, subtests: pytest.Subtests):
    for case in CASES:
        with subtests.test(case.fear):
            target = await work.new_list()

            job = await work.bring(target, case.data)

            assert (job.state, job.problem) == ("done", "")
            assert await work.numbers(target) == case.numbers
            assert await work.rejects(job) == case.rejects
            assert (job.accepted, job.rejected) == (len(case.numbers), len(case.rejects))
            assert job.duplicates == case.duplicates
            assert job.rows == job.accepted + job.rejected + job.duplicates
            assert job.bytes_done == job.bytes_total
            assert not names(work.folder)


async def test_contacts_keep_what_the_file_said_of_them(work: Desk):
    target = await work.new_list()
    data = f'Name,phone,, Priority,Name\n"Ada\nLovelace",{A},?, 3,"Countess, of ""L"""\nBob,{B}\n'

    await work.bring(target, data)

    assert await work.contacts(target) == [
        (A, {"Name": "Ada\nLovelace", "phone": "", " Priority": " 3", "Name 2": 'Countess, of "L"'}),
        (B, {"Name": "Bob", "phone": "", " Priority": "", "Name 2": ""}),
    ]
    found = await work.store.lists.find(work.app.no, list_id=target.id)
    assert found is not None
    assert found.columns == ("Name", "phone", " Priority", "Name 2")
    groups = await rows(work.store, "select own_zone, candidate_zones, priority from list_group order by priority")
    assert [tuple(group) for group in groups] == [("", "America/New_York", 0), ("", "America/New_York", 3)]


async def test_letters_are_what_they_were_in_every_encoding(work: Desk):
    for name, encoding in (
        ("Zo\u00eb", "latin-1"),
        ("\u20ac", "cp1252"),
        ("\u0141\U0001f600", "utf-16"),
        ("Zo\u00eb", "utf-8"),
    ):
        target = await work.new_list()

        await work.bring(target, f"phone,Name\n{A},{name}\n".encode(encoding))

        assert await work.contacts(target) == [(A, {"phone": "", "Name": name})], encoding


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("", "The file is empty."),
        (
            f"Ada,{A}\n",
            "No column holds the phone number; name one of them phoneNumber. The file has: Ada, (a number).",
        ),
        (
            b"PK\x03\x04\0\0",
            "The workbook is damaged, or not complete. Save it again as XLSX or CSV, and import that.",
        ),
    ],
)
async def test_a_file_that_cannot_be_used_fails_with_a_sentence_and_the_next_one_has_its_turn(
    work: Desk, data: bytes | str, problem: str
):
    target = await work.new_list()

    bad = await work.submit(target, data)
    good = await work.bring(target, f"{HEAD}Ada,{A},,\n")

    failed = await work.look(bad)
    assert (failed.state, failed.problem, failed.rows) == ("failed", problem, 0)
    assert (good.state, good.accepted) == ("done", 1)
    assert not names(work.folder)


async def test_of_forty_percent_bad_rows_each_has_its_number_and_its_reason(work: Desk):
    chance = random.Random(1)
    good, expected, lines = [], [], [["phone", "Name", "timeZone"]]
    for row_no, number in enumerate(numbers("IN", 6_000, seed=3), start=2):
        kind = chance.choice(["good", "good", "good", "not_a_number", "unknown_time_zone"])
        if kind == "good":
            good.append(number)
            lines.append([number, "Ada\nL", ""])
        else:
            expected.append((row_no, kind))
            lines.append([number, "x", "Mars"] if kind == "unknown_time_zone" else ["unknown", "x", ""])
    target = await work.new_list()

    job = await work.bring(target, write_csv(lines))

    assert 0.35 < len(expected) / 6_000 < 0.45
    assert await work.rejects(job) == expected
    assert await work.numbers(target) == good
    assert (job.rows, job.accepted, job.rejected, job.duplicates) == (6_000, len(good), len(expected), 0)


async def test_the_same_file_twice_adds_nobody_unless_the_list_allows_it(work: Desk):
    data = f"phone\n{A}\n{B}\n{A}\n"
    once, many = await work.new_list(), await work.new_list(allow_duplicates=True)

    first = [await work.bring(once, data), await work.bring(many, data)]
    second = [await work.bring(once, data), await work.bring(many, data)]

    assert [(job.accepted, job.duplicates) for job in first] == [(2, 1), (3, 0)]
    assert [(job.accepted, job.duplicates) for job in second] == [(0, 3), (3, 0)]
    assert await work.numbers(once) == [A, B]
    assert await work.numbers(many) == [A, B, A] * 2


async def test_imports_into_one_list_at_once_go_one_after_the_other_in_the_order_they_came(work: Desk):
    target = await work.new_list()
    people = numbers("IN", 6_000, seed=9)

    jobs = await asyncio.gather(
        *(work.submit(target, "phone\n" + "\n".join(people[start : start + 4_000])) for start in (0, 1_000, 2_000))
    )
    ended = [await work.ended(job) for job in jobs]

    ended.sort(key=lambda job: job.no)
    assert [job.accepted + job.duplicates for job in ended] == [4_000] * 3
    assert sum(job.accepted for job in ended) == 6_000
    assert sorted(await work.numbers(target)) == sorted(people)


async def test_local_numbers_are_read_in_the_region_of_the_app(
    store: Store, app: App, clock: StillClock, tmp_path: Path
):
    app = await change_settings(store, app, replace(AppSettings(), region="US"))
    async with desk(store, app, clock, tmp_path) as work:
        target = await work.new_list()

        job = await work.bring(target, "phone\n(212) 555-0100\n020 7946 0958\n")

        assert await work.numbers(target) == ["+12125550100"]
        assert await work.rejects(job) == [(3, "invalid_number")]


async def test_each_app_seals_with_its_own_key(work: Desk, store: Store, clock: StillClock):
    other = await make_app(store, clock, name="Other")
    mine = await work.new_list()
    theirs = await replace(work, app=other).new_list()

    await work.bring(mine, f"phone\n{A}\n")
    await replace(work, app=other).bring(theirs, f"phone\n{A}\n")

    assert await work.numbers(mine) == await work.numbers(theirs) == [A]
    assert len({tuple(row) for row in await rows(store, "select person from contact")}) == 2


# -- DNC lists -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "accepted", "duplicates", "rejects"),
    [
        (f"phone\n{A}\n{B}\n", 2, 0, []),
        (f"{A}\n{B}\n{A}\nx\n", 2, 1, [(4, "not_a_number")]),
        (f"Blocked\n{A}\n\nx\n\n", 1, 0, [(4, "not_a_number")]),
        (f"Name;Mobile;{'x;' * 200}\nAda;{A};{'y' * 2000}\nBob\nCy;{C}\n", 2, 0, [(3, "missing_number")]),
    ],
)
async def test_a_dnc_list_takes_the_numbers_and_nothing_else(
    work: Desk, data: str, accepted: int, duplicates: int, rejects: list[tuple[int, str]]
):
    target = await work.store.dnc_lists.create(work.app.no, "Never", work.clock.now())

    job = await work.bring(target, data)

    assert (job.state, job.accepted, job.duplicates, job.rejected) == ("done", accepted, duplicates, len(rejects))
    assert await work.rejects(job) == rejects
    found = await work.store.dnc_lists.find(work.app.no, list_id=target.id)
    assert found is not None
    assert found.size == accepted
    key = work.store.vault.app(work.app.no)
    assert key is not None
    entries = await rows(work.store, "select person, sealed, source from dnc_entry")
    assert {key.open_number(bytes(entry.sealed), bytes(entry.person)) for entry in entries} <= {A, B, C}
    assert {entry.source for entry in entries} == {"import"}
