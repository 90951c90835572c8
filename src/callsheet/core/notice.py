"""What others are told of: the kinds of notices that leave through the outbox, to webhooks among others.

A notice carries ids and no more: no phone number, no text, no name that an owner gave.
"""

from __future__ import annotations

from enum import StrEnum


class NoticeKind(StrEnum):
    """What happened."""

    run_started = "run.started"
    run_paused = "run.paused"
    run_resumed = "run.resumed"
    run_stopped = "run.stopped"
    run_completed = "run.completed"
    schedule_missed = "schedule.missed"
    schedule_failed = "schedule.failed"
    contact_opted_out = "contact.opted_out"
    contact_opted_in = "contact.opted_in"
    message_received = "message.received"
    call_answered = "call.answered"
    call_ended = "call.ended"
    call_recorded = "call.recorded"
    conversation_started = "conversation.started"
    conversation_handed_over = "conversation.handed_over"
    conversation_ended = "conversation.ended"
    sending_stopped = "sending.stopped"
    sending_allowed = "sending.allowed"
    trunk_broken = "trunk.broken"
    trunk_mended = "trunk.mended"
    import_done = "import.done"
    import_failed = "import.failed"
    webhook_ping = "webhook.ping"
    """Nothing happened: an owner tries whether a webhook hears."""
