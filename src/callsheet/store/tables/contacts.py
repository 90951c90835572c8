"""Contact lists, imports, DNC lists, opt-outs and replies."""

from __future__ import annotations

import sqlalchemy as sa

from callsheet.store.tables.columns import blob, clustered, flag, metadata, serial, text, whole

contact_list = sa.Table(
    "contact_list",
    metadata,
    serial(),
    whole("app"),
    text("id"),
    text("name"),
    text("lname"),
    text("description"),
    text("source"),
    flag("allow_duplicates"),
    text("columns", default="[]"),
    whole("size", default="0"),
    whole("created_at"),
    whole("updated_at"),
    sa.UniqueConstraint("app", "id"),
    sa.UniqueConstraint("app", "lname"),
    # Pages of lists, oldest first.
    sa.Index("ix_contact_list_app_no", "app", "no"),
    sqlite_autoincrement=True,
)

# Lists that are gone already, whose contacts are still being erased: those below `pos` are.
list_erasure = clustered(
    "list_erasure",
    whole("app", key=True),
    whole("list_no", key=True),
    whole("pos", default="0"),
    whole("size"),
)

list_group = clustered(
    "list_group",
    whole("app", key=True),
    whole("list_no", key=True),
    whole("group_no", key=True),
    # Empty: the contact has no zone of its own.
    text("own_zone"),
    text("candidate_zones"),
    whole("priority"),
    whole("contacts"),
)

# In these very words, or the databases do not see that the index has all that is asked for.
has_unique_id = sa.text("unique_id <> ''")

contact = clustered(
    "contact",
    whole("app", key=True),
    whole("list_no", key=True),
    whole("group_no", key=True),
    whole("pos", key=True),
    blob("person"),
    blob("sealed"),
    text("attributes"),
    # The source's own key of the contact, as the attributes have it too; empty: it has none.
    text("unique_id", default=""),
    whole("created_at"),
    # Unique, as positions are: without statistics SQLite rather walks a whole list than trust an index that is not.
    sa.Index("ix_contact_pos", "app", "list_no", "pos", unique=True),
    sa.Index("ix_contact_person", "app", "list_no", "person"),
    sa.Index(
        "ix_contact_unique_id",
        "app",
        "list_no",
        "unique_id",
        sqlite_where=has_unique_id,
        postgresql_where=has_unique_id,
    ),
)

import_job = sa.Table(
    "import_job",
    metadata,
    serial(),
    whole("app"),
    text("id"),
    whole("list_no"),
    # `contact_list` or `dnc_list`: what `list_no` points to.
    text("target"),
    text("state"),
    text("file"),
    whole("rows", default="0"),
    whole("accepted", default="0"),
    whole("rejected", default="0"),
    whole("duplicates", default="0"),
    whole("bytes_total", default="0"),
    whole("bytes_done", default="0"),
    text("problem", default=""),
    whole("created_at"),
    whole("updated_at"),
    sa.UniqueConstraint("app", "id"),
)

import_reject = clustered(
    "import_reject",
    whole("app", key=True),
    whole("import_no", key=True),
    whole("row_no", key=True),
    text("reason"),
    text("message"),
)

dnc_list = sa.Table(
    "dnc_list",
    metadata,
    serial(),
    whole("app"),
    text("id"),
    text("name"),
    text("lname"),
    flag("is_global"),
    whole("size", default="0"),
    whole("created_at"),
    whole("updated_at"),
    sa.UniqueConstraint("app", "id"),
    sa.UniqueConstraint("app", "lname"),
    sqlite_autoincrement=True,
)

dnc_entry = clustered(
    "dnc_entry",
    whole("app", key=True),
    whole("dnc_no", key=True),
    blob("person", key=True),
    blob("sealed"),
    text("source"),
    whole("added_at"),
)

opt_out = clustered(
    "opt_out",
    whole("app", key=True),
    text("channel", key=True),
    blob("person", key=True),
    # A key too: a START takes back what a STOP took, and nothing that was written down by other means.
    text("source", key=True),
    whole("added_at"),
)

opt_out_lifted = sa.Table(
    "opt_out_lifted",
    metadata,
    # Not its instant: one person may say STOP and START again within a microsecond.
    serial(),
    whole("app"),
    text("channel"),
    blob("person"),
    text("source"),
    whole("lifted_at"),
    whole("added_at"),
    text("reason"),
    sa.Index("ix_opt_out_lifted_person", "app", "channel", "person", "lifted_at"),
    sqlite_autoincrement=True,
)
