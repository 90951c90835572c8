"""Who looks for a few contacts of a list does not walk through all of it, however SQLite estimates."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from callsheet.store import tables as t
from callsheet.store.migrate import migrate
from callsheet.store.planning import IS_OVER
from callsheet.store.shares import share_of, waiting_apps
from callsheet.store.sqlite.database import connect

LOOKS = {
    "a place": ("pos = ?", "ix_contact_pos (app=? AND list_no=? AND pos=?)"),
    "places": ("pos in (?) order by pos", "ix_contact_pos (app=? AND list_no=? AND pos=?)"),
    "a person": ("person = ?", "ix_contact_person (app=? AND list_no=? AND person=?)"),
    "persons": ("person in (?, ?)", "ix_contact_person (app=? AND list_no=? AND person=?)"),
    "the first of a person": (
        "person = ? order by pos limit 1",
        "ix_contact_person (app=? AND list_no=? AND person=?)",
    ),
    "a key": ("unique_id = ? and unique_id <> ''", "ix_contact_unique_id (app=? AND list_no=? AND unique_id=?)"),
    "a page": ("pos >= ? order by pos limit 50", "ix_contact_pos (app=? AND list_no=? AND pos>?)"),
    "a chunk": (
        "group_no = ? and pos between ? and ?",
        "PRIMARY KEY (app=? AND list_no=? AND group_no=? AND pos>? AND pos<?)",
    ),
}


@pytest.mark.parametrize("what", LOOKS)
async def test_a_look_at_a_few_contacts_uses_the_index_that_was_made_for_it(tmp_path: Path, what: str):
    await migrate(tmp_path / "callsheet.db")
    session = connect(tmp_path / "callsheet.db")
    where, index = LOOKS[what]

    for columns in ("pos", "*"):
        query = f"select {columns} from contact where app = ? and list_no = ? and {where}"
        plan = session.raw.execute(f"explain query plan {query}", (1,) * query.count("?")).fetchall()
        assert plan[0][3].endswith(index), (columns, plan)
    session.close()


REPLIES = {
    "of people": ("person in (?, ?)", "ix_inbound_person (app=? AND person=?)"),
    "of people lately": ("trunk_no = ? and person in (?, ?) and at >= ?", "(app=? AND person=? AND at>?)"),
    "of a list": (
        "person in (select person from contact where app = ? and list_no = ? and pos >= ? and pos < ?)",
        "ix_inbound_person (app=? AND person=?)",
    ),
    "the latest": ("id <> ? order by at desc, id desc limit 50", "ix_inbound_app_at (app=?)"),
    "by ids": ("trunk_no = ? and inbound_id in (?, ?)", "(app=? AND trunk_no=? AND inbound_id=?)"),
}


@pytest.mark.parametrize("what", REPLIES)
async def test_a_look_at_a_few_replies_does_not_walk_all_of_an_app(tmp_path: Path, what: str):
    await migrate(tmp_path / "callsheet.db")
    session = connect(tmp_path / "callsheet.db")
    where, index = REPLIES[what]

    query = f"select * from inbound where app = ? and {where}"
    plan = session.raw.execute(f"explain query plan {query}", (1,) * query.count("?")).fetchall()

    assert plan[0][3].endswith(index), plan
    session.close()


async def test_whether_a_campaign_still_runs_is_seen_without_walking_all_its_runs(tmp_path: Path):
    await migrate(tmp_path / "callsheet.db")
    session = connect(tmp_path / "callsheet.db")

    index = "ix_run_ended_at (ended_at=? AND app=? AND campaign_no=?)"
    for query in (
        f"update campaign set status = '' where no = ? and {IS_OVER}",
        "update run set status = '' where app = ? and campaign_no = ? and ended_at = ?",
    ):
        plan = session.raw.execute(f"explain query plan {query}", (1,) * query.count("?")).fetchall()
        assert plan[-1][3].endswith(index), plan
    session.close()


WAITS = {
    "replies": (t.inbound.c.app, t.inbound.c.waits_since > 0, "ix_inbound_waits_since (waits_since>?)"),
    "conversations": (
        t.flow_session.c.app,
        t.flow_session.c.wakes_at.between(1, 2),
        "ix_flow_session_wakes_at (wakes_at>? AND wakes_at<?)",
    ),
}


@pytest.mark.parametrize("what", WAITS)
async def test_whose_turn_it_is_is_seen_without_walking_all_that_was(tmp_path: Path, what: str):
    await migrate(tmp_path / "callsheet.db")
    session = connect(tmp_path / "callsheet.db")
    app, waits, index = WAITS[what]
    column = index[index.index("(") + 1 : index.index(">")]

    of_one = share_of(sa.select(sa.literal_column("*")).where(waits), app, 1).order_by(sa.literal_column(column))
    for query, kind in ((waiting_apps(app, waits), "COVERING INDEX"), (of_one.limit(5), "INDEX")):
        said = query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
        plan = session.raw.execute(f"explain query plan {said}").fetchall()
        assert plan[0][3].endswith(f"{kind} {index}"), plan
    session.close()
