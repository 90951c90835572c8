"""What `callsheet doctor` thinks of what it measured: each finding is a sentence, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from callsheet.core.breaker import Position

LEAST_FREE_BYTES = 100 * 1024**2
LOW_FREE_BYTES = 1024**3
LARGE_WAL_BYTES = 256 * 1024**2
SLOW_SYNC_SECONDS = 0.02
LEAST_POSTGRES = 140_000
SKEW_SECONDS = 2.0
"""Two clocks that differ by more than this judge calling hours differently."""
OVERDUE = timedelta(minutes=15)
"""What should have been done so long ago is not about to be done."""

_GIB = 1024**3
_MIB = 1024**2


class Level(StrEnum):
    """How bad it is."""

    ok = "ok"
    warn = "warn"
    """It works, and may not tomorrow."""
    fail = "fail"
    """It does not work, or loses what it promised to keep."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    check: str
    """What was looked at, in a stable word."""
    level: Level
    sentence: str
    advice: str = ""
    """What to do; empty when there is nothing to do."""


def ok(check: str, sentence: str) -> Finding:
    """Say that something is well."""
    return Finding(check, Level.ok, sentence)


def warn(check: str, sentence: str, advice: str) -> Finding:
    """Say that something may go wrong."""
    return Finding(check, Level.warn, sentence, advice)


def fail(check: str, sentence: str, advice: str) -> Finding:
    """Say that something is wrong."""
    return Finding(check, Level.fail, sentence, advice)


def worst(findings: Iterable[Finding]) -> Level:
    """Return the worst level."""
    levels = {finding.level for finding in findings}
    return next((level for level in (Level.fail, Level.warn) if level in levels), Level.ok)


def judge_space(free_bytes: int, database_bytes: int) -> Finding:
    """Judge the free space of the data folder's disk. A backup beside it needs twice the database."""
    sentence = f"{free_bytes / _GIB:.1f} GiB are free on the disk of the data folder."
    advice = "Make room: on a full disk nothing is accepted, and campaigns stand still."
    if free_bytes < LEAST_FREE_BYTES:
        return fail("space", sentence, advice)
    if free_bytes < max(LOW_FREE_BYTES, database_bytes):
        return warn("space", sentence, advice)
    return ok("space", sentence)


def judge_sync(seconds: float) -> Finding:
    """Judge how long the disk takes to make a small write durable; each commit waits for that."""
    sentence = f"A write is on the disk after {seconds * 1000:.1f} ms."
    if seconds > SLOW_SYNC_SECONDS:
        return warn("sync", sentence, "Put the data folder on a faster disk: every commit waits for this.")
    return ok("sync", sentence)


def judge_wal(wal_bytes: int) -> Finding:
    """Judge the size of SQLite's write-ahead log."""
    sentence = f"The write-ahead log has {wal_bytes / _MIB:.0f} MiB."
    if wal_bytes > LARGE_WAL_BYTES:
        return warn("wal", sentence, "Something reads without an end, a backup perhaps: the log shrinks after it.")
    return ok("wal", sentence)


def judge_clock(now: datetime, database_now: datetime | None, latest_at: datetime | None) -> Finding:
    """Judge this machine's clock by the database's, and by what was recorded before."""
    if database_now is not None and abs((database_now - now).total_seconds()) > SKEW_SECONDS:
        seconds = (database_now - now).total_seconds()
        return warn(
            "clock",
            f"The database's clock is {seconds:+.1f} s from this machine's.",
            "Let both follow one time server (chrony, systemd-timesyncd).",
        )
    if latest_at is not None and latest_at > now + timedelta(seconds=SKEW_SECONDS):
        return fail(
            "clock",
            f"Something was recorded at {latest_at.isoformat(timespec='seconds')}, and this machine says that it is"
            f" {now.isoformat(timespec='seconds')}.",
            "Set the clock: calling hours are judged by it.",
        )
    return ok("clock", f"This machine says that it is {now.isoformat(timespec='seconds')}.")


def judge_postgres(version_num: int, version: str, encoding: str, settings: Mapping[str, str]) -> list[Finding]:
    """Judge a PostgreSQL server: its version, its encoding, and whether what it answered survives a power cut."""
    found = [
        ok("postgres", f"PostgreSQL {version}.")
        if version_num >= LEAST_POSTGRES
        else fail("postgres", f"PostgreSQL {version} is too old.", "Take version 14 or newer."),
        ok("encoding", "The database keeps UTF-8.")
        if encoding == "UTF8"
        else fail("encoding", f"The database keeps {encoding}.", "Make it anew with ENCODING 'UTF8'."),
    ]
    off = sorted(name for name, value in settings.items() if value == "off")
    if off:
        advice = "Turn them on: what was recorded must survive a power cut, or people are contacted twice."
        return [*found, fail("durability", f"The server has turned off: {', '.join(off)}.", advice)]
    return [*found, ok("durability", "What the server answered survives a power cut.")]


def judge_runs(active: int, overdue: int, *, is_served: bool) -> Finding:
    """Judge whether runs go on: how many are Active, and of how many something is overdue."""
    if active and not is_served:
        return warn("runs", f"{active} runs are Active, and no program works on them.", "Start `callsheet serve`.")
    if overdue:
        advice = (
            "Read the log for `loop.broke`, `run.broke`, `run.unreadable`, `trunk.broke` and `dispatcher.store_away`,"
            " or start the program anew."
        )
        return warn("runs", f"{overdue} of {active} Active runs make no progress: something is long due.", advice)
    return ok("runs", f"{active} runs are Active.")


def judge_line(trunk: str, state: str, why: str, breaker: str, breaker_why: str) -> Finding:
    """Judge how a trunk stands, as a server sees it: by the state of its line, and of its breaker."""
    reset = "See that the carrier works and takes the account; `POST …/trunks/{id}/reset` tries it at once."
    if breaker == Position.open.value:
        return fail("lines", f"{trunk} gets no messages. {breaker_why}", reset)
    if breaker == Position.half_open.value:
        return warn("lines", f"{trunk} is tried again, with one message. {breaker_why}", reset)
    because = f": {why.removesuffix('.')}." if why else "."
    sentence = f"{trunk} is {state}{because}"
    match state:
        case "open":
            return ok("lines", sentence)
        case "broken":
            return fail("lines", sentence, "Mend what it says; `POST …/trunks/{id}/test` tries the account.")
        case "throttled":
            return warn("lines", sentence, "It takes fewer messages than there are: ask the carrier for a higher rate.")
        case _:
            return warn("lines", sentence, "It gets no messages until it is open; `POST …/trunks/{id}/test` tries it.")


def judge_callbacks(trunk: str, amiss: str) -> Finding:
    """Warn that what a trunk's carrier tells reaches nobody."""
    return warn("trunks", f"{trunk}: {amiss}", "Set it to the address under which carriers reach this server.")


def judge_imports(waiting: int, stuck: int, *, is_served: bool) -> Finding:
    """Judge whether imports go on: how many have not ended, and how many of them have not moved for long."""
    if waiting and not is_served:
        return warn("imports", f"{waiting} imports wait for a program that works.", "Start `callsheet serve`.")
    if stuck:
        advice = "Its file is on the node that took it: start that one, or upload the file again."
        return warn("imports", f"{stuck} of {waiting} imports have not moved for long.", advice)
    return ok("imports", f"{waiting} imports are under way.")
