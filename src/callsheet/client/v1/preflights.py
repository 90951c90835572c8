"""What all messages of a campaign come to before anybody gets one."""

from __future__ import annotations

from datetime import datetime

from callsheet.client.record import Record


class PreflightFinding(Record, frozen=True):
    """One thing that was found."""

    code: str
    severity: str
    message: str
    contacts: int
    contact_ids: tuple[str, ...]


class Pile(Record, frozen=True):
    """Of how many contacts something is true, and a few of them."""

    name: str
    contacts: int
    contact_ids: tuple[str, ...]


class ZoneHours(Record, frozen=True):
    """Contacts that share a set of zones, and when all of these are open."""

    zones: tuple[str, ...]
    contacts: int
    is_open: bool
    opens_at: datetime | None
    closes_at: datetime | None


class PinnedList(Record, frozen=True):
    """A contact list as it was looked at."""

    id: str
    name: str
    size: int


class Preflight(Record, frozen=True):
    """The latest preflight of a campaign, as the page on it explains it."""

    state: str
    begun_at: datetime
    finished_at: datetime | None
    contacts: int
    looked_at: int
    campaign_version: int
    text_version: int
    lists: tuple[PinnedList, ...]
    stale: tuple[str, ...]
    blocks: bool
    findings: tuple[PreflightFinding, ...]
    messages: int
    segments: int
    calls: int
    calls_at_once: int | None
    cost: str | None
    currency: str | None
    seconds: float | None
    encodings: tuple[Pile, ...]
    sizes: tuple[Pile, ...]
    characters: tuple[Pile, ...]
    blanks: tuple[Pile, ...]
    faults: tuple[Pile, ...]
    spared: tuple[Pile, ...]
    countries: tuple[Pile, ...]
    kinds: tuple[Pile, ...]
    zones: tuple[ZoneHours, ...]
