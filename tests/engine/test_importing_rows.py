"""Reading rows: what a file says, whatever is wrong with it, and never more of it in memory than a row."""

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.engine.importing import rows as module
from callsheet.engine.importing.rows import LONGEST_ROW_BYTES, Lines, Rows
from engine.importing import write_csv


class Dripping(io.BytesIO):
    """A file that gives a few bytes at a time."""

    def __init__(self, data: bytes, drop: int) -> None:
        super().__init__(data)
        self._drop = drop

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self._drop)


def read(data: bytes | str, columns: int | None = None, delimiter: str = ",", drop: int = 1 << 20) -> list[Any]:
    """Read everything: cells, or the reason why a row is rejected. What is blank is left out."""
    file = Dripping(data.encode() if isinstance(data, str) else data, drop)
    reading = Rows(Lines(file, 0), delimiter, columns)
    found: list[Any] = []
    while (row := reading.take()) is not None:
        if row.wrong is not None:
            found.append(row.wrong.reason.value)
        elif row.cells:
            found.append(row.cells)
    assert reading.at == len(file.getvalue())
    return found


TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12) | st.sampled_from(
    ['"', '""', "\r\n", "\n", "\r", ",", ";", 'a "b" c', " ", "'", "\u2028", "\x0b", "\ufeff"]
)
FILES = st.lists(st.lists(TEXT, min_size=2, max_size=4).filter(lambda cells: any(map(str.strip, cells))), max_size=12)


@given(FILES, st.sampled_from(",;\t"), st.integers(1, 40))
def test_what_a_program_wrote_is_read_back_wherever_the_reads_are_cut(cells: Any, delimiter: str, drop: int):
    assert read(write_csv(cells, delimiter), delimiter=delimiter, drop=drop) == cells


@given(FILES, st.integers(1, 40))
def test_reading_goes_on_exactly_at_any_row_where_it_stopped(cells: Any, drop: int):
    data = write_csv(cells).encode()
    first = Rows(Lines(io.BytesIO(data), 0), ",")
    for done in range(len(cells)):
        rest = Rows(Lines(Dripping(data, drop), first.at), ",")
        found = [row.cells for row in iter(rest.take, None) if row is not None]
        assert found == cells[done:]
        first.take()


@given(st.binary(max_size=200) | st.text('",;\r\nab \0', max_size=60).map(str.encode), st.integers(1, 9))
def test_no_bytes_at_all_break_the_reading_or_lose_their_place(data: bytes, drop: int):
    assert read(data, columns=2, drop=drop) == read(data, columns=2)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("a,b\nc,d\n", [["a", "b"], ["c", "d"]]),
        ("a,b\r\nc,d", [["a", "b"], ["c", "d"]]),
        ("a,b\rc,d\r", [["a", "b"], ["c", "d"]]),  # as an old Mac wrote them
        ("a,b\n\n  \n\r\nc,d\n", [["a", "b"], ["c", "d"]]),  # blank lines are no rows
        ("a,b\n,\nc,d\n", [["a", "b"], ["", ""], ["c", "d"]]),  # a row of empty cells is one
        ('a,"b\nb"\nc,d\n', [["a", "b\nb"], ["c", "d"]]),
        ('a,"b ""b"" b"\n', [["a", 'b "b" b']]),
        ('a,5" pipe\n', [["a", '5" pipe']]),
        ('"Ada" Lovelace,b\n', [["Ada Lovelace", "b"]]),  # not as the standard has it, but clear
        ("a\nb,c\n", [["a"], ["b", "c"]]),  # too few cells: those at the end are empty
        ("a,b,,\n", [["a", "b"]]),  # too many, but blank
        ("a,b,c\n", ["more_cells_than_columns"]),
        ("a,\0b\n", [["a", "\0b"]]),  # judged when the values are
        (b"a,caf\xe9\n", [["a", "caf\u00e9"]]),
        (b"a,\x80 \x81\n", [["a", "\u20ac \x81"]]),
        (b"a,caf\xe9\nb,caf\xc3\xa9\n", [["a", "caf\u00e9"], ["b", "caf\u00e9"]]),  # put together from two files
        (b"a,\xed\xa0\x80\n", [["a", "\ud800"]]),
        ("", []),
        ("\n\n", []),
    ],
)
def test_people_write_rows_in_many_ways(data: bytes | str, expected: Any):
    assert read(data, columns=2) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ('"a,b\nc,d\ne,f\n', ["unclosed_quote", ["c", "d"], ["e", "f"]]),
        ('a,b\nc,"d', [["a", "b"], "unclosed_quote"]),
        ('"a,b\nc,"d"\ne,f\n', ["unclosed_quote", ["c", "d"], ["e", "f"]]),  # the next mark does not close it properly
        ('"a,b\nc,say "d" now\ne,f\n', ["unclosed_quote", ["c", 'say "d" now'], ["e", "f"]]),
        ('"a"b"c,d\ne,f\n', ["unclosed_quote", ["e", "f"]]),
        # It is closed properly, by chance, but then the row is too wide to be one.
        ('"a,b\nc,d",e,f\ng,h\n', ["unclosed_quote", "more_cells_than_columns", ["g", "h"]]),
        ('"a"b,c,d\n', ["more_cells_than_columns"]),
    ],
)
def test_a_stray_quotation_mark_costs_its_own_row_only(data: str, expected: Any):
    assert read(data, columns=2) == expected


def test_a_quotation_mark_that_is_never_closed_does_not_read_the_whole_file_into_one_cell():
    many = "".join(f"n{i},x\n" for i in range(LONGEST_ROW_BYTES))

    found = read('"a,b\n' + many, columns=2)

    assert found[0] == "unclosed_quote"
    assert found[1:] == [[f"n{i}", "x"] for i in range(LONGEST_ROW_BYTES)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", ""])
@pytest.mark.parametrize("longer", [0, 1, 1000])
@pytest.mark.parametrize("drop", [1, 1000, 1 << 20])
def test_a_line_is_kept_up_to_the_limit_and_rejected_beyond_it(
    monkeypatch: pytest.MonkeyPatch, end: str, longer: int, drop: int
):
    monkeypatch.setattr(module, "LONGEST_ROW_BYTES", 500)
    line = "x" * (500 - len(end) + longer)

    found = read(f"a,b\n{line}{end}" + ("c,d\n" if end else ""), columns=2, drop=drop)

    assert found == [["a", "b"], "row_too_long" if longer else [line], *([["c", "d"]] if end else [])]


def test_a_quoted_text_that_runs_into_a_line_that_is_too_long_gives_it_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "LONGEST_ROW_BYTES", 100)

    assert read('"a,b\n' + "x" * 500 + "\nc,d\n", columns=2) == ["unclosed_quote", "row_too_long", ["c", "d"]]


def test_a_line_of_a_gigabyte_is_never_in_memory():
    class Endless(io.RawIOBase):
        left = 1024**3
        kept = 0

        def seek(self, *_: Any) -> int:
            return 0

        def read(self, size: int = -1, /) -> bytes:
            self.left, data = max(0, self.left - size), b"x" * min(size, self.left)
            return data

    lines = Lines(Endless(), 0)  # type: ignore[arg-type]
    line = lines.take()

    assert line is not None
    assert (line.raw, line.size, lines.at) == (None, 1024**3, 1024**3)
    assert lines.take() is None
