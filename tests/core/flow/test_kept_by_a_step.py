"""A step makes sessions and frames field by field, for speed: what it does not change must not be lost."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

from callsheet.core.flow.given import Reply
from callsheet.core.flow.reading import read
from callsheet.core.flow.session import Frame, Mode, Session
from callsheet.core.flow.step import begin, step

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
CHANGED = {"frames", "awaits", "visits", "replies", "silences", "wakes_at", "ending", "why"}
MOVED = {"block", "entered_at", "results", "memory"}


def question(uuid: str, to: str | None) -> dict[str, Any]:
    exits = [{"uuid": f"e{uuid}", "name": "Default", "default": True, "destination_block": to}]
    config = {"prompt": "How are you?"}
    return {"uuid": uuid, "name": uuid, "type": "MobilePrimitives.OpenResponse", "config": config, "exits": exits}


def test_a_step_keeps_what_it_does_not_change():
    blocks = [question("b1", "b2"), question("b2", None)]
    container = read({"flows": [{"uuid": "f", "first_block_id": "b1", "languages": ["eng"], "blocks": blocks}]})
    begun = begin(container, contact={"name": "Ada"}, number="+447700900001", mode=Mode.sms, at=AT).session
    sessions: dict[str, object] = {
        each.name: object() for each in fields(Session) if each.name not in CHANGED | {"mode", "language"}
    }
    sessions["contact"] = {"timeZone": "Asia/Kolkata"}
    frames = {each.name: object() for each in fields(Frame) if each.name not in MOVED | {"flow", "is_exiting"}}
    marked: Any = replace(begun, **sessions, frames=(replace(begun.frames[0], is_exiting=True, **frames),))

    after = step(container, marked, Reply("Well", AT)).session

    assert {name: getattr(after, name) for name in sessions} == sessions
    assert {name: getattr(after.frames[0], name) for name in frames} == frames
    assert after.frames[0].is_exiting
    assert (after.frames[0].block, list(after.frames[0].results)) == ("b2", ["b1"])
