"""The schema, once for both databases.

Every key of a hot table leads with the app. Instants (`_at`, `lease_until`, `due`) are integer microseconds UTC.
`attempt` and `event` are insert-only; no index mentions a status. The number of a person stands in `contact` and
`dnc_entry` only, sealed, and in `reply` and `inbound_part` while something is to be answered; everywhere else the
person key stands for it.
"""

from callsheet.store.tables.accounts import account, answer, app, bucket, client, former_trunk, node, sender, trunk
from callsheet.store.tables.agent_mappings import agent_mapping, agent_mapping_entry
from callsheet.store.tables.audit import audit, audit_head
from callsheet.store.tables.calls import call, recording, slot, sound, speech_service
from callsheet.store.tables.campaigns import (
    campaign,
    campaign_dnc,
    campaign_list,
    campaign_version,
    flow,
    flow_version,
    preflight,
    preparing,
    sending_stop,
    template,
    template_version,
)
from callsheet.store.tables.columns import metadata
from callsheet.store.tables.contacts import (
    contact,
    contact_list,
    dnc_entry,
    dnc_list,
    has_unique_id,
    import_job,
    import_reject,
    list_erasure,
    list_group,
    opt_out,
    opt_out_lifted,
)
from callsheet.store.tables.dialouts import dialout, dialout_notice
from callsheet.store.tables.flows import (
    ai_endpoint,
    contact_group,
    errand,
    flow_count,
    flow_session,
    flow_visit,
    is_answer,
    open_session,
)
from callsheet.store.tables.pulls import pull, pull_log
from callsheet.store.tables.queues import queue
from callsheet.store.tables.replies import inbound, inbound_part, reply
from callsheet.store.tables.runs import (
    arm,
    attempt,
    callback,
    carried,
    chunk,
    counter,
    cursor,
    event,
    outbox,
    parked_receipt,
    retry,
    run,
    run_list,
    suppression,
    uncertain,
)
from callsheet.store.tables.schedules import schedule
from callsheet.store.tables.users import account_user, user_role, user_session
from callsheet.store.tables.webhooks import delivery, webhook

__all__ = [
    "account",
    "account_user",
    "agent_mapping",
    "agent_mapping_entry",
    "ai_endpoint",
    "answer",
    "app",
    "arm",
    "attempt",
    "audit",
    "audit_head",
    "bucket",
    "call",
    "callback",
    "campaign",
    "campaign_dnc",
    "campaign_list",
    "campaign_version",
    "carried",
    "chunk",
    "client",
    "contact",
    "contact_group",
    "contact_list",
    "counter",
    "cursor",
    "delivery",
    "dialout",
    "dialout_notice",
    "dnc_entry",
    "dnc_list",
    "errand",
    "event",
    "flow",
    "flow_count",
    "flow_session",
    "flow_version",
    "flow_visit",
    "former_trunk",
    "has_unique_id",
    "import_job",
    "import_reject",
    "inbound",
    "inbound_part",
    "is_answer",
    "list_erasure",
    "list_group",
    "metadata",
    "node",
    "open_session",
    "opt_out",
    "opt_out_lifted",
    "outbox",
    "parked_receipt",
    "preflight",
    "preparing",
    "pull",
    "pull_log",
    "queue",
    "recording",
    "reply",
    "retry",
    "run",
    "run_list",
    "schedule",
    "sender",
    "sending_stop",
    "slot",
    "sound",
    "speech_service",
    "suppression",
    "template",
    "template_version",
    "trunk",
    "uncertain",
    "user_role",
    "user_session",
    "webhook",
]
