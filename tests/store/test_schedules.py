"""Schedules in the database: kept, claimed once, passed over, and the state that a campaign has meanwhile."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from callsheet.core import recurrence
from callsheet.core.campaign import Campaign, Channel, Move, Status
from callsheet.core.errors import WrongState
from callsheet.core.schedule import MISSED, STILL_RUNNING, Schedule, Verdict, judge
from callsheet.store.apps import App
from callsheet.store.audit import Chain
from callsheet.store.runs import Wanted
from callsheet.store.store import Store
from databases import Place, change
from factories import MONDAY_NOON, StillClock, make_app, make_campaign, make_definition, make_list

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TWICE = Schedule("UTC", MONDAY_NOON + HOUR, MONDAY_NOON + 2 * DAY, recurrence.daily(1))
ONCE = Schedule("UTC", MONDAY_NOON + HOUR)


async def planned(store: Store, app: App, clock: StillClock, schedule: Schedule = TWICE) -> Campaign:
    campaign = await make_campaign(store, app, clock, [await make_list(store, app, clock, 3)])
    return await put(store, clock, campaign, schedule)


async def put(store: Store, clock: StillClock, campaign: Campaign, schedule: Schedule = TWICE) -> Campaign:
    return await store.schedules.put(campaign, schedule, clock.now())


def verdict_of(campaign: Campaign, now: datetime) -> Verdict:
    assert campaign.plan is not None
    assert campaign.plan.next_at is not None
    return judge(campaign.plan.schedule, campaign.plan.next_at, now, HOUR)


async def come_due(store: Store, clock: StillClock, campaign: Campaign) -> Campaign:
    """Move to the next occurrence and start it."""
    assert campaign.plan is not None
    assert campaign.plan.next_at is not None
    clock.set(campaign.plan.next_at)
    return await claim(store, clock, campaign)


async def claim(store: Store, clock: StillClock, campaign: Campaign) -> Campaign:
    sender = await store.apps.find_sender(campaign.app, campaign.definition.sender, clock.now())
    assert sender is not None
    return await store.campaigns.start(
        campaign, text="", sender_no=sender.no, one_run_per_list=True, now=clock.now(),
        verdict=verdict_of(campaign, clock.now()),
    )  # fmt: skip


async def found(store: Store, campaign: Campaign) -> Campaign:
    again = await store.campaigns.find(campaign.app, campaign_id=campaign.id)
    assert again is not None
    return again


async def complete(store: Store, campaign: Campaign) -> None:
    run = await store.runs.by_no(campaign.run_no or 0)
    assert run is not None
    await empty(store, run.no)
    assert await store.hot.complete(run)


async def empty(store: Store, run_no: int) -> None:
    await change(store, "delete from cursor where run_no = :no", no=run_no)


async def test_a_plan_comes_back_as_it_was_kept(store: Store, app: App, clock: StillClock):
    rich = replace(TWICE, duration_minutes=30, lateness_minutes=5, only_unreached=True, recurrence_precedence=True)
    campaign = await planned(store, app, clock, rich)
    again = await found(store, campaign)

    assert again.plan == campaign.plan
    assert again.plan is not None
    assert (again.plan.schedule, again.plan.next_at) == (rich, MONDAY_NOON + HOUR)
    assert again.status is Status.scheduled


async def test_a_campaign_goes_through_its_states_to_the_end_of_its_schedule(store: Store, app: App, clock: StillClock):
    first = await come_due(store, clock, await planned(store, app, clock))
    assert first.status is Status.active
    await complete(store, first)
    rescheduled = await found(store, first)
    assert rescheduled.status is Status.rescheduled

    second = await come_due(store, clock, rescheduled)
    assert second.run_no != first.run_no
    assert second.plan is not None
    assert (second.plan.next_at, second.plan.last_outcome) == (None, "started")
    await complete(store, second)
    assert (await found(store, second)).status is Status.completed


async def test_a_stop_ends_this_run_only(store: Store, app: App, clock: StillClock):
    first = await come_due(store, clock, await planned(store, app, clock))
    stopped = await store.campaigns.move(first, Move.stop, clock.now())
    run = await store.runs.by_no(first.run_no or 0)

    assert stopped.status is Status.rescheduled
    assert run is not None
    assert run.status is Status.stopped
    last = await come_due(store, clock, stopped)
    assert (await store.campaigns.move(last, Move.stop, clock.now())).status is Status.stopped


async def do(store: Store, clock: StillClock, campaign: Campaign, move: Move) -> Campaign:
    match move:
        case Move.start:
            return await store.campaigns.start(campaign, text="", sender_no=1, one_run_per_list=True, now=clock.now())
        case Move.edit:
            return await store.campaigns.update(campaign, campaign.definition, clock.now(), unique_names=True)
    return await store.campaigns.move(campaign, move, clock.now())


@pytest.mark.parametrize("move", [Move.start, Move.edit, Move.stop, Move.pause, Move.resume])
async def test_a_campaign_that_waits_for_its_time_is_left_alone(store: Store, app: App, clock: StillClock, move: Move):
    campaign = await planned(store, app, clock)
    with pytest.raises(WrongState, match="Scheduled"):
        await do(store, clock, campaign, move)
    assert await found(store, campaign) == campaign


async def test_a_schedule_that_is_taken_away_leaves_the_run_that_is_on(store: Store, app: App, clock: StillClock):
    campaign = await planned(store, app, clock)
    assert (await store.schedules.drop(campaign, clock.now())).status is Status.ready
    assert (await store.schedules.drop(campaign, clock.now())).status is Status.ready

    running = await come_due(store, clock, await put(store, clock, campaign))
    assert (await store.schedules.drop(running, clock.now())).status is Status.active
    await complete(store, running)
    assert (await found(store, running)).status is Status.completed
    assert await store.schedules.soonest() is None


async def test_a_new_schedule_while_a_run_is_on_waits_for_its_end(store: Store, app: App, clock: StillClock):
    running = await come_due(store, clock, await planned(store, app, clock, ONCE))
    again = await put(store, clock, running, TWICE)
    assert again.status is Status.active
    await complete(store, again)
    assert (await found(store, again)).status is Status.rescheduled


async def test_an_occurrence_is_claimed_once(place: Place, store: Store, app: App, clock: StillClock):
    campaign = await planned(store, app, clock)
    other = store if place.kind == "sqlite" else await place.open()
    clock.set(MONDAY_NOON + HOUR)

    started = await asyncio.gather(*(claim(s, clock, campaign) for s in (store, other) * 3))

    assert len({one.run_no for one in started}) == 1
    assert len(await store.runs.of_app(app.no, wanted=Wanted(campaign.no), before=None, limit=9)) == 1
    assert await store.schedules.due(clock.now()) == []


async def test_an_occurrence_that_is_passed_over_says_why_and_goes_on_to_the_next(
    store: Store, app: App, clock: StillClock
):
    campaign = await planned(store, app, clock)
    clock.advance(hours=3)
    verdict = verdict_of(campaign, clock.now())
    passed = await store.schedules.pass_over(campaign, verdict, clock.now(), outcome=MISSED, reason="Nobody was there.")

    assert passed is not None
    assert passed.status is Status.scheduled
    again = await found(store, campaign)
    assert again == passed
    assert again.plan is not None
    assert (again.plan.next_at, again.plan.last_at) == (MONDAY_NOON + HOUR + DAY, MONDAY_NOON + HOUR)
    assert (again.plan.last_outcome, again.plan.last_reason) == (MISSED, "Nobody was there.")
    assert await store.schedules.pass_over(campaign, verdict, clock.now(), outcome=MISSED, reason="") is None
    notices = [(one.kind, one.payload.get("count")) for one in await store.outbox.peek(9)]
    assert notices == [("schedule.missed", 1)]


async def test_a_campaign_whose_last_occurrence_passed_waits_no_longer(store: Store, app: App, clock: StillClock):
    never = await planned(store, app, clock, ONCE)
    ran = await come_due(store, clock, await planned(store, app, clock))
    await complete(store, ran)
    clock.advance(days=3)
    for campaign in (never, await found(store, ran)):
        await store.schedules.pass_over(
            campaign, verdict_of(campaign, clock.now()), clock.now(), outcome=MISSED, reason=""
        )

    assert (await found(store, never)).status is Status.ready
    assert (await found(store, ran)).status is Status.completed


async def test_what_the_engine_did_by_itself_is_in_the_audit_log(store: Store, app: App, clock: StillClock):
    campaign = await come_due(store, clock, await planned(store, app, clock))
    clock.advance(days=1)
    verdict = verdict_of(campaign, clock.now())
    await store.schedules.pass_over(campaign, verdict, clock.now(), outcome=STILL_RUNNING, reason="It goes on.")

    chain = Chain(app=app.no)
    deeds = [one.line.deed for one in await store.audit.lines(chain, before=None, limit=9)]
    lines = [(deed.action, deed.thing) for deed in deeds]
    assert lines == [("schedule.passed_over", campaign.id), ("schedule.started", campaign.id)]
    assert (await store.audit.verify(chain)).first_broken is None


async def test_a_failed_start_is_told(store: Store, app: App, clock: StillClock):
    running = await come_due(store, clock, await planned(store, app, clock))
    clock.advance(days=1)
    verdict = verdict_of(running, clock.now())
    await store.schedules.pass_over(running, verdict, clock.now(), outcome=STILL_RUNNING, reason="It goes on.")

    notice = (await store.outbox.peek(9))[-1]
    assert notice.kind == "schedule.failed"
    assert (notice.payload["campaign_id"], notice.payload["code"]) == (running.id, STILL_RUNNING)
    assert (await found(store, running)).status is Status.active


async def test_a_deleted_campaign_takes_its_schedule_along(store: Store, app: App, clock: StillClock):
    campaign = await planned(store, app, clock)
    await store.campaigns.delete(campaign)
    assert await store.schedules.soonest() is None
    assert await store.schedules.due(MONDAY_NOON + DAY) == []


async def test_a_campaign_that_is_prepared_goes_on_to_wait_for_its_time(store: Store, app: App, clock: StillClock):
    definition = make_definition([await make_list(store, app, clock, 1)], channel=Channel.voice)
    campaign = await store.campaigns.create(app.no, definition, clock.now(), unique_names=True)
    assert (await put(store, clock, campaign)).status is Status.preparing
    await store.campaigns.prepare(clock.now())
    assert (await found(store, campaign)).status is Status.scheduled


async def test_the_calendar_shows_what_comes_page_by_page_and_no_other_app(store: Store, app: App, clock: StillClock):
    stranger = await make_app(store, clock, name="Stranger")
    await planned(store, stranger, clock)
    starts = [replace(ONCE, start=MONDAY_NOON + HOUR * n) for n in (3, 1, 2, 1)]
    made = [await planned(store, app, clock, schedule) for schedule in starts]
    expected = [made[1].no, made[3].no, made[2].no, made[0].no]

    seen: list[int] = []
    after = None
    while page := await store.schedules.upcoming(app.no, after=after, limit=1):
        (campaign,) = page
        seen.append(campaign.no)
        assert campaign.plan is not None
        assert campaign.plan.next_at is not None
        after = (campaign.plan.next_at, campaign.no)
    assert seen == expected
    assert await store.schedules.soonest() == MONDAY_NOON + HOUR


async def test_an_edit_takes_a_schedule_away_that_is_over(store: Store, app: App, clock: StillClock):
    ran = await come_due(store, clock, await planned(store, app, clock, ONCE))
    await complete(store, ran)
    edited = await store.campaigns.update(await found(store, ran), ran.definition, clock.now(), unique_names=True)
    assert (edited.status, edited.plan) == (Status.ready, None)
    assert await found(store, ran) == edited
