"""What became of the demo's contacts, in numbers that add up, and what to try next."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from callsheet.cli.counting import counted
from callsheet.cli.demo_people import ENDINGS
from callsheet.cli.options import own_name
from callsheet.folder import DataFolder
from callsheet.settings import Settings

if TYPE_CHECKING:
    from callsheet.client import Import
    from callsheet.client.v1.reports import Outcome, RunReport

_CLOSED = "outside_hours"
_WORDS = {"dnc": "on a DNC list"}
_NO_RECEIPT = ENDINGS["9908"]
"""So many handsets never confirm."""


def deferred(outcome: Outcome) -> int:
    """Count the contacts whose hours are closed."""
    left = sum(group.contacts for group in outcome.left if not group.open)
    return left + sum(one.contacts for one in outcome.waiting if one.reason == _CLOSED)


def settled(outcome: Outcome) -> int:
    """Count the contacts of which nothing more is expected now."""
    ended = outcome.delivered + outcome.undelivered + outcome.rejected + outcome.uncertain + outcome.duplicate
    return ended + sum(outcome.suppressed.values())


def nothing_moves(outcome: Outcome, *, quiet: bool) -> bool:
    """Tell whether everybody who may be contacted now has an outcome; `quiet`: nothing changed for a while."""
    open_left = any(group.open for group in outcome.left)
    comes_again = any(one.reason != _CLOSED for one in outcome.waiting)
    if outcome.in_flight or open_left or comes_again:
        return False
    return outcome.accepted <= _NO_RECEIPT or quiet


def say_outcome(report: RunReport, imports: Sequence[Import], rejects: Sequence[Sequence[str]]) -> None:
    """Print the table."""
    outcome, effort = report.outcome, report.effort
    lines = list(_lines(outcome))
    print("\nWhat became of them")
    for name, count, words in lines:
        _say(name, count, words)
    _say("contacts", sum(count for _, count, _ in lines), "the sum")
    reasons = Counter(reason for listed in rejects for reason in listed)
    twice = sum(done.duplicates for done in imports)
    _say("rejected rows", sum(done.rejected for done in imports), _counted(reasons))
    _say("twice in a file", twice, "left out by the import")
    _say("rows", sum(done.rows for done in imports), "in both files")
    print(
        f"\n{counted(effort.attempts, 'attempt')}, {counted(effort.segments, 'segment')};"
        f" {effort.refused} were throttled and sent again."
    )
    if deferred(outcome):
        print("The campaign stays Active: it goes on by itself when the closed hours open, if a server runs then.")


def _lines(outcome: Outcome) -> Iterator[tuple[str, int, str]]:
    yield "delivered", outcome.delivered, "a handset confirmed it"
    yield "undelivered", outcome.undelivered, "the carrier took it, and no handset did"
    yield "rejected", outcome.rejected, "the carrier knows no such number"
    yield "accepted", outcome.accepted, "the carrier took it, and no receipt has come"
    yield "uncertain", outcome.uncertain, "no answer: nobody knows, so nobody is contacted twice"
    yield "excluded", sum(outcome.suppressed.values()), _counted(outcome.suppressed)
    yield "duplicate", outcome.duplicate, "the same person in the other list"
    for opens_at, zones, count in _openings(outcome):
        local = opens_at.astimezone(ZoneInfo(zones[0]))
        yield "deferred", count, f"until {local:%H:%M} in {', '.join(zones)} ({opens_at:%Y-%m-%d %H:%M} UTC)"
    later = sum(one.contacts for one in outcome.waiting if one.reason == _CLOSED)
    if later:
        yield "deferred", later, "their hours closed meanwhile"


def _openings(outcome: Outcome) -> Iterator[tuple[datetime, tuple[str, ...], int]]:
    """Yield when the closed groups open, each instant and set of zones once."""
    counts: Counter[tuple[datetime, tuple[str, ...]]] = Counter()
    for group in outcome.left:
        if group.next_open_at is not None and not group.open:
            counts[group.next_open_at, group.zones] += group.contacts
    for (opens_at, zones), count in sorted(counts.items()):
        yield opens_at, zones, count


def _counted(reasons: Mapping[str, int]) -> str:
    return ", ".join(
        f"{_WORDS.get(reason, reason.replace('_', ' '))} {count}" for reason, count in sorted(reasons.items())
    )


def _say(name: str, count: int, words: str) -> None:
    print(f"  {name:<16}{count:>7,}   {words}".rstrip())


def say_what_next(settings: Settings, base_url: str | None, campaign_id: str, run_id: str) -> None:
    """Print what to try, ready for a shell; `base_url` is None when no server stays."""
    from callsheet.bootstrap import address

    app_id = DataFolder(settings.data).credentials().app_id
    # A port that is chosen at the start is not known before it.
    port = settings.port or Settings.model_fields["port"].default
    base = base_url or address(settings.host, port)
    root = f"{base}/v1/apps/{app_id}"
    trigger = f"{base}/campaign/api/v1/public/{app_id}/campaign/{campaign_id}"
    data = shlex.quote(str(settings.data))
    print("\nTry next")
    if base_url is None:
        print(
            f"  {own_name()} serve --data {data} --host {shlex.quote(settings.host)} --port {port}   # leave it running"
        )
        print("In another terminal")
    print(f"  TOKEN=$({own_name()} token --data {data})")
    for path in ("", "/attempts?state=uncertain", "/suppressions?limit=5"):
        print(f'  curl -s -H "auth: $TOKEN" "{root}/runs/{run_id}{path}"')
    print(f'  curl -s -H "auth: $TOKEN" "{root}/sandbox/outbox?limit=5&campaign_id={campaign_id}"')
    print(f'  curl -s -H "auth: $TOKEN" -X POST "{trigger}?campaignType=sms&trigger=stop"')
    print(flush=True)
