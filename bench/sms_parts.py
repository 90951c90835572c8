"""What each part of a message's way costs: CPU of its own thread inside a few functions, which costs some itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from callsheet.carriers.smpp.carrier import SmppCarrier
from callsheet.carriers.smpp.ear import Ear
from callsheet.carriers.smpp.outgoing import Outgoing
from callsheet.core.template import Compiled
from callsheet.engine.hearing import Hearing
from callsheet.store.sqlite import arming, recording
from callsheet.store.sqlite.database import SqliteDatabase

PARTS: tuple[tuple[str, Any, str], ...] = (
    ("render", Compiled, "render"),
    ("encode", SmppCarrier, "submit"),
    ("write to the wire", Outgoing, "flush"),
    ("answer", Outgoing, "answered"),
    ("receipt, read", Ear, "hear"),
    ("receipt, whose", Hearing, "_read"),
    ("arm, in the store", arming, "arm"),
    ("record, receipts too, in the store", recording, "record"),
    ("all that is stored, with commits", SqliteDatabase, "_commit"),
)


def watch() -> dict[str, float]:
    """Watch from now on, and return the CPU seconds of each part, which grow."""
    spent = {name: 0.0 for name, _, _ in PARTS}
    for name, owner, attribute in PARTS:
        setattr(owner, attribute, _watched(getattr(owner, attribute), name, spent))
    return spent


def _watched(run: Callable[..., Any], name: str, spent: dict[str, float]) -> Callable[..., Any]:
    def watched(*args: Any, **kwargs: Any) -> Any:
        began = time.thread_time()
        try:
            return run(*args, **kwargs)
        finally:
            spent[name] += time.thread_time() - began

    return watched
