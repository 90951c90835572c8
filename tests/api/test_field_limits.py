"""The limits of single fields: the last value that is taken, and the first one that is not."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from api.callers import V1, V2, Caller, campaign_body, fields, unique, voice_body
from api.test_pulls import make_list
from api.test_v1_campaigns import body_of, call_of, list_id
from api.test_voice_campaigns import neighbours

URL = "https://example.com/contacts"


def bodies(dialect: str) -> tuple[Callable[..., dict[str, Any]], Callable[[Caller], Awaitable[str]]]:
    """Return what writes a campaign's body, and what makes a contact list and says how such a body names it."""
    if dialect == "v1":
        return body_of, list_id
    return {"sms": campaign_body, "voice": voice_body}[dialect], Caller.make_list


async def send(shop: Caller, dialect: str, *lists: str, **changes: Any) -> Any:
    """Ask for a campaign in a dialect: ours, or the documented one for SMS or voice."""
    write, _ = bodies(dialect)
    if dialect == "v1":
        return await shop.v1("POST", "/campaigns", write(*lists, **changes))
    names = await neighbours(shop) if dialect == "voice" else {}
    return await shop.compat("POST", "/campaign", write(*lists, **{**names, **changes}))


@pytest.mark.parametrize("dialect", ["sms", "voice", "v1"])
async def test_a_campaign_has_ten_contact_lists_and_not_eleven(shop, dialect):
    _, made = bodies(dialect)
    lists = [await made(shop) for _ in range(11)]

    ten, eleven = await send(shop, dialect, *lists[:10]), await send(shop, dialect, *lists)

    assert ten.status_code in {200, 201}, ten.text
    assert eleven.status_code == 400
    assert fields(eleven) == ["contact_list_ids" if dialect == "v1" else "contactLists"]


@pytest.mark.parametrize(("field", "most"), [("name", 48), ("description", 256)])
@pytest.mark.parametrize("dialect", ["sms", "voice", "v1"])
async def test_a_name_and_a_description_of_a_campaign_are_so_long_at_most(shop, dialect, field, most):
    _, made = bodies(dialect)
    people = await made(shop)
    longest = unique("").strip().rjust(most, "x")

    taken, refused = [await send(shop, dialect, people, **{field: text}) for text in (longest, "x" + longest)]

    assert taken.status_code in {200, 201}, taken.text
    shown = taken.json() if dialect == "v1" else taken.json()["data"]
    assert shown[field] == longest
    assert (refused.status_code, fields(refused)) == (400, [field])


@pytest.mark.parametrize("prefix", [V1, V2])
async def test_an_update_has_the_limits_of_a_create(shop, prefix):
    lists = [await shop.make_list() for _ in range(11)]
    campaign_id = await shop.make_campaign()
    path = f"/campaign/{campaign_id}"

    long = campaign_body(*lists[:10], name="n" * 48, description="d" * 256)
    too_long = campaign_body(*lists, name="n" * 49, description="d" * 257)
    taken, refused = [await shop.compat("PUT", path, body, prefix=prefix) for body in (long, too_long)]

    assert taken.status_code == 200, taken.text
    assert sorted(fields(refused)) == ["contactLists", "description", "name"]


@pytest.mark.parametrize(("minutes", "status"), [(4, 400), (5, 200), (1440, 200), (1441, 400)])
async def test_a_list_pulls_every_five_minutes_at_most_and_once_a_day_at_least(shop, minutes, status):
    pulled = await make_list(shop)

    answer = await shop.v1("PUT", f"/contact-lists/{pulled}/pull", {"url": URL, "interval_minutes": minutes})

    assert answer.status_code == status, answer.text
    assert status == 400 or answer.json()["interval_minutes"] == minutes
    assert status == 200 or fields(answer) == ["interval_minutes"]


RANGES = [
    ("priority", "priority", 1, 5),
    ("dialingStrategy.maxAttemptsPerRecord", "max_attempts", 1, 100),
    ("dialingStrategy.defaultRetryPeriod", "retry_minutes", 1, 1440),
    ("dialingStrategy.maxRingTime", "ring_seconds", 5, 120),
    ("pacingRatio", "voice.pacing_ratio", 1, 10),
]
"""The field in the documented dialect and in ours, its least value and its most."""


@pytest.mark.parametrize(("documented", "ours", "least", "most"), RANGES)
@pytest.mark.parametrize("dialect", ["voice", "v1"])
async def test_both_ends_of_a_range_are_taken_and_what_lies_beyond_is_not(shop, dialect, documented, ours, least, most):
    people = await bodies(dialect)[1](shop)
    await shop.v1("POST", "/queues", {"name": "Line"})
    queue = (await shop.v1("GET", "/queues")).json()["items"][0]["id"]
    field = ours if dialect == "v1" else documented

    async def answer(value: int) -> Any:
        if dialect == "v1":
            body = body_of(people, **call_of("Power", queue_id=queue))
            return await shop.v1("POST", "/campaigns", with_value(body, field, value))
        power = {"dialingMode": "Power", "queue_name": "Line", "experienceFlowName": None}
        body = voice_body(people, **{**await neighbours(shop), **power})
        return await shop.compat("POST", "/campaign", with_value(body, field, value))

    taken = [await answer(value) for value in (least, most)]
    refused = [await answer(value) for value in (least - 1, most + 1)]

    assert [one.status_code // 100 for one in taken] == [2, 2], [one.text for one in taken]
    assert [(one.status_code, fields(one)) for one in refused] == [(400, [field])] * 2


def with_value(body: dict[str, Any], path: str, value: int) -> dict[str, Any]:
    """Return a body with a value at a path such as `voice.pacing_ratio`."""
    first, _, rest = path.partition(".")
    return {**body, first: with_value(body[first], rest, value) if rest else value}


async def test_a_power_campaign_that_does_not_say_how_many_calls_it_places_for_an_agent_places_two(shop):
    await shop.v1("POST", "/queues", {"name": "Line"})
    power = {"dialingMode": "Power", "queue_name": "Line", "experienceFlowName": None, "pacingRatio": None}

    made = await shop.compat("POST", "/campaign", voice_body(await shop.make_list(), **await neighbours(shop) | power))

    assert made.json()["data"]["pacingRatio"] == 2
    shown = (await shop.v1("GET", f"/campaigns/{made.json()['id']}")).json()
    assert shown["voice"]["pacing_ratio"] == 2


@pytest.mark.parametrize(("priority", "status"), [(0, 400), (1, 200), (10, 200), (11, 400)])
async def test_a_queue_has_a_priority_of_one_to_ten(shop, priority, status):
    made = (await shop.v1("POST", "/queues", {"name": "Line"})).json()
    path = "/queues/dynamicqueues/priorities"
    body = {"queuePriorityData": [{"queueId": made["id"], "priority": priority}]}

    documented = await shop.compat("PUT", path, body, prefix=V1)
    ours = await shop.v1("PATCH", f"/queues/{made['id']}", {"priority": priority})

    assert [documented.status_code, ours.status_code] == [status, status]
    shown = (await shop.v1("GET", f"/queues/{made['id']}")).json()["priority"]
    assert shown == (priority if status == 200 else made["priority"])
