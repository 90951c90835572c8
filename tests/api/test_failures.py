"""A fault of ours is told without details, logged without a person, and leaves the process as it was."""

import pytest_asyncio
from structlog.testing import capture_logs

from api.callers import campaign_body
from databases import change

SECRET = "+919876543210"


@pytest_asyncio.fixture(loop_scope="session")
async def broken(shop):
    """Take a table away for a while, so that a call meets what nobody expected."""
    store = shop.server.runtime.store
    await change(store, "alter table template rename to template_gone")
    yield shop
    await change(store, "alter table template_gone rename to template")


async def test_a_fault_is_answered_without_details_in_both_dialects(broken):
    body = campaign_body(await broken.make_list(), message={"template_name": f"Call {SECRET}"})

    with capture_logs() as logs:
        documented = await broken.compat("POST", "/campaign", body)
        ours = await broken.v1("POST", "/templates", {"name": f"Call {SECRET}", "body": SECRET})

    assert (documented.status_code, ours.status_code) == (500, 500)
    assert documented.json()["errors"][0]["code"] == ours.json()["code"] == "internal"
    for answer in (documented, ours):
        assert not any(word in answer.text for word in ("template", "SELECT", "Traceback", SECRET))
    failed = [one for one in logs if one["event"] == "api.failed"]
    assert len(failed) == 2
    assert all(one["places"] and one["error"] for one in failed)
    assert SECRET not in str(logs)


async def test_the_next_call_is_served(shop):
    assert (await shop.v1("GET", "/settings")).status_code == 200
