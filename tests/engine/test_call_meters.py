"""What is measured of calls: each is counted once, by what came of it."""

from pathlib import Path
from typing import Any

from calling import PlainPrompts
from callsheet import meters
from callsheet.core.campaign import MachineDetection, Mode, VoicePlan
from engine.calls import play
from engine.test_flows_of_calls import BUSY, PERSON, talked
from engine.world import World

MACHINE = "+12125559924"


def shown(name: str, **labels: str) -> float:
    return meters.registry.get_sample_value(f"callsheet_{name}", labels) or 0.0


def test_calls_are_measured(tmp_path: Path):
    wanted: dict[str, dict[str, str]] = {
        "calls_placed_total": {"carrier": "sandbox"},
        "call_setup_seconds_count": {},
        "call_talk_seconds_total": {},
        "recordings_total": {"outcome": "kept"},
    }
    before = {name: shown(name, **labels) for name, labels in wanted.items()}
    endings = {one: shown("calls_ended_total", outcome=one) for one in ("human", "machine", "busy")}
    heard = {one: shown("detections_total", verdict=one) for one in ("human", "machine")}
    # Engines that tests of this process killed have counted down nothing.
    live = shown("live_calls", carrier="sandbox")
    plan = VoicePlan(Mode.agentless, machine_detection=MachineDetection.detect, record_calls=True)

    async def main(w: World) -> None:
        used: list[float] = []
        occupy = w.phones.dial

        async def dial(*args: Any) -> Any:
            placed = await occupy(*args)
            used.append(shown("call_slots", limit="agentless", state="used"))
            return placed

        w.phones.dial = dial  # type: ignore[method-assign]
        await talked(w, [PERSON, BUSY, MACHINE], plan=plan)

        assert max(used) >= 1

    play(tmp_path, main, prompts=PlainPrompts(2.0))
    gained = {name: shown(name, **labels) - before[name] for name, labels in wanted.items()}
    assert gained["calls_placed_total"] == 3
    assert gained["call_setup_seconds_count"] in (2, 3)
    assert gained["recordings_total"] == 2
    assert gained["call_talk_seconds_total"] > 4
    assert {one: shown("calls_ended_total", outcome=one) - was for one, was in endings.items()} == dict.fromkeys(
        endings, 1
    )
    assert {one: shown("detections_total", verdict=one) - was for one, was in heard.items()} == dict.fromkeys(heard, 1)
    assert shown("live_calls", carrier="sandbox") == live
    assert [shown("call_slots", limit="agentless", state=state) for state in ("used", "held", "allowed")] == [0, 0, 0]
