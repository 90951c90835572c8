"""A trunk is stored with all that it is, or not at all: a crash leaves no half of it."""

from dataclasses import replace
from typing import Any

import pytest

from callsheet.core.allowance import UNLIMITED
from callsheet.core.fence import Fence
from callsheet.engine.trunks import Trunks, Wanted
from callsheet.store.apps import App
from callsheet.store.store import Store
from factories import StillClock

TWILIO = {"account_sid": f"AC{'0' * 32}", "auth_token": "token"}


@pytest.mark.parametrize(("said", "answers"), [(None, True), (False, False)])
async def test_a_trunk_that_was_just_stored_knows_its_limits_and_who_confirms_a_stop(
    store: Store, app: App, clock: StillClock, said: bool | None, answers: bool
):
    nothing: Any = None
    trunks = Trunks(store, clock, Fence(), nothing)
    limits = replace(UNLIMITED, segments_per_day=7)
    made = await trunks.create(app.no, Wanted("Trunk", "twilio", TWILIO, False, said, limits))

    assert (made.carrier_answers_stop, made.allowance) == (answers, limits)
    assert await store.trunks.find(app.no, made.id) == made
