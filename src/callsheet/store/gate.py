"""The gate of an app, from the side of those who forbid.

Arming passes through an app's gate and holds it open until it has committed; a call that forbids closes it. What holds
is a lock on the app's row, shared by those who pass: so nobody who passed before can commit unseen afterwards, and
whoever comes later sees what was forbidden.

A row does not keep a queue: on PostgreSQL a shared lock is given at once although somebody waits for the row alone, and
under load he would wait for ever. So both first stand in line for an advisory lock, which is given in turn. The line is
for fairness only; were there none, nothing would be armed that must not be.
"""

from __future__ import annotations

import sqlalchemy as sa

from callsheet.store import tables as t

LINE = 0x67617465 << 32
"""Number of the advisory lock of app 0, high enough to be nobody else's; those of other apps follow it."""

CAPS = 0x63617073 << 32
"""The same for the lock under which attempts are counted and made where an app has a cap: one arm after the other."""

SLOTS = 0x736C6F74 << 32
"""The same for the lock under which nodes share the slots for calls: whoever finds none asks often."""


def close_gate(conn: sa.Connection, app: int) -> None:
    """Wait for those who pass, and keep others from passing until this transaction ends. Comes late in it, not first.

    What the transaction has forbidden is effective from its commit on.
    """
    if conn.dialect.name == "postgresql":
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.literal(LINE + app, sa.BigInteger()))))
    conn.execute(sa.update(t.app).where(t.app.c.no == app).values(gate_no=t.app.c.gate_no + 1))


def pass_gate(conn: sa.Connection, app: int) -> None:
    """Wait for those who forbid, and keep others from it until this transaction ends. Comes first, as in arming."""
    if conn.dialect.name == "postgresql":
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(sa.literal(LINE + app, sa.BigInteger()))))
    conn.execute(sa.select(t.app.c.no).where(t.app.c.no == app).with_for_update(read=True))


def share_slots(conn: sa.Connection, app: int) -> None:
    """Keep other nodes from sharing out slots of this app until this transaction ends; it holds up nothing else."""
    if conn.dialect.name == "postgresql":
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.literal(SLOTS + app, sa.BigInteger()))))


def one_at_a_time(conn: sa.Connection, app: int) -> None:
    """Keep others from what must not be done twice at once in an app, until this transaction ends.

    The lock is the row of the app's account, because arming holds the app's.
    """
    mine = sa.select(t.app.c.account_id).where(t.app.c.no == app).scalar_subquery()
    conn.execute(sa.select(t.account.c.id).where(t.account.c.id == mine).with_for_update())
