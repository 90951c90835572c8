"""What is measured, for Prometheus: no number, no text, and no name of a campaign is ever a label."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

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
calls_placed = Counter(
    "callsheet_calls_placed", "Calls that telephony took from us, by carrier.", ["carrier"], registry=registry
)
live_calls = Gauge("callsheet_live_calls", "Calls that this node leads now.", ["carrier"], registry=registry)
calls_ended = Counter("callsheet_calls_ended", "Calls that ended, by outcome.", ["outcome"], registry=registry)
call_setup = Histogram(
    "callsheet_call_setup_seconds",
    "From when a call was placed until the other side had it.",
    buckets=(0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 13, 20, 30, 60),
    registry=registry,
)
call_talk = Counter(
    "callsheet_call_talk_seconds", "How long calls that have ended lasted from their answers.", registry=registry
)
detections = Counter("callsheet_detections", "Verdicts of machine detection.", ["verdict"], registry=registry)
recordings = Counter(
    "callsheet_recordings", "Recordings of both sides of calls, by what came of them.", ["outcome"], registry=registry
)
call_slots = Gauge(
    "callsheet_call_slots", "Slots for calls at once, by what limits them.", ["limit", "state"], registry=registry
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
