"""Calls: what became of each, how many may go on at once, and what they play."""

from __future__ import annotations

import sqlalchemy as sa

from callsheet.store.tables.columns import blob, clustered, metadata, serial, text, whole

call = clustered(
    "call",
    # Its attempt.
    whole("app", key=True),
    whole("run_no", key=True),
    blob("person", key=True),
    whole("n", key=True),
    whole("trunk_no"),
    # The node of the voice engine, and the one of ours that leads it.
    text("node", default=""),
    whole("node_no"),
    whole("dialed_at"),
    # 0: it never came to that, or not yet.
    whole("rang_at", default="0"),
    whole("answered_at", default="0"),
    whole("ended_at", default="0"),
    # Q.850 and SIP; 0: none came.
    whole("cause", default="0"),
    whole("sip_status", default="0"),
    # See `Outcome`; empty: it goes on.
    text("outcome", default=""),
    # `us`, `them`, `network`; empty: nobody knows, or it goes on.
    text("ended_by", default=""),
    # What machine detection heard, as a JSON object: the verdict, its features and the version; empty: it was off.
    text("detection", default=""),
    # What happened, in order: a JSON array of `{at, what, ...}`; digits and words of the contact are in it.
    blob("timeline_sealed"),
    # The conversation of a flow that was led in it; 0: none.
    whole("session_no", default="0"),
    # How the recording of the whole call stands: see `Recorded`.
    text("recording", default="off"),
    # What somebody asked for while it goes on: `on`, `off`; empty: nobody did.
    text("recording_wish", default=""),
    # When somebody asked that it be ended while it goes on; 0: nobody did.
    whole("hang_up_at", default="0"),
    # While it goes on: until then its node leads it for sure.
    whole("lease_until"),
    sa.Index("ix_call_dialed_at", "app", "dialed_at"),
    sa.Index("ix_call_person", "app", "person", "dialed_at"),
    # Those that go on, which are few: a run asks for its own, a node for all.
    sa.Index("ix_call_ended_at", "ended_at", "app", "run_no"),
)

recording = sa.Table(
    "recording",
    metadata,
    serial(),
    whole("app"),
    text("id"),
    # Of which call.
    whole("run_no"),
    blob("person"),
    whole("n"),
    # Why there is one: see `Purpose`.
    text("purpose"),
    whole("milliseconds"),
    # A WAV file, sealed.
    blob("audio_sealed"),
    whole("at"),
    # When it is deleted.
    whole("until"),
    sa.UniqueConstraint("app", "id"),
    sa.Index("ix_recording_until", "until"),
    sa.Index("ix_recording_no", "app", "no"),
    sa.Index("ix_recording_call", "app", "run_no", "person", "n"),
    sqlite_autoincrement=True,
)

# How many calls go on at once: each node holds some of what is allowed, until its lease ends.
slot = clustered(
    "slot",
    whole("app", key=True),
    # A trunk's id, or `agentless`: all such calls of an app.
    text("name", key=True),
    whole("node_no", key=True),
    whole("held"),
    # How many it could use: those in use, and those for which somebody waits.
    whole("wanted"),
    whole("lease_until"),
)

sound = sa.Table(
    "sound",
    metadata,
    serial(),
    whole("app"),
    text("id"),
    text("name"),
    text("lname"),
    # A WAV file, 8 kHz, mono, 16 bits, and its SHA-256: what was uploaded, converted once.
    blob("audio"),
    text("digest"),
    whole("milliseconds"),
    # What was uploaded: `wav`, `mp3`, `ogg`.
    text("source"),
    whole("created_at"),
    whole("updated_at"),
    sa.UniqueConstraint("app", "id"),
    sa.UniqueConstraint("app", "lname"),
    sqlite_autoincrement=True,
)

# A service that speaks texts: its account, as its room wants it.
speech_service = sa.Table(
    "speech_service",
    metadata,
    serial(),
    whole("app"),
    text("id"),
    text("name"),
    text("lname"),
    # How to ask it, as JSON, without the secrets; and those, sealed for its id.
    text("settings"),
    blob("secrets_sealed"),
    whole("created_at"),
    whole("updated_at"),
    sa.UniqueConstraint("app", "id"),
    sa.UniqueConstraint("app", "lname"),
    sqlite_autoincrement=True,
)
