"""What an operator is told at three in the morning: the level has to be right, and there has to be something to do."""

from datetime import UTC, datetime, timedelta

import pytest

from callsheet.core import checkup
from callsheet.core.checkup import (
    Level,
    judge_clock,
    judge_imports,
    judge_line,
    judge_postgres,
    judge_runs,
    judge_space,
)

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
GIB = 1024**3
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


@pytest.mark.parametrize(
    ("free", "database", "level"),
    [
        (5 * GIB, GIB, Level.ok),
        (5 * GIB, 6 * GIB, Level.warn),
        (GIB // 2, 0, Level.warn),
        (checkup.LEAST_FREE_BYTES - 1, 0, Level.fail),
    ],
)
def test_a_disk_that_will_not_hold_a_backup_is_warned_about_before_it_is_full(free, database, level):
    assert judge_space(free, database).level is level


@pytest.mark.parametrize("seconds", [-10.0, 2.5, 400.0])
def test_clocks_that_differ_are_warned_about_in_both_directions(seconds):
    assert judge_clock(NOW, NOW + timedelta(seconds=seconds), None).level is Level.warn


def test_a_clock_behind_what_was_recorded_was_set_back():
    assert judge_clock(NOW, None, NOW + timedelta(minutes=1)).level is Level.fail
    assert judge_clock(NOW, NOW, NOW).level is Level.ok


@pytest.mark.parametrize("name", DURABLE)
def test_a_server_that_forgets_in_a_power_cut_fails(name):
    findings = judge_postgres(170_002, "17.2", "UTF8", {**DURABLE, name: "off"})

    assert [finding.sentence for finding in findings if finding.level is Level.fail] == [
        f"The server has turned off: {name}."
    ]


@pytest.mark.parametrize(
    ("number", "encoding", "wrong"),
    [(170_002, "UTF8", []), (140_000, "UTF8", []), (130_011, "UTF8", ["postgres"]), (160_000, "LATIN1", ["encoding"])],
)
def test_an_old_server_and_another_encoding_fail(number, encoding, wrong):
    findings = judge_postgres(number, "x", encoding, DURABLE)

    assert [finding.check for finding in findings if finding.level is Level.fail] == wrong


def test_work_that_nobody_does_and_work_that_stands_still_are_different_sentences():
    nobody, still, well = (
        judge_runs(2, 0, is_served=False),
        judge_runs(2, 1, is_served=True),
        judge_runs(2, 0, is_served=True),
    )

    assert [nobody.level, still.level, well.level] == [Level.warn, Level.warn, Level.ok]
    assert "no program" in nobody.sentence
    assert "1 of 2" in still.sentence
    assert judge_imports(1, 1, is_served=True).level is Level.warn
    assert judge_imports(0, 0, is_served=False).level is Level.ok


@pytest.mark.parametrize(
    ("state", "breaker", "level"),
    [
        ("open", "closed", Level.ok),
        ("throttled", "closed", Level.warn),
        ("connecting", "closed", Level.warn),
        ("closed", "closed", Level.warn),
        ("broken", "closed", Level.fail),
        ("open", "open", Level.fail),
        ("open", "half_open", Level.warn),
    ],
)
def test_a_trunk_that_takes_nothing_fails_and_says_why(state, breaker, level):
    finding = judge_line("The trunk Main (tr-1)", state, "because", breaker, "5 in a row.")

    assert finding.level is level
    assert bool(finding.advice) is (level is not Level.ok)
    assert ("5 in a row." if breaker != "closed" else "because.") in finding.sentence


def test_whatever_is_not_well_comes_with_something_to_do():
    findings = [
        judge_space(0, 0), judge_space(GIB // 2, 0), checkup.judge_sync(1.0), checkup.judge_wal(GIB),
        judge_clock(NOW, NOW + timedelta(hours=1), None), judge_clock(NOW, None, NOW + timedelta(hours=1)),
        judge_runs(1, 0, is_served=False), judge_runs(1, 1, is_served=True), judge_imports(1, 1, is_served=True),
        judge_imports(1, 0, is_served=False), *judge_postgres(90_000, "9", "SQL_ASCII", {"fsync": "off"}),
    ]  # fmt: skip

    assert all(finding.advice for finding in findings)
    assert Level.ok not in {finding.level for finding in findings}
    assert checkup.worst(findings) is Level.fail
    assert checkup.worst([]) is Level.ok
