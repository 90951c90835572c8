"""What is measured, for Prometheus: no number, no text, and no name of a campaign is ever a label."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge

registry = CollectorRegistry()

armed = Counter("callsheet_armed", "Attempts that were armed by this node.", registry=registry)
events = Counter("callsheet_events", "Happenings that were recorded, by kind.", ["kind"], registry=registry)
reaped = Counter("callsheet_reaped", "Attempts that became uncertain when their lease ran out.", registry=registry)
unknown_receipts = Counter("callsheet_unknown_receipts", "Receipts that name no attempt of ours.", registry=registry)
loose_receipts = Counter(
    "callsheet_loose_receipts", "Receipts that do not carry our reference, by outcome.", ["outcome"], registry=registry
)
opt_outs = Counter("callsheet_opt_outs", "Replies that opted out.", registry=registry)
replies = Counter("callsheet_replies", "Replies that were heard, by what they say.", ["word"], registry=registry)
unreadable_replies = Counter(
    "callsheet_unreadable_replies",
    "Replies whose number nobody can read, by what they say.",
    ["word"],
    registry=registry,
)
answers = Counter("callsheet_answers", "Answers of ours to replies, by how they ended.", ["state"], registry=registry)
turns = Counter("callsheet_turns", "Turns of conversations that were written down.", registry=registry)
conversations = Counter("callsheet_conversations", "Conversations that ended, by how.", ["ending"], registry=registry)
imported_rows = Counter("callsheet_imported_rows", "Rows that imports read.", ["outcome"], registry=registry)
deliveries = Counter(
    "callsheet_webhook_deliveries", "Tries to deliver to webhooks, by outcome.", ["outcome"], registry=registry
)
errands = Counter(
    "callsheet_flow_errands",
    "Questions of flows to webhooks and models, by outcome.",
    ["kind", "outcome"],
    registry=registry,
)
dialout_notices = Counter(
    "callsheet_dialout_notices",
    "Tries to tell what became of single calls, by outcome.",
    ["outcome"],
    registry=registry,
)
dropped_call_records = Counter(
    "callsheet_call_records_dropped",
    "Calls of which nothing is written down: the store was away for too long.",
    registry=registry,
)
callbacks = Counter("callsheet_callbacks", "Callbacks of carriers, by outcome.", ["outcome"], registry=registry)
breaker_turns = Counter(
    "callsheet_breaker_turns",
    "Changes of trunks' circuit breakers, by the new position.",
    ["position"],
    registry=registry,
)
active_runs = Gauge("callsheet_active_runs", "Runs that are active now.", registry=registry)
waiting_conversations = Gauge(
    "callsheet_waiting_conversations",
    "Conversations that wait in queues for somebody.",
    registry=registry,
)
longest_wait = Gauge(
    "callsheet_longest_wait_seconds", "How long the first of the waiting conversations waits.", registry=registry
)
held_intents = Gauge("callsheet_held_intents", "Intents that this node holds without a result.", registry=registry)
smpp_sessions = Gauge("callsheet_smpp_sessions", "SMPP sessions of this node that are bound.", registry=registry)
smpp_troubles = Counter(
    "callsheet_smpp_troubles", "What SMPP carriers sent and nobody asked for.", ["what"], registry=registry
)
asterisk_nodes = Gauge(
    "callsheet_asterisk_nodes", "Asterisk nodes that are connected to this process.", registry=registry
)
asterisk_troubles = Counter(
    "callsheet_asterisk_troubles", "What went wrong between Asterisk nodes and us.", ["what"], registry=registry
)
