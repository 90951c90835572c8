"""Append contacts and DNC numbers in blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from callsheet.core.errors import ContactListNotFound, DncListNotFound
from callsheet.core.limits import Limit, most_of, refuse_past
from callsheet.core.notice import NoticeKind
from callsheet.core.run import AppSettings
from callsheet.store.gate import LINE
from callsheet.store.importing import GroupKey, leave_out, number_groups, was_stored
from callsheet.store.outbox import IMPORTED, imported
from callsheet.store.postgres.database import Raw
from callsheet.store.postgres.statements import columns, now_or, rows_of
from callsheet.store.protocol import Appended, NewContact, NewEntry, Step
from callsheet.store.rows import read_settings, to_json


async def append(
    raw: Raw,
    app: int,
    list_no: int,
    contacts: Sequence[NewContact],
    step: Step | None,
    present: int | None,
    allow: bool | None = None,
) -> Appended:
    """Append contacts to a list, each at the next position. Raises ContactListNotFound and LimitReached."""
    settings = await _settings(raw, app, Limit.contacts)
    # Who holds the list's row is the only one to append to it: positions are dense and persons are not doubled.
    held = await raw.fetchrow(
        "with held as materialized ("
        "  select size, allow_duplicates from contact_list where app = $1 and no = $2 for update"
        f") select size, allow_duplicates, {now_or(3)} as now from held",
        app,
        list_no,
        present,
    )
    if held is None:
        raise ContactListNotFound
    if await _was_stored(raw, app, step, contacts):
        return Appended(0, 0)
    size, allow_duplicates, now = held
    fresh = (
        contacts
        if (allow_duplicates if allow is None else allow)
        else leave_out(contacts, await _known(raw, app, list_no, contacts))
    )
    await _load(raw, app, list_no, fresh, size, now)
    if fresh:
        refuse_past(settings, Limit.contacts_per_list, size + len(fresh))
        await _refuse_past_all(raw, settings, Limit.contacts, app, "contact_list")
    appended = Appended(len(fresh), len(contacts) - len(fresh))
    await _advance(raw, app, step, appended, now)
    return appended


async def _load(raw: Raw, app: int, list_no: int, fresh: Sequence[NewContact], size: int, now: int) -> None:
    """Put contacts behind the last position."""
    groups = await _grow_groups(raw, app, list_no, fresh)
    await raw.copy_records_to_table(
        "contact",
        records=[
            (app, list_no, groups[c[:3]], pos, c.person, c.sealed, c.attributes, c.unique_id, now)
            for pos, c in enumerate(fresh, size)
        ],
        columns=("app", "list_no", "group_no", "pos", "person", "sealed", "attributes", "unique_id", "created_at"),
    )
    await raw.execute(
        "update contact_list set size = $3, updated_at = $4 where app = $1 and no = $2",
        app,
        list_no,
        size + len(fresh),
        now,
    )


async def _known(raw: Raw, app: int, list_no: int, contacts: Sequence[NewContact]) -> set[bytes]:
    rows = await raw.fetch(
        "select u.person from unnest($3::bytea[]) as u (person) where u.person = ("
        "  select c.person from contact c where c.app = $1 and c.list_no = $2 and c.person >= u.person"
        "  order by c.person limit 1)",
        app,
        list_no,
        [contact.person for contact in contacts],
    )
    return {person for (person,) in rows}


async def _grow_groups(raw: Raw, app: int, list_no: int, contacts: Sequence[NewContact]) -> Mapping[GroupKey, int]:
    """Number the groups of these contacts and add to their counts."""
    rows = await raw.fetch(
        "select own_zone, candidate_zones, priority, group_no from list_group where app = $1 and list_no = $2",
        app,
        list_no,
    )
    numbers, growths = number_groups(contacts, {tuple(key): number for *key, number in rows})
    await raw.execute(
        "insert into list_group as g (app, list_no, group_no, own_zone, candidate_zones, priority, contacts)"
        " select $1, $2, * from unnest($3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[])"
        " on conflict (app, list_no, group_no) do update set contacts = g.contacts + excluded.contacts",
        app,
        list_no,
        *columns([(growth.group_no, *growth.key, growth.contacts) for growth in growths], 5),
    )
    return numbers


async def forbid(
    raw: Raw,
    app: int,
    dnc_no: int,
    entries: Sequence[NewEntry],
    source: str,
    step: Step | None,
    present: int | None,
) -> Appended:
    """Put numbers on a DNC list. Raises DncListNotFound and LimitReached."""
    settings = await _settings(raw, app, Limit.dnc_numbers)
    now: int | None = await raw.fetchval(
        "with held as materialized (select no from dnc_list where app = $1 and no = $2 for update)"
        f" select {now_or(3)} from held",
        app,
        dnc_no,
        present,
    )
    if now is None:
        raise DncListNotFound
    if await _was_stored(raw, app, step, entries):
        return Appended(0, 0)
    tag = await raw.execute(
        "insert into dnc_entry (app, dnc_no, person, sealed, source, added_at)"
        " select $1, $2, u.person, u.sealed, $3, $4 from unnest($5::bytea[], $6::bytea[]) as u (person, sealed)"
        " on conflict do nothing",
        app,
        dnc_no,
        source,
        now,
        *columns(entries, 2),
    )
    added = rows_of(tag)
    await _count_entries(raw, settings, app, dnc_no, added, now)
    appended = Appended(added, len(entries) - added)
    await _advance(raw, app, step, appended, now)
    # Last, because arming waits here: not while the numbers go in, only while they are committed. See `store.gate`.
    await raw.execute("select pg_advisory_xact_lock($1)", LINE + app)
    await raw.execute("update app set gate_no = gate_no + 1 where no = $1", app)
    return appended


async def _count_entries(raw: Raw, settings: AppSettings, app: int, dnc_no: int, added: int, now: int) -> None:
    """Add to a DNC list's size. Raises LimitReached."""
    size = await raw.fetchval(
        "update dnc_list set size = size + $2, updated_at = $3 where no = $1 returning size", dnc_no, added, now
    )
    if added:
        refuse_past(settings, Limit.dnc_numbers_per_list, size)
        await _refuse_past_all(raw, settings, Limit.dnc_numbers, app, "dnc_list")


