"""Append contacts and DNC numbers in blocks."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from callsheet.core.errors import ContactListNotFound, DncListNotFound
from callsheet.core.limits import Limit, most_of, refuse_past
from callsheet.core.notice import NoticeKind
from callsheet.core.run import AppSettings
from callsheet.store.importing import GroupKey, leave_out, number_groups, was_stored
from callsheet.store.outbox import IMPORTED, imported
from callsheet.store.protocol import Appended, NewContact, NewEntry, Step
from callsheet.store.rows import read_settings, to_json
from callsheet.store.sqlite.statements import insert_many, select_in


def append(
    raw: sqlite3.Connection,
    app: int,
    list_no: int,
    contacts: Sequence[NewContact],
    step: Step | None,
    now: int,
    allow: bool | None = None,
) -> Appended:
    """Append contacts to a list, each at the next position. Raises ContactListNotFound and LimitReached."""
    held = raw.execute(
        "select size, allow_duplicates from contact_list where app = ? and no = ?", (app, list_no)
    ).fetchone()
    if held is None:
        raise ContactListNotFound
    if _was_stored(raw, app, step, contacts):
        return Appended(0, 0)
    size, allow_duplicates = held
    fresh = contacts if (allow_duplicates if allow is None else allow) else _without_known(raw, app, list_no, contacts)
    groups = _groups(raw, app, list_no, fresh)
    insert_many(
        raw,
        "insert into contact (app, list_no, group_no, pos, person, sealed, attributes, unique_id, created_at)",
        [
            (app, list_no, groups[c[:3]], pos, c.person, c.sealed, c.attributes, c.unique_id, now)
            for pos, c in enumerate(fresh, size)
        ],
    )
    raw.execute(
        "update contact_list set size = ?, updated_at = ? where app = ? and no = ?",
        (size + len(fresh), now, app, list_no),
    )
    if fresh:
        settings = _settings(raw, app)
        refuse_past(settings, Limit.contacts_per_list, size + len(fresh))
        _refuse_past_all(raw, settings, Limit.contacts, app, "contact_list")
    appended = Appended(len(fresh), len(contacts) - len(fresh))
    advance(raw, app, step, appended, now)
    return appended


def _without_known(raw: sqlite3.Connection, app: int, list_no: int, contacts: Sequence[NewContact]) -> list[NewContact]:
    known: set[bytes] = set()
    persons = [contact.person for contact in contacts]
    for i in range(0, len(persons), 1000):
        known.update(
            person
            for (person,) in select_in(
                raw,
                "select person from contact where app = ? and list_no = ? and person",
                (app, list_no),
                persons[i : i + 1000],
            )
        )
    return leave_out(contacts, known)


def _groups(raw: sqlite3.Connection, app: int, list_no: int, contacts: Sequence[NewContact]) -> Mapping[GroupKey, int]:
    """Number the groups of these contacts and add to their counts."""
    known: dict[GroupKey, int] = {
        (own, zones, priority): no
        for no, own, zones, priority in raw.execute(
            "select group_no, own_zone, candidate_zones, priority from list_group where app = ? and list_no = ?",
            (app, list_no),
        )
    }
    numbers, growths = number_groups(contacts, known)
    insert_many(
        raw,
        "insert into list_group (app, list_no, group_no, own_zone, candidate_zones, priority, contacts)",
        [(app, list_no, growth.group_no, *growth.key, growth.contacts) for growth in growths],
        "on conflict do update set contacts = contacts + excluded.contacts",
    )
    return numbers


def forbid(
    raw: sqlite3.Connection,
    app: int,
    dnc_no: int,
    entries: Sequence[NewEntry],
    source: str,
    step: Step | None,
    now: int,
) -> Appended:
    """Put numbers on a DNC list. Raises DncListNotFound and LimitReached."""
    if raw.execute("select 1 from dnc_list where app = ? and no = ?", (app, dnc_no)).fetchone() is None:
        raise DncListNotFound
    if _was_stored(raw, app, step, entries):
        return Appended(0, 0)
    raw.execute("update app set gate_no = gate_no + 1 where no = ?", (app,))
    before = raw.total_changes
    insert_many(
        raw,
        "insert into dnc_entry (app, dnc_no, person, sealed, source, added_at)",
        [(app, dnc_no, entry.person, entry.sealed, source, now) for entry in entries],
        "on conflict do nothing",
    )
    added = raw.total_changes - before
    ((size,),) = raw.execute(
        "update dnc_list set size = size + ?, updated_at = ? where no = ? returning size", (added, now, dnc_no)
    ).fetchall()
    if added:
        settings = _settings(raw, app)
        refuse_past(settings, Limit.dnc_numbers_per_list, size)
        _refuse_past_all(raw, settings, Limit.dnc_numbers, app, "dnc_list")
    appended = Appended(added, len(entries) - added)
    advance(raw, app, step, appended, now)
    return appended


def _settings(raw: sqlite3.Connection, app: int) -> AppSettings:
    (settings,) = raw.execute("select settings from app where no = ?", (app,)).fetchone()
    return read_settings(settings)


def _refuse_past_all(raw: sqlite3.Connection, settings: AppSettings, limit: Limit, app: int, table: str) -> None:
    """Refuse what brought all lists of an app together past their limit. Raises LimitReached."""
    if most_of(settings, limit) is not None:
        (total,) = raw.execute(f"select coalesce(sum(size), 0) from {table} where app = ?", (app,)).fetchone()
        refuse_past(settings, limit, total)


def _was_stored(
    raw: sqlite3.Connection, app: int, step: Step | None, block: Sequence[NewContact] | Sequence[NewEntry]
) -> bool:
    if step is None:
        return False
    (rows,) = raw.execute("select rows from import_job where app = ? and no = ?", (app, step.import_no)).fetchone()
    return was_stored(step, rows, block)


def advance(raw: sqlite3.Connection, app: int, step: Step | None, appended: Appended, now: int) -> None:
    """Write down how far the import has come."""
    if step is None:
        return
    insert_many(
        raw,
        "insert into import_reject (app, import_no, row_no, reason, message)",
        [(app, step.import_no, *reject) for reject in step.rejects],
        "on conflict do nothing",
    )
    raw.execute(
        "update import_job set rows = ?, bytes_done = ?, accepted = accepted + ?, duplicates = duplicates + ?,"
        " rejected = rejected + ?, state = ?, updated_at = ? where no = ?",
        (
            step.rows,
            step.bytes_done,
            appended.added,
            appended.duplicates,
            len(step.rejects),
            "done" if step.done else "running",
            now,
            step.import_no,
        ),
    )
    if step.done:
        payload = to_json(imported(*raw.execute(f"{IMPORTED} ?", (step.import_no,)).fetchone()))
        raw.execute(
            "insert into outbox (app, kind, payload, at) values (?,?,?,?)",
            (app, NoticeKind.import_done.value, payload, now),
        )
