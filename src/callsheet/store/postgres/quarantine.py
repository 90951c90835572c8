"""Quarantine on PostgreSQL: write down what a restored run did after its backup, once something is heard of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from callsheet.core.attempt import Happening
from callsheet.store.arming import ARMED
from callsheet.store.postgres.database import Raw
from callsheet.store.postgres.statements import columns
from callsheet.store.quarantine import Place, Row, doubts, missing_rows, strangers
from callsheet.store.recording import Key, by_run


async def quarantine(
    raw: Raw, node_no: int, happenings: Sequence[Happening], held: Mapping[int, Collection[Key]]
) -> list[Happening]:
    """Insert attempts of restored runs that are not recorded, and return the doubts that go before what was heard.

    `held` names the attempts of each run that are known and locked.
    """
    found: list[Happening] = []
    for run_no, mine in sorted(by_run(happenings).items()):
        unknown = strangers(mine, held.get(run_no, ()))
        app = await _restored_app(raw, run_no) if unknown else None
        if app is None:
            continue
        persons = sorted(unknown)
        rows = missing_rows(
            unknown, await _last_tries(raw, app, run_no, persons), await _places(raw, app, run_no, persons)
        )
        await _insert(raw, app, run_no, node_no, rows)
        found += doubts(rows, unknown)
    return found


async def _restored_app(raw: Raw, run_no: int) -> int | None:
    """Return the app of a run that came out of a backup."""
    app: int | None = await raw.fetchval("select app from run where no = $1 and restored_at > 0", run_no)
    return app


async def _last_tries(raw: Raw, app: int, run_no: int, persons: Sequence[bytes]) -> dict[bytes, int]:
    rows = await raw.fetch(
        "select u.person, a.n from unnest($3::bytea[]) as u (person) cross join lateral ("
        "  select n from attempt a where a.app = $1 and a.run_no = $2 and a.person = u.person order by n desc limit 1"
        " ) a",
        app,
        run_no,
        persons,
    )
    return dict(map(tuple, rows))


async def _places(raw: Raw, app: int, run_no: int, persons: Sequence[bytes]) -> dict[bytes, Place]:
    """Find where persons stand: the first place in the first list, as the run would meet them."""
    rows = await raw.fetch(
        "select u.person, c.list_no, c.pos, c.group_no from unnest($3::bytea[]) as u (person) cross join lateral ("
        "  select c.list_no, c.pos, c.group_no from run_list l cross join lateral ("
        "   select c.list_no, c.pos, c.group_no from contact c"
        "   where c.app = l.app and c.list_no = l.list_no and c.person = u.person offset 0"
        "  ) c where l.app = $1 and l.run_no = $2 order by c.list_no, c.pos limit 1"
        " ) c",
        app,
        run_no,
        persons,
    )
    return {person: Place._make(place) for person, *place in rows}


async def _insert(raw: Raw, app: int, run_no: int, node_no: int, rows: Sequence[Row]) -> None:
    if not rows:
        return
    # A node that hears of the same attempt waits here, fails, begins anew and finds it.
    await raw.execute(
        "insert into attempt (app, run_no, person, n, used, list_no, pos, group_no, at)"
        " select $1, $2, * from unnest($3::bytea[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],"
        "  $8::bigint[], $9::bigint[])",
        app,
        run_no,
        *columns(rows, 7),
    )
    await raw.execute(
        "insert into counter as c (app, run_no, node_no, name, value) values ($1, $2, $3, $4, $5)"
        " on conflict (app, run_no, node_no, name) do update set value = c.value + excluded.value",
        app,
        run_no,
        node_no,
        ARMED,
        len(rows),
    )
