"""Say what becomes of a run that came out of a backup."""

from __future__ import annotations

from callsheet.core.campaign import Move, Status
from callsheet.core.errors import WrongState
from callsheet.core.run import Run
from callsheet.engine import campaigns
from callsheet.engine.runtime import Runtime


async def acknowledge(runtime: Runtime, run: Run, *, go_on: bool) -> None:
    """Let a restored run go on, or stop it. Raises WrongState when it does not wait for that, SendingStopped."""
    if run.restored is None or run.restored.acknowledged_at is not None or run.ended_at is not None:
        raise WrongState("Nothing has to be acknowledged of this run: it did not come out of a backup, or it was done.")
    campaign = await runtime.store.campaigns.find(run.app, campaign_id=run.campaign_id)
    now = runtime.clock.now()
    if campaign is None or campaign.run_no != run.no:
        # A single message: a later one is its campaign's run.
        alone = Status.active if go_on else Status.stopped
        await runtime.store.restoring.acknowledge(run.app, run.no, now, alone)
        runtime.conductor.wake()
    elif go_on:
        await runtime.store.restoring.acknowledge(run.app, run.no, now)
        await campaigns.move(runtime, campaign, Move.resume)
    else:
        # In this order: one that was acknowledged could be resumed by a plain call.
        await campaigns.move(runtime, campaign, Move.stop)
        await runtime.store.restoring.acknowledge(run.app, run.no, now)
