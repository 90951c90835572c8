"""What Alembic runs to walk the steps: on the connection that `callsheet.store.migrate` hands over."""

from __future__ import annotations

from alembic import context

from callsheet.store.tables import metadata


def walk() -> None:
    """Walk the steps on the connection that was handed over, inside its transaction."""
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=metadata,
        # SQLite cannot change most of a table in place: Alembic makes it again and copies.
        render_as_batch=True,
        # True on SQLite too, as `migrate` begins by itself: a walk that fails leaves nothing behind.
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


walk()
