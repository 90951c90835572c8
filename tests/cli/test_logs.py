"""The last net: what no line of ours would log, a library or a trace may."""

import io
import json
import logging
import warnings
from contextlib import contextmanager

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from callsheet import logs
from phone_numbers import RANGES, numbers


@contextmanager
def logging_as_before():
    """Log afterwards as before: untold, structlog draws each trace in boxes, which takes longer than most tests."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(capture=False)
    structlog.configure(**before)


@pytest.fixture
def written():
    """Log into a text; afterwards nothing of it is left."""
    stream = io.StringIO()
    with logging_as_before():
        logs.set_up("debug", "json", stream)
        yield stream


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def masked(value: object) -> object:
    return logs.mask_numbers(None, "info", {"event": "x.y", "value": value})["value"]


@pytest.mark.parametrize("region", RANGES)
@pytest.mark.parametrize("written_as", ["{}", "to {} now", "tel:{}", "('{}',)", "{},"])
def test_no_valid_number_gets_through_with_or_without_its_plus(region, written_as):
    for number in numbers(region, 5):
        for spelled in (number, number[1:]):
            assert spelled not in str(masked(written_as.format(spelled)))


@pytest.mark.parametrize(
    "text", ["+1 (212) 555-0100", "212-555-0100", "(212) 555-0100", "+44 7400 123456", "+49 151-23456789"]
)
def test_numbers_as_people_write_them_do_not_get_through(text):
    assert masked(text) == "[number]"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20T09:30:00.123456Z",
        "cid-12345678-1234-4321-8765-123456789012",
        "000000000001" + "ab" * 16 + "0001",
        "1763600000.123456",
        "sb-000000123",
        "port 8030",
        "127.0.0.1:8030",
        "after 12345 rows",
    ],
)
def test_ids_and_instants_stay_readable(text):
    assert masked(text) == text


def test_numbers_are_found_inside_and_as_integers():
    assert masked({"a": ["+12125550100", 3], "b": (12125550100, True)}) == {
        "a": ["[number]", 3],
        "b": ["[number]", True],
    }


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_masking_takes_anything(value):
    masked(value)


def test_a_trace_that_quotes_a_number_is_masked(written):
    def fail(number: str) -> None:
        raise ValueError(f"cannot reach {number}")

    try:
        fail("+12125550100")
    except ValueError:
        structlog.get_logger("callsheet.somewhere").exception("x.broke")

    assert "12125550100" not in written.getvalue()
    assert "cannot reach [number]" in written.getvalue()


def test_what_libraries_log_is_masked_and_they_are_quiet_below_warning(written):
    other = logging.getLogger("somebody.else")
    other.debug("insert %s", "+12125550100")
    other.info("hello")
    other.warning("failed for %s", "+12125550100")

    assert [line["event"] for line in lines(written)] == ["failed for [number]"]


def test_a_warning_of_python_goes_into_the_log(written):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old 12125550100", stacklevel=1)

    assert "[number]" in written.getvalue()


def test_an_event_is_one_line_of_json_with_level_and_instant(written):
    structlog.get_logger("callsheet.somewhere").info("engine.started", node=1)

    (line,) = lines(written)
    assert line["event"] == "engine.started"
    assert line["level"] == "info"
    assert line["node"] == 1
    assert str(line["at"]).endswith("Z")


def test_a_terminal_gets_readable_lines_without_values_of_variables():
    def fail() -> None:
        secret = "hush"  # noqa: F841 (a trace that shows variables would show it)
        raise RuntimeError("boom")

    stream = io.StringIO()
    with logging_as_before():
        logs.set_up("info", "console", stream)
        try:
            fail()
        except RuntimeError:
            structlog.get_logger("callsheet.somewhere").exception("x.broke")

    assert "RuntimeError: boom" in stream.getvalue()
    assert "'hush'" not in stream.getvalue()
