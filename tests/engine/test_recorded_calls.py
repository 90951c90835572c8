"""Whole calls are recorded where their campaign says so, or somebody asks; what goes wrong with that ends no call."""

import asyncio
import io
import wave
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from calling import PlainPrompts
from callsheet.core.call_errors import CallNotFound, CallOver
from callsheet.core.campaign import Mode, VoicePlan
from callsheet.core.errors import Unavailable
from callsheet.core.ids import AttemptKey, encode_attempt
from callsheet.core.notice import NoticeKind
from callsheet.core.run import AppSettings
from callsheet.engine.calling import call_tapes
from callsheet.engine.calling.call_tapes import CallTapes
from callsheet.engine.calling.live_call import LiveCall
from callsheet.store.told_calls import ToldCall
from conversing import make_flow
from databases import rows
from engine.calls import call, play
from engine.test_flows_of_calls import BUSY, PERSON, talked, timeline, told
from engine.test_phone_talk import PAYMENT
from engine.world import World

RECORDS = VoicePlan(Mode.agentless, record_calls=True)


async def notices(w: World) -> list[tuple[str, dict[str, Any]]]:
    """Return what others are told of calls from now on: what is in the outbox and what comes."""
    found = await w.store.outbox.peek(100)
    return [(one.kind, dict(one.payload)) for one in found if one.kind.startswith("call.")]


async def asked(w: World, **changes: Any) -> AttemptKey:
    """Call somebody who listens for long, and return his call once he has answered."""
    await call(w, [PERSON], flow=await make_flow(w.store, w.app, PAYMENT), **changes)
    while not (found := await rows(w.store, "select run_no, person, n from call where answered_at <> 0")):
        await w.clock.sleep(0.2)
    return AttemptKey(*found[0])


async def ended(w: World) -> ToldCall:
    """Wait for the end of the only call."""
    while await rows(w.store, "select 1 from call where ended_at = 0"):
        await w.clock.sleep(0.2)
    (over,) = (await told(w)).values()
    return over


def test_a_campaign_records_both_sides_from_the_answer_to_the_end(tmp_path: Path):
    async def main(w: World) -> None:
        await talked(w, [PERSON, BUSY], plan=RECORDS)
        calls = await told(w)

        reached, busy = calls[PERSON], calls[BUSY]
        (kept,) = reached.recordings
        assert reached.answered_at is not None
        assert reached.ended_at is not None
        talked_seconds = (reached.ended_at - reached.answered_at).total_seconds()
        assert kept.milliseconds / 1000 == pytest.approx(talked_seconds, abs=0.5)
        assert (kept.purpose, reached.recording) == ("campaign", "kept")
        assert kept.until - kept.at == timedelta(days=7)
        assert (busy.recording, busy.recordings) == ("off", ())
        found = await w.store.recordings.find(w.app.no, kept.id, w.clock.now())
        assert found is not None
        with wave.open(io.BytesIO(found[1])) as audio:
            assert audio.getnframes() == pytest.approx(kept.milliseconds * 8, abs=8)
        assert await w.store.recordings.find(w.app.no, kept.id, kept.until) is None
        happened = await timeline(w, reached.key)
        assert [what for what in happened if "record" in what] == ["recording", "call_recorded"]
        assert list(tmp_path.rglob("*.wav")) == []

    play(tmp_path, main, prompts=PlainPrompts(2.0), settings=AppSettings(recording_days=7))


def test_others_are_told_once_of_each_answer_end_and_recording(tmp_path: Path):
    async def main(w: World) -> None:
        said: list[tuple[str, dict[str, Any]]] = []

        async def hear(told: Any) -> list[str]:
            said.extend((one.kind, dict(one.payload)) for one in told if one.kind.startswith("call."))
            return await drop(told)

        drop, w.store.outbox.drop = w.store.outbox.drop, hear  # type: ignore[method-assign]
        await talked(w, [PERSON, BUSY], plan=RECORDS)
        said += await notices(w)
        calls = await told(w)

        ends = {each["attempt_id"]: each for kind, each in said if kind == NoticeKind.call_ended}
        assert ends.keys() == {one.attempt_id for one in calls.values()}
        reached, busy = ends[calls[PERSON].attempt_id], ends[calls[BUSY].attempt_id]
        assert (busy["outcome"], busy["talk_seconds"], busy["sip_status"]) == ("busy", None, 486)
        assert (reached["outcome"], reached["ended_by"], reached["recording"]) == ("human", "us", "kept")
        assert reached["conversation_id"] == calls[PERSON].conversation_id
        assert reached["recording_ids"] == [one.id for one in calls[PERSON].recordings]
        assert reached["talk_seconds"] > 2
        assert [kind for kind, each in said if each["attempt_id"] == calls[PERSON].attempt_id] == [
            "call.answered", "call.recorded", "call.ended",
        ]  # fmt: skip
        assert calls[PERSON].run_id == reached["run_id"]

    play(tmp_path, main, prompts=PlainPrompts(2.0))


