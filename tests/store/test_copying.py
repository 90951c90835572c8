"""A copy that is taken while others write must be one moment of the database, and must come to its end."""

import sqlite3
import threading
from contextlib import closing

from callsheet.store.sqlite.copying import copy


def test_a_copy_beside_a_writer_that_never_rests_is_one_snapshot(tmp_path):
    source, target = tmp_path / "source.db", tmp_path / "target.db"
    with closing(sqlite3.connect(source, isolation_level=None, check_same_thread=False)) as raw:
        raw.execute("pragma journal_mode=wal")
        # Else it would rest: at each commit, for a disk that others write to as well.
        raw.execute("pragma synchronous=off")
        raw.execute("create table left_side (n integer, filling text)")
        raw.execute("create table right_side (n integer, filling text)")
        enough, wrote = threading.Event(), threading.Event()

        def write() -> None:
            n = 0
            while not enough.is_set():
                raw.execute("begin")
                raw.execute("insert into left_side values (?, ?)", (n, "x" * 3000))
                raw.execute("insert into right_side values (?, ?)", (n, "x" * 3000))
                raw.execute("commit")
                n += 1
                if n > 200:
                    wrote.set()

        writer = threading.Thread(target=write)
        writer.start()
        try:
            assert wrote.wait(120)
            seen = []
            copy(source, target, lambda done, total: seen.append((done, total)))
        finally:
            enough.set()
            writer.join()
    with closing(sqlite3.connect(target)) as copied:
        left, right = (
            copied.execute(f"select count(*), max(n) from {side}").fetchone() for side in ("left_side", "right_side")
        )

    assert left == right
    assert left[0] == left[1] + 1 > 200
    assert seen[-1][0] == seen[-1][1]
    assert not target.with_name("target.db-wal").exists()