async def _settings(raw: Raw, app: int, limit: Limit) -> AppSettings:
    """Return what the app chose. Where a limit is over several lists, others that add to any of them wait for us."""
    settings = read_settings(await raw.fetchval("select settings from app where no = $1", app))
    if most_of(settings, limit) is not None:
        # Before the list's row, as everywhere. The row is the account's, because arming holds the app's.
        await raw.execute("select 1 from account where id = (select account_id from app where no = $1) for update", app)
    return settings


async def _refuse_past_all(raw: Raw, settings: AppSettings, limit: Limit, app: int, table: str) -> None:
    """Refuse what brought all lists of an app together past their limit. Raises LimitReached."""
    if most_of(settings, limit) is not None:
        total = await raw.fetchval(f"select coalesce(sum(size), 0)::bigint from {table} where app = $1", app)
        refuse_past(settings, limit, total)


async def _was_stored(raw: Raw, app: int, step: Step | None, block: Sequence[NewContact] | Sequence[NewEntry]) -> bool:
    if step is None:
        return False
    rows = await raw.fetchval("select rows from import_job where app = $1 and no = $2 for update", app, step.import_no)
    return was_stored(step, rows, block)


async def _advance(raw: Raw, app: int, step: Step | None, appended: Appended, now: int) -> None:
    """Write down how far the import has come."""
    if step is None:
        return
    await raw.execute(
        "insert into import_reject (app, import_no, row_no, reason, message)"
        " select $1, $2, * from unnest($3::bigint[], $4::text[], $5::text[]) on conflict do nothing",
        app,
        step.import_no,
        *columns(step.rejects, 3),
    )
    await raw.execute(
        "update import_job set rows = $2, bytes_done = $3, accepted = accepted + $4, duplicates = duplicates + $5,"
        " rejected = rejected + $6, state = $7, updated_at = $8 where no = $1",
        step.import_no,
        step.rows,
        step.bytes_done,
        appended.added,
        appended.duplicates,
        len(step.rejects),
        "done" if step.done else "running",
        now,
    )
    if step.done:
        payload = to_json(imported(*await raw.fetchrow(f"{IMPORTED} $1", step.import_no)))
        await raw.execute(
            "insert into outbox (app, kind, payload, at) values ($1, $2, $3, $4)",
            app,
            NoticeKind.import_done.value,
            payload,
            now,
        )
