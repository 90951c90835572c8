"""A workbook is read as its owner sees it, or refused with a sentence before it takes the machine's memory."""

import io
import zipfile
from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from callsheet.engine.importer import file_name
from callsheet.engine.importing import workbook as module
from callsheet.engine.importing.blocks import BLOCK_ROWS, Block, Source, read_blocks
from callsheet.engine.importing.layout import UnreadableFile
from callsheet.engine.importing.looking import look_into
from callsheet.engine.importing.opening import open_table
from callsheet.store.apps import App
from callsheet.store.store import Store
from callsheet.store.vault import KEY_BYTES
from engine.importing import PEOPLE, Desk, desk, names
from factories import StillClock
from phone_numbers import numbers

A, B, C = PEOPLE[:3]
Cells = Sequence[Sequence[Any]]


@pytest.fixture
async def work(store: Store, app: App, clock: StillClock, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(store, app, clock, tmp_path / "imports") as found:
        yield found


def write(*sheets: Cells, hidden: Sequence[int] = ()) -> bytes:
    """Write a workbook with these sheets."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for serial, rows in enumerate(sheets):
        sheet = book.create_sheet(f"Sheet {serial}")
        sheet.sheet_state = "hidden" if serial in hidden else "visible"
        for row_no, row in enumerate(rows, start=1):
            for column_no, value in enumerate(row, start=1):
                if value is not None:
                    sheet.cell(row_no, column_no, value)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def repack(data: bytes, replaced: dict[str, bytes]) -> bytes:
    """Put other parts into a workbook."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            new.writestr(part, replaced.get(part, old.read(part)))
    return file.getvalue()


def blocks(path: Path, rows: int = 0) -> list[Block]:
    with path.open("rb") as file:
        layout, table = open_table(path, file, numbers_only=False)
        return list(
            read_blocks(
                Source(str(path), numbers_only=False, app_key=bytes(KEY_BYTES), region=None, rows=rows), table, layout
            )
        )


async def test_cells_are_kept_as_their_owner_sees_them(work: Desk):
    target = await work.new_list()
    head = ["phone", "text", "whole", "part", "tenth", "day", "instant", "hour", "yes", "blank", None]
    # A cell has no zone.
    instant = datetime(2024, 1, 5, 9, 30)  # noqa: DTZ001
    row = [int(A[1:]), " x ", 5.0, 2.5, 0.1 + 0.2, date(2024, 1, 5), instant, time(9, 30), True]

    job = await work.bring(target, write([head, row, [B, None, 12345678901.0]]))

    assert (job.state, job.problem, job.accepted, job.bytes_done) == ("done", "", 2, job.bytes_total)
    blank = dict.fromkeys(head[1:-1], "")
    assert await work.contacts(target) == [
        (A, {
            "phone": "", "text": " x ", "whole": "5", "part": "2.5", "tenth": "0.3", "day": "2024-01-05",
            "instant": "2024-01-05T09:30:00", "hour": "09:30:00", "yes": "true", "blank": "",
        }),
        (B, {"phone": "", **blank, "whole": "12345678901"}),
    ]  # fmt: skip
    assert not names(work.folder)


async def test_rows_that_are_rejected_have_the_number_that_the_spreadsheet_shows(work: Desk):
    target = await work.new_list()
    rows = [
        [],
        [None, "phone", "timeZone"],
        [],
        [None, A],
        [None, "x"],
        [" ", ""],
        [None, B, "Mars"],
        [None, A],
        [None, C],
    ]

    job = await work.bring(target, write(rows))

    assert await work.numbers(target) == [A, C]
    assert await work.rejects(job) == [(5, "not_a_number"), (7, "unknown_time_zone")]
    assert (job.rows, job.accepted, job.rejected, job.duplicates) == (5, 2, 2, 1)


async def test_the_first_sheet_that_has_a_header_and_is_seen_is_taken(work: Desk):
    target = await work.new_list()
    notes, hidden, people = [["Read me first"]], [["phone"], [C]], [["phone"], [A]]

    await work.bring(target, write([], notes, hidden, people, [["phone"], [B]], hidden=[2]))

    assert await work.numbers(target) == [A]


async def test_a_sheet_of_numbers_alone_goes_on_a_dnc_list_its_first_number_too(work: Desk):
    dnc = await work.store.dnc_lists.create(work.app.no, "Never", work.clock.now())

    job = await work.bring(dnc, write([[int(A[1:])], [int(B[1:])], ["x"]]))

    assert (job.state, job.accepted) == ("done", 2)
    assert await work.rejects(job) == [(3, "not_a_number")]


async def test_it_is_known_by_its_content_whatever_it_is_called(work: Desk):
    book, text = await work.new_list(), await work.new_list()

    first = await work.submit(book, write([["phone"], [A]]), "people.csv")
    second = await work.submit(text, f"phone\n{B}\n", "people.xlsx")
    await work.ended(first)
    await work.ended(second)

    assert (await work.numbers(book), await work.numbers(text)) == ([A], [B])


async def test_one_without_a_name_is_shown_as_what_it_is(work: Desk):
    job = await work.submit(await work.new_list(), write([["phone"], [A]]), "")

    assert file_name(job) == "import.xlsx"


def test_an_import_that_was_stopped_goes_on_with_the_very_next_row(tmp_path: Path):
    people = numbers("IN", BLOCK_ROWS + 50, seed=4)
    path = tmp_path / "people.xlsx"
    path.write_bytes(write([["phone"], *([person if n % 7 else None] for n, person in enumerate(people))]))

    whole = blocks(path)
    for block in whole[:-1]:
        rest = blocks(path, block.rows)
        assert [c.person for one in rest for c in one.contacts] == [
            c.person for one in whole[whole.index(block) + 1 :] for c in one.contacts
        ]
        assert (rest[-1].rows, rest[-1].bytes_done) == (whole[-1].rows, path.stat().st_size)
    assert sum(len(block.contacts) for block in whole) == sum(bool(n % 7) for n in range(len(people)))


# -- what is refused -------------------------------------------------------------------------------------------------


PEOPLE_SHEET = write([["phone"], [A]])
SHEET = "xl/worksheets/sheet1.xml"
FAR_CELL = b"<c t='n' r='XFD1048576'><v>1</v></c>"
FAR = b"<worksheet><sheetData><row><c r='A1'><v>1</v></c>" + FAR_CELL + b"</row></sheetData></worksheet>"


def _zip(**parts: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return file.getvalue()


def _lying(data: bytes) -> bytes:
    """Say in the archive's directory that each part is a few bytes long."""
    lied = bytearray(data)
    at = 0
    while (at := lied.find(b"PK\x01\x02", at)) >= 0:
        lied[at + 24 : at + 28] = (5).to_bytes(4, "little")
        at += 4
    return bytes(lied)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (PEOPLE_SHEET[: len(PEOPLE_SHEET) // 2], "damaged"),
        (b"PK\x03\x04", "damaged"),
        (_lying(PEOPLE_SHEET), "damaged"),
        (repack(PEOPLE_SHEET, {SHEET: b"<worksheet><sheetData><row"}), "damaged"),
        (repack(PEOPLE_SHEET, {"xl/workbook.xml": b"no XML at all <<<"}), "damaged"),
        (repack(PEOPLE_SHEET, {SHEET: FAR}), "too large"),
        (_zip(mimetype=b"application/vnd.oasis.opendocument.spreadsheet"), "not an XLSX"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "password"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "Workbook".encode("utf-16-le"), "XLS"),
        (write([]), "no rows"),
        (write([["Name"], ["Ada"]], [["City"]]), "The file has: Name."),
        (write([["phone", *(f"c{n}" for n in range(150))]]), "151 columns"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_a_sentence(tmp_path: Path, data: bytes, problem: str):
    path = tmp_path / "people.xlsx"
    path.write_bytes(data)

    with path.open("rb") as file, pytest.raises(UnreadableFile, match=problem):
        open_table(path, file, numbers_only=False)
    assert problem in look_into(path, numbers_only=False)


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "bomb.xlsx"
    bomb = repack(PEOPLE_SHEET, {"xl/theme/theme1.xml": b" " * 40_000_000})
    assert len(bomb) < 100_000

    for data in (bomb, _lying(bomb)):
        monkeypatch.setattr(module, "MOST_UNPACKED_BYTES", 30_000_000)
        path.write_bytes(data)
        assert look_into(path, numbers_only=False)
    monkeypatch.setattr(module, "MOST_UNPACKED_BYTES", 50_000_000)
    path.write_bytes(bomb)

    assert look_into(path, numbers_only=False) == ""


async def test_an_import_that_is_refused_says_why_and_the_next_one_has_its_turn(work: Desk):
    target = await work.new_list()

    bad = await work.bring(target, repack(PEOPLE_SHEET, {SHEET: FAR}))
    good = await work.bring(target, PEOPLE_SHEET)

    assert (bad.state, bad.rows) == ("failed", 0)
    assert "too large" in bad.problem
    assert (good.state, good.accepted) == ("done", 1)
    assert not names(work.folder)
