"""The schema, once for both databases.

Every key of a hot table leads with the app. Instants (`_at`, `lease_until`, `due`) are integer microseconds UTC.
`attempt` and `event` are insert-only; no index mentions a status. The number of a person stands in `contact` and
`dnc_entry` only, sealed; everywhere else the person key stands for it.
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

# SQLite counts upwards by itself only in a column that is exactly INTEGER PRIMARY KEY.
_Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_Int = sa.BigInteger()


def _int(name: str, *, key: bool = False, default: str | None = None) -> sa.Column[int]:
    return sa.Column(name, _Int, primary_key=key, nullable=False, server_default=default, autoincrement=False)


def _text(name: str, *, key: bool = False, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), primary_key=key, nullable=False, server_default=default)


def _blob(name: str, *, key: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), primary_key=key, nullable=False)


def _flag(name: str, default: str = "0") -> sa.Column[int]:
    return sa.Column(name, sa.SmallInteger(), nullable=False, server_default=default)


def _serial(name: str = "no") -> sa.Column[int]:
    return sa.Column(name, _Serial, primary_key=True, autoincrement=True)


def _clustered(
    name: str, *parts: sa.Column[int] | sa.Column[str] | sa.Column[bytes] | sa.schema.SchemaItem
) -> sa.Table:
    """Return a table whose rows lie in the order of its key (on SQLite: WITHOUT ROWID)."""
    return sa.Table(name, metadata, *parts, sqlite_with_rowid=False)


# --- who we work for ------------------------------------------------------------------------------------------------

account = sa.Table("account", metadata, _text("id", key=True), _text("name"), _int("created_at"))

app = sa.Table(
    "app",
    metadata,
    _serial(),
    sa.Column("id", sa.Text(), nullable=False, unique=True),
    _text("account_id"),
    _text("name"),
    _blob("key_sealed"),
    _text("settings", default="{}"),
    # Calls that forbid raise it; arming holds it: so no arm that began before can commit unseen after.
    _int("gate_no", default="0"),
    _int("created_at"),
    sqlite_autoincrement=True,
)

client = sa.Table(
    "client",
    metadata,
    _text("id", key=True),
    _int("app"),
    _blob("secret_sealed"),
    _text("algorithm"),
    _text("scopes"),
    _int("created_at"),
    sa.Index("ix_client_app", "app"),
)

trunk = sa.Table(
    "trunk",
    metadata,
    _serial(),
    _int("app"),
    _text("id"),
    _text("name"),
    _text("carrier"),
    _flag("takes_any_sender"),
    _int("created_at"),
    sa.UniqueConstraint("app", "id"),
)

sender = sa.Table(
    "sender",
    metadata,
    _serial(),
    _int("app"),
    _text("id"),
    _int("trunk_no"),
    _text("label"),
    sa.Column("segments_per_second", sa.Double(), nullable=True),
    _int("created_at"),
    sa.UniqueConstraint("app", "id"),
    sa.UniqueConstraint("app", "label"),
)

bucket = _clustered("bucket", _int("app", key=True), _text("name", key=True), _int("tat"))

node = sa.Table(
    "node",
    metadata,
    _serial(),
    _text("name"),
    _int("batch_no", default="0"),
    _int("started_at"),
    sqlite_autoincrement=True,
)

# --- contacts -------------------------------------------------------------------------------------------------------

contact_list = sa.Table(
    "contact_list",
    metadata,
    _serial(),
    _int("app"),
    _text("id"),
    _text("name"),
    _text("lname"),
    _text("description"),
    _text("source"),
    _flag("allow_duplicates"),
    _text("columns", default="[]"),
    _int("size", default="0"),
    _int("created_at"),
    _int("updated_at"),
    sa.UniqueConstraint("app", "id"),
    sa.UniqueConstraint("app", "lname"),
    sqlite_autoincrement=True,
)

list_group = _clustered(
    "list_group",
    _int("app", key=True),
    _int("list_no", key=True),
    _int("group_no", key=True),
    # Empty: the contact has no zone of its own.
    _text("own_zone"),
    _text("candidate_zones"),
    _int("priority"),
    _int("contacts"),
)

contact = _clustered(
    "contact",
    _int("app", key=True),
    _int("list_no", key=True),
    _int("group_no", key=True),
    _int("pos", key=True),
    _blob("person"),
    _blob("sealed"),
    _text("attributes"),
    _int("created_at"),
    sa.Index("ix_contact_pos", "app", "list_no", "pos"),
    sa.Index("ix_contact_person", "app", "list_no", "person"),
)

import_job = sa.Table(
    "import_job",
    metadata,
    _serial(),
    _int("app"),
    _text("id"),
    _int("list_no"),
    # `contact_list` or `dnc_list`: what `list_no` points to.
    _text("target"),
    _text("state"),
    _text("file"),
    _int("rows", default="0"),
    _int("accepted", default="0"),
    _int("rejected", default="0"),
    _int("duplicates", default="0"),
    _int("bytes_total", default="0"),
    _int("bytes_done", default="0"),
    _text("problem", default=""),
    _int("created_at"),
    _int("updated_at"),
    sa.UniqueConstraint("app", "id"),
)

import_reject = _clustered(
    "import_reject",
    _int("app", key=True),
    _int("import_no", key=True),
    _int("row_no", key=True),
    _text("reason"),
    _text("message"),
)

dnc_list = sa.Table(
    "dnc_list",
    metadata,
    _serial(),
    _int("app"),
    _text("id"),
    _text("name"),
    _text("lname"),
    _flag("is_global"),
    _int("size", default="0"),
    _int("created_at"),
    _int("updated_at"),
    sa.UniqueConstraint("app", "id"),
    sa.UniqueConstraint("app", "lname"),
    sqlite_autoincrement=True,
)

dnc_entry = _clustered(
    "dnc_entry",
    _int("app", key=True),
    _int("dnc_no", key=True),
    _blob("person", key=True),
    _blob("sealed"),
    _text("source"),
    _int("added_at"),
)

opt_out = _clustered(
    "opt_out",
    _int("app", key=True),
    _text("channel", key=True),
    _blob("person", key=True),
    _text("source"),
    _int("added_at"),
)

inbound = _clustered(
    "inbound",
    _int("app", key=True),
    _text("inbound_id", key=True),
    _blob("person"),
    _blob("text_sealed"),
    _int("at"),
)

# --- campaigns ------------------------------------------------------------------------------------------------------


def _versioned(name: str, body: str) -> tuple[sa.Table, sa.Table]:
    """Return a named thing and its versions: a run pins one, an edit makes the next."""
    thing = sa.Table(
        name,
        metadata,
        _serial(),
        _int("app"),
        _text("id"),
        _text("name"),
        _text("lname"),
        _int("version"),
        _int("created_at"),
        _int("updated_at"),
        sa.UniqueConstraint("app", "id"),
        sa.UniqueConstraint("app", "lname"),
    )
    versions = _clustered(
        f"{name}_version",
        _int("app", key=True),
        _int(f"{name}_no", key=True),
        _int("version", key=True),
        _text(body),
    )
    return thing, versions


template, template_version = _versioned("template", "body")
flow, flow_version = _versioned("flow", "document")

campaign = sa.Table(
    "campaign",
    metadata,
    _serial(),
    _int("app"),
    _text("id"),
    _text("lname"),
    _text("channel"),
    _text("status"),
    _int("version"),
    # 0: it never ran.
    _int("run_no", default="0"),
    _int("created_at"),
    _int("updated_at"),
    sa.UniqueConstraint("app", "id"),
    sa.Index("ix_campaign_app_lname", "app", "lname"),
    sqlite_autoincrement=True,
)

campaign_version = _clustered(
    "campaign_version",
    _int("app", key=True),
    _int("campaign_no", key=True),
    _int("version", key=True),
    _text("definition"),
)

campaign_list = _clustered(
    "campaign_list",
    _int("app", key=True),
    _int("list_no", key=True),
    _int("campaign_no", key=True),
    _int("place"),
)

# --- runs: the way a contact is reached -----------------------------------------------------------------------------

run = sa.Table(
    "run",
    metadata,
    _serial(),
    _int("app"),
    _text("id"),
    _int("campaign_no"),
    _int("version"),
    _text("channel"),
    _text("status"),
    _int("sender_no"),
    # The text to send, pinned at the start: from the template, the flow or the campaign itself.
    _text("text"),
    _int("started_at"),
    _int("updated_at"),
    # 0: it has not ended.
    _int("ended_at", default="0"),
    sa.UniqueConstraint("app", "id"),
    sa.Index("ix_run_app_campaign_no", "app", "campaign_no"),
    sqlite_autoincrement=True,
)

run_list = _clustered(
    "run_list",
    _int("app", key=True),
    _int("run_no", key=True),
    _int("list_no", key=True),
    _int("place"),
    # Positions below it belong to a cursor already; what lies above came later and becomes the next range.
    _int("taken_size"),
    _int("ranges"),
)

cursor = _clustered(
    "cursor",
    _int("app", key=True),
    _int("run_no", key=True),
    _int("list_no", key=True),
    _int("range_no", key=True),
    _int("group_no", key=True),
    _int("lo"),
    _int("hi"),
    _int("contacts"),
    _int("taken"),
)

chunk = _clustered(
    "chunk",
    _int("app", key=True),
    _int("run_no", key=True),
    _int("list_no", key=True),
    _int("group_no", key=True),
    # Where it began: positions are cut once, so this names a chunk for ever.
    _int("first", key=True),
    _int("lo"),
    _int("hi"),
    _int("node_no"),
    _int("epoch"),
    _int("lease_until"),
)

arm = _clustered(
    "arm",
    _int("app", key=True),
    _int("run_no", key=True),
    _int("node_no", key=True),
    _int("arm_no", key=True),
    _int("lease_until"),
    # 1: every intent of it was handed to the line, or withdrawn.
    _flag("handed"),
    # 18 bytes each: the person key and the try, big-endian.
    _blob("members"),
)

attempt = _clustered(
    "attempt",
    _int("app", key=True),
    _int("run_no", key=True),
    _blob("person", key=True),
    _int("n", key=True),
    _int("used"),
    _int("list_no"),
    _int("pos"),
    _int("group_no"),
    _int("at"),
    sa.Index("ix_attempt_app_person_at", "app", "person", "at"),
)

event = _clustered(
    "event",
    _int("app", key=True),
    _int("run_no", key=True),
    _blob("person", key=True),
    _int("n", key=True),
    _text("kind", key=True),
    _int("at"),
    _text("code"),
    _text("ref"),
    _int("segments"),
)

uncertain = _clustered(
    "uncertain",
    _int("app", key=True),
    _int("run_no", key=True),
    _blob("person", key=True),
    _int("n", key=True),
    _int("at"),
)

suppression = _clustered(
    "suppression",
    _int("app", key=True),
    _int("run_no", key=True),
    _int("list_no", key=True),
    _int("pos", key=True),
    _blob("person"),
    _text("reason"),
    _int("at"),
)

retry = _clustered(
    "retry",
    _int("app", key=True),
    _int("run_no", key=True),
    _int("turn", key=True),
    _int("due", key=True),
    _int("list_no", key=True),
    _int("pos", key=True),
    _blob("person"),
    _int("n"),
    _int("used"),
    _int("group_no"),
    _text("reason"),
)

counter = _clustered(
    "counter",
    _int("app", key=True),
    _int("run_no", key=True),
    # One slot a node, so that nodes do not wait for each other.
    _int("node_no", key=True),
    _text("name", key=True),
    _int("value"),
)

outbox = sa.Table(
    "outbox",
    metadata,
    _serial("seq"),
    _int("app"),
    _text("kind"),
    _text("payload"),
    _int("at"),
    sqlite_autoincrement=True,
)
