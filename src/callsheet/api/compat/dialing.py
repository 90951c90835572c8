"""How a campaign calls: dialing mode, queue, machines, order, attempts and ring time.

What is required follows the dialing mode, because the tables of some pages ask for fields that their own samples leave
out. Where a field means nothing to the mode, it is not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from callsheet.api.compat.fields import Fields
from callsheet.core.campaign import (
    LEAST_RING_SECONDS,
    MOST_ATTEMPTS,
    MOST_PACING_RATIO,
    MOST_RETRY_MINUTES,
    MOST_RING_SECONDS,
    MOST_SKIPS,
    USUAL_PACING_RATIO,
    Channel,
    MachineDetection,
    Mode,
    Order,
)
from callsheet.core.wish import Reference, VoiceWish

_LONGEST_NAME = 256
_MODES: Mapping[str, Mode] = {mode.lower(): mode for mode in Mode}
_ORDERS: Mapping[str, Order] = {order.lower(): order for order in Order}
_DETECTIONS: Mapping[str, MachineDetection] = {
    **{word.value: word for word in MachineDetection},
    # One generation has true and false: a machine ends the call, or nobody looks for one.
    "true": MachineDetection.disconnect,
    "false": MachineDetection.no,
}


class Dialing(NamedTuple):
    """In what order contacts are tried, how often, how soon again, and how long it rings."""

    order: Order = Order.fifo
    max_attempts: int = 1
    retry_minutes: int = 10
    ring_seconds: int = 30


def read_dialing(strategy: Fields, channel: Channel) -> Dialing:
    """Read the rest of `dialingStrategy`: for calls all of it is required, and a message never rings."""
    usual, calls = Dialing(), channel is Channel.voice
    return Dialing(
        strategy.word("dialingOrder", _ORDERS, usual.order, required=calls),
        strategy.whole("maxAttemptsPerRecord", least=1, most=MOST_ATTEMPTS, default=usual.max_attempts, required=calls),
        strategy.whole(
            "defaultRetryPeriod", least=1, most=MOST_RETRY_MINUTES, default=usual.retry_minutes, required=calls
        ),
        strategy.whole(
            "maxRingTime", least=LEAST_RING_SECONDS, most=MOST_RING_SECONDS, default=usual.ring_seconds, required=True
        )
        if calls
        else usual.ring_seconds,
    )


def read_voice(fields: Fields) -> VoiceWish | None:
    """Read how a voice campaign is to call; None where its mode is missing or unknown."""
    blamed = len(fields.wrong)
    mode = fields.word("dialingMode", _MODES, Mode.agentless, required=True)
    if len(fields.wrong) > blamed:
        return None
    mapping = _read_mapping(fields)
    if mode is Mode.agentless:
        detection = fields.word("enableMachineDetect", _DETECTIONS, MachineDetection.no)
        return VoiceWish(mode, machine_detection=detection, agent_mapping=mapping)
    return VoiceWish(
        mode,
        _read_queue(fields),
        fields.whole("maxSkips", least=0, most=MOST_SKIPS, default=0, required=True) if mode is Mode.preview else 0,
        pacing_ratio=_read_ratio(fields) if mode is Mode.power else None,
        agent_mapping=mapping,
    )


def _read_mapping(fields: Fields) -> Reference | None:
    """Read the agent mapping, which no page spells: `agentMapping`, a name or an object with a name or an id."""
    for key in fields.spellings("agentMapping", "agentMappingList"):
        if fields.has_object(key):
            inside = fields.inside(key)
            mapping_id = inside.text("id", longest=_LONGEST_NAME).strip()
            name = inside.text("name", longest=_LONGEST_NAME).strip()
            if mapping_id or name:
                return Reference(fields.at(key), name=name or None, id=mapping_id or None)
        elif name := fields.text(key, longest=_LONGEST_NAME).strip():
            return Reference(fields.at(key), name=name)
    return None


def _read_queue(fields: Fields) -> Reference | None:
    key = "queueName" if fields.get("queue_name") is None and fields.get("queueName") is not None else "queue_name"
    name = fields.text(key, longest=_LONGEST_NAME, required=True).strip()
    return Reference(fields.at(key), name=name) if name else None


def _read_ratio(fields: Fields) -> float:
    """Read how many calls are placed for each free agent."""
    value = fields.get("pacingRatio")
    if value is None or value == "":
        return USUAL_PACING_RATIO
    try:
        ratio = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else 0.0
    except (ValueError, OverflowError):
        ratio = 0.0
    if not 1 <= ratio <= MOST_PACING_RATIO:
        fields.blame("pacingRatio", f"This must be a number from 1 to {MOST_PACING_RATIO}.")
        return USUAL_PACING_RATIO
    return ratio
