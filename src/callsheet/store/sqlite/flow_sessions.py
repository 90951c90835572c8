"""Open conversations where attempts are recorded, by hand: a campaign of a flow opens one for each that is taken."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from callsheet.clock import to_micros
from callsheet.core.attempt import Happening
from callsheet.core.flow.session import Ending
from callsheet.core.ids import AttemptKey, encode_attempt
from callsheet.store.consequences import bare
from callsheet.store.flow_ends import END, ended_notice
from callsheet.store.flow_openings import OPENED, UNCLAIMED, Unclaimed, claim, opened_values
from callsheet.store.flow_places import Standing, name_place, place
from callsheet.store.recording import Talking
from callsheet.store.sqlite.statements import gather_in, insert_many, marks

_AT_ONCE = 500


def open_talks(
    raw: sqlite3.Connection,
    app: int,
    run_no: int,
    talking: Talking,
    taken: Sequence[Happening],
    made_of: Mapping[AttemptKey, bytes],
) -> None:
    """Open a conversation for each attempt that was taken, those that a reply has opened already left as they are."""
    for start in range(0, len(taken), _AT_ONCE):
        _open(raw, app, run_no, talking, taken[start : start + _AT_ONCE], made_of)


def _open(
    raw: sqlite3.Connection,
    app: int,
    run_no: int,
    talking: Talking,
    taken: Sequence[Happening],
    made_of: Mapping[AttemptKey, bytes],
) -> None:
    at = {(happening.person, happening.n): to_micros(happening.at) for happening in taken}
    spoke = raw.execute(
        "select a.person, a.n, s.label, s.trunk_no from attempt a join run r on r.no = a.run_no"
        " join sender s on s.no = case when a.sender_no > 0 then a.sender_no else r.sender_no end"
        f" where a.app = ? and a.run_no = ? and a.at > ? and a.person in ({marks(len(taken))})",
        (app, run_no, talking.restored_at, *(happening.person for happening in taken)),
    ).fetchall()
    rows = [
        opened_values(app, AttemptKey(run_no, person, n), label, trunk_no, talking, at[person, n], made_of)
        for person, n, label, trunk_no in spoke
        if (person, n) in at
    ]
    if not rows:
        return
    insert_many(raw, f"insert into flow_session ({OPENED})", rows, "on conflict (app, cause) do nothing")
    causes = [encode_attempt(run_no, person, n) for person, n, *_ in spoke]
    opened = raw.execute(
        "select f.no, f.person, f.sender, f.cause, a.at from flow_session f join attempt a"
        " on a.app = f.app and a.run_no = f.run_no and a.person = f.person and a.n = f.n"
        f" where f.app = ? and f.cause in ({marks(len(causes))}) and f.ended_at = 0",
        (app, *causes),
    ).fetchall()
    taking = [
        Standing(no, person, name_place(talking.channel, bare(sender), cause), spoke_at)
        for no, person, sender, cause, spoke_at in opened
    ]
    if taking:
        _claim_replies(raw, app, taking)
        _take_places(raw, app, taking, max(at.values()))


def _claim_replies(raw: sqlite3.Connection, app: int, opened: Sequence[Standing]) -> None:
    """Let conversations have the replies that came before they were opened."""
    persons = {standing.person for standing in opened}
    since = min(standing.spoke_at for standing in opened)
    found = raw.execute(
        f"{UNCLAIMED} and i.app = ? and i.at >= ? and i.person in ({marks(len(persons))})", (app, since, *persons)
    ).fetchall()
    for no, trunk_no, inbound_id in claim(opened, (Unclaimed(*row) for row in found)):
        its = no, app, trunk_no, inbound_id
        raw.execute("update inbound set session_no = ? where app = ? and trunk_no = ? and inbound_id = ?", its)


def _take_places(raw: sqlite3.Connection, app: int, taking: Sequence[Standing], at: int) -> None:
    """Let conversations take the place of those before."""
    persons = {standing.person for standing in taking}
    before = raw.execute(
        "select o.session_no, o.person, o.sender, coalesce(a.at, 0) from open_session o"
        " join flow_session f on f.no = o.session_no left join attempt a"
        " on a.app = f.app and a.run_no = f.run_no and a.person = f.person and a.n = f.n"
        f" where o.app = ? and o.person in ({marks(len(persons))})",
        (app, *persons),
    ).fetchall()
    placed, replaced = place((Standing(*row) for row in before), taking)
    if replaced:
        end_talks(raw, app, replaced, Ending.replaced, at)
    insert_many(
        raw,
        "insert into open_session (app, person, sender, session_no)",
        [(app, one.person, one.sender, one.no) for one in placed],
        "on conflict (app, person, sender) do update set session_no = excluded.session_no",
    )


def close_talks(raw: sqlite3.Connection, app: int, run_no: int, lost: Sequence[Happening]) -> None:
    """End the conversations of attempts that were not delivered: but for those in which somebody replied."""
    causes = [encode_attempt(run_no, happening.person, happening.n) for happening in lost]
    replied = "select 1 from inbound i where i.app = f.app and i.person = f.person and i.session_no = f.no"
    silent = f"from flow_session f where app = ? and ended_at = 0 and not exists ({replied}) and cause"
    found = gather_in(raw, "no", silent, (app,), causes)
    if found:
        end_talks(raw, app, [no for (no,) in found], Ending.silent, max(to_micros(one.at) for one in lost))


_END = END.format("?1", "?2").replace("''", "x''")


def end_talks(raw: sqlite3.Connection, app: int, nos: Sequence[int], ending: Ending, at: int) -> None:
    """End conversations, those that are open."""
    told = []
    for no in nos:
        row = raw.execute(
            f"{_END} where no = ?3 and ended_at = 0 returning id, person", (ending.value, at, no)
        ).fetchone()
        if row is None:
            continue
        talk_id, person = row
        told.append((app, *ended_notice(talk_id, person, ending), at))
        raw.execute("delete from errand where app = ? and session_no = ?", (app, no))
        raw.execute("delete from open_session where app = ? and person = ? and session_no = ?", (app, person, no))
        raw.execute(
            "update inbound set lease_until = 0 where app = ? and person = ? and waits_since > 0", (app, person)
        )
    insert_many(raw, "insert into outbox (app, kind, payload, at)", told)