def test_a_call_that_goes_on_is_recorded_while_somebody_wants_it(tmp_path: Path):
    async def main(w: World) -> None:
        key = await asked(w)
        await w.store.recording_wishes.wish(w.app.no, key, wanted=True)
        assert (await told(w))[PERSON].is_recording_asked
        while (await told(w))[PERSON].recording != "on":
            await w.clock.sleep(0.2)
        await w.clock.sleep(3)
        await w.store.recording_wishes.wish(w.app.no, key, wanted=False)
        while not (found := (await told(w))[PERSON].recordings):
            await w.clock.sleep(0.2)
        assert (await told(w))[PERSON].ended_at is None

        await w.store.recording_wishes.wish(w.app.no, key, wanted=True)
        over = await ended(w)
        assert (over.recording, [one.purpose for one in over.recordings]) == ("kept", ["request"] * 2)
        assert found[0].milliseconds == pytest.approx(3500, abs=1000)
        with pytest.raises(CallOver):
            await w.store.recording_wishes.wish(w.app.no, key, wanted=True)
        with pytest.raises(CallNotFound):
            await w.store.recording_wishes.wish(w.app.no + 1, key, wanted=True)

    play(tmp_path, main, prompts=PlainPrompts(30.0))


def test_what_is_wished_while_it_rings_begins_with_the_answer(tmp_path: Path):
    async def main(w: World) -> None:
        await call(w, [PERSON], flow=await make_flow(w.store, w.app, PAYMENT))
        while not (found := await rows(w.store, "select run_no, person, n from call where answered_at = 0")):
            await w.clock.sleep(0.05)
        await w.store.recording_wishes.wish(w.app.no, AttemptKey(*found[0]), wanted=True)
        over = await ended(w)

        assert [one.purpose for one in over.recordings] == ["request"]

    play(tmp_path, main, prompts=PlainPrompts(2.0))


def test_somebody_may_end_what_the_campaign_began(tmp_path: Path):
    async def main(w: World) -> None:
        key = await asked(w, plan=RECORDS)
        await w.clock.sleep(2)
        await w.store.recording_wishes.wish(w.app.no, key, wanted=False)
        over = await ended(w)

        (kept,) = over.recordings
        assert (over.recording, kept.purpose) == ("kept", "campaign")
        assert over.answered_at is not None
        assert over.ended_at is not None
        assert kept.milliseconds / 1000 < (over.ended_at - over.answered_at).total_seconds() - 1

    play(tmp_path, main, prompts=PlainPrompts(30.0))


def test_a_disk_that_is_full_ends_no_call_and_its_record_says_so(tmp_path: Path):
    async def main(w: World) -> None:
        # A file stands where recordings are to be: none can be written.
        folder = w.phones._recordings
        folder.rmdir()
        folder.touch()
        await talked(w, [PERSON], plan=RECORDS)
        (over,) = (await told(w)).values()

        assert (over.outcome, over.ended_by, over.recording, list(over.recordings)) == ("human", "us", "failed", [])
        assert [row.ending for row in await rows(w.store, "select ending from flow_session")] == ["done"]
        assert (await timeline(w, over.key))[-1] == "not_recorded"

    play(tmp_path, main, prompts=PlainPrompts(2.0))


@pytest.mark.parametrize(("away", "how"), [(3, "kept"), (call_tapes.KEEP_TRIES, "failed")])
def test_a_recording_waits_for_a_store_that_is_away_but_not_for_ever(tmp_path: Path, away: int, how: str):
    async def main(w: World) -> None:
        keep, tries = w.store.recordings.keep, list[int]()

        async def keep_later(*args: Any, **more: Any) -> str:
            tries.append(1)
            if len(tries) <= away:
                raise Unavailable
            return await keep(*args, **more)

        w.store.recordings.keep = keep_later  # type: ignore[method-assign]
        await talked(w, [PERSON], plan=RECORDS)
        (over,) = (await told(w)).values()

        assert (over.outcome, over.recording, len(over.recordings)) == ("human", how, int(how == "kept"))
        assert list(tmp_path.rglob("*.wav")) == []

    play(tmp_path, main, prompts=PlainPrompts(2.0))


def test_a_stop_does_not_wait_for_ever_for_what_is_to_be_kept(tmp_path: Path):
    async def main(w: World) -> None:
        key, began = await asked(w, plan=RECORDS), asyncio.Event()

        async def keep_never(*_: Any, **__: Any) -> str:
            began.set()
            return await asyncio.get_running_loop().create_future()

        w.store.recordings.keep = keep_never  # type: ignore[method-assign]
        await w.phones._calls[encode_attempt(*key)].hang_up()
        await began.wait()
        await w.conductor.switchboard.tapes.drain()

        assert (await ended(w)).recording == "failed"

    play(tmp_path, main, prompts=PlainPrompts(30.0))


@pytest.mark.parametrize(("wanted", "how"), [(None, ["not_recorded", "recording"]), (False, [])])
def test_who_takes_a_call_over_goes_on_recording_unless_somebody_ended_that(
    tmp_path: Path, wanted: bool | None, how: list[str]
):
    async def main(w: World) -> None:
        key = await asked(w, plan=RECORDS)
        if wanted is not None:
            await w.store.recording_wishes.wish(w.app.no, key, wanted=wanted)
        # As another process does that finds the call.
        run, found = await w.store.runs.by_no(key.run_no), w.phones._calls[encode_attempt(*key)]
        assert run is not None
        assert found is not None
        live = LiveCall(key, run, found, 0, is_taken_over=True)
        tapes = CallTapes(w.store, w.clock, w.conductor.call_records)
        tapes.answered(live)
        assert live.timeline == []
        await tapes.look()
        await tapes.drain()

        assert [what for _, what, _ in live.timeline] == how
        assert live.recording == ("on" if how else "off")

    play(tmp_path, main, prompts=PlainPrompts(30.0))
