"""Campaigns by our own calls: what is written is read back, what is wrong is named, and what is done takes effect."""

from typing import Any

import pytest

from api.callers import SENDER, Caller, fields, unique
from phone_numbers import numbers

ALWAYS = {
    "timezone": "UTC",
    "windows": [{"days": ["MO", "TU", "WE", "TH", "FR", "SA", "SU"], "start": "00:00", "end": "24:00"}],
}


async def list_id(shop: Caller, *people: str, **columns: str) -> str:
    name = await shop.make_list(*people, **columns)
    return str((await shop.compat("GET", f"/campaign/contactList/{name}")).json()["data"]["_id"])


def body_of(*lists: str, **changes: Any) -> dict[str, Any]:
    """Write the body of a create call; None takes a field away."""
    body = {
        "name": unique("Ours"),
        "channel": "sms",
        "contact_list_ids": list(lists),
        "sender": SENDER,
        "calling_hours": ALWAYS,
        "message": {"text": "Hello {{city | default: 'there'}}"},
        **changes,
    }
    return {key: value for key, value in body.items() if value is not None}


def call_of(mode: str, **more: Any) -> dict[str, Any]:
    """Return what makes a campaign call."""
    return {"channel": "voice", "message": None, "voice": {"mode": mode, **more}}


async def make(shop: Caller, *people: str, columns: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    made = await shop.v1("POST", "/campaigns", body_of(await list_id(shop, *people, **(columns or {})), **changes))
    assert made.status_code == 201, made.text
    campaign: dict[str, Any] = made.json()
    return campaign


async def do(shop: Caller, campaign: dict[str, Any], what: str, body: Any = None) -> Any:
    return await shop.v1("POST", f"/campaigns/{campaign['id']}/{what}", body)


async def test_what_was_written_is_read_back_whole(shop):
    people = await list_id(shop, *numbers("IN", 2), city="Pune")
    dnc = [(await shop.v1("POST", "/dnc-lists", {"name": unique("Never")})).json() for _ in range(2)]
    template = (await shop.v1("POST", "/templates", {"name": unique("T"), "body": "Hi {{city}}"})).json()
    hours = {
        "timezone": "Asia/Kolkata",
        "windows": [
            {"days": ["MO", "WE"], "start": "09:00", "end": "12:30"},
            {"days": ["MO"], "start": "14:00", "end": "24:00"},
        ],
    }
    wanted = {"match": "any", "conditions": [{"column": "City", "operator": "one_of", "values": ["Pune", "Delhi"]}]}
    body = body_of(
        people,
        description="Two windows",
        dnc_list_ids=[one["id"] for one in dnc],
        priority=2,
        calling_hours=hours,
        message={"template_id": template["id"]},
        filter=wanted,
        order="LIFO",
        max_attempts=100,
        retry_minutes=1440,
    )

    made = (await shop.v1("POST", "/campaigns", body)).json()
    shown = (await shop.v1("GET", f"/campaigns/{made['id']}")).json()

    assert shown.pop("findings") == []
    assert shown == made
    assert (made["status"], made["version"], made["run"], made["voice"]) == ("Ready", 1, None, None)
    assert [one["id"] for one in made["contact_lists"]] == [people]
    assert made["dnc_lists"] == [{"id": one["id"], "name": one["name"]} for one in dnc]
    assert (made["calling_hours"], made["filter"]) == (hours, wanted)
    assert made["message"]["template"] == {"id": template["id"], "name": template["name"]}
    for key in ("name", "description", "priority", "sender", "order", "max_attempts", "retry_minutes"):
        assert made[key] == body[key]


async def test_both_dialects_show_one_campaign(shop):
    made = await make(shop, *numbers("IN", 1), columns={"city": "Pune"}, filter=_only("Pune"))

    shown = (await shop.compat("GET", f"/campaign/{made['id']}")).json()["data"]
    hours = shown["dialingStrategy"]["callingHours"]
    put = await shop.compat("PUT", f"/campaign/{made['id']}", {**shown, "description": "From there"})

    assert (shown["isFiltersEnabled"], hours["frequency"], hours["days"][0]) == (
        True,
        "WEEKLY",
        {"day": "MO", "start": "12:00 AM", "end": "12:00 AM"},
    )
    after = (await shop.v1("GET", f"/campaigns/{made['id']}")).json()
    assert put.status_code == 200, put.text
    assert (after["description"], after["filter"], after["calling_hours"]) == ("From there", made["filter"], ALWAYS)


def _only(city: str, column: str = "city") -> dict[str, Any]:
    return {"conditions": [{"column": column, "operator": "equals", "values": [city]}]}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": None}, ["name"]),
        ({"name": "n" * 49}, ["name"]),
        ({"description": "d" * 257}, ["description"]),
        ({"channel": "web"}, ["channel"]),
        ({"contact_list_ids": []}, ["contact_list_ids"]),
        ({"contact_list_ids": [f"L{i}" for i in range(11)]}, ["contact_list_ids"]),
        ({"contact_list_ids": ["cl-none"], "dnc_list_ids": ["None such"]}, ["contact_list_ids[0]", "dnc_list_ids[0]"]),
        ({"priority": 6}, ["priority"]),
        ({"priority": "5"}, ["priority"]),
        ({"max_attempts": 101, "retry_minutes": 0}, ["max_attempts", "retry_minutes"]),
        ({"max_attempts": 0, "retry_minutes": 1441}, ["max_attempts", "retry_minutes"]),
        ({"ring_seconds": 4}, ["ring_seconds"]),
        ({"ring_seconds": 121}, ["ring_seconds"]),
        ({"sender": " "}, ["sender"]),
        ({"calling_hours": {**ALWAYS, "timezone": "Mars"}}, ["calling_hours.timezone"]),
        ({"calling_hours": {"timezone": "UTC", "windows": []}}, ["calling_hours.windows"]),
        (
            {"calling_hours": {"timezone": "UTC", "windows": [{"days": ["MO"], "start": "9:00 AM", "end": "25:00"}]}},
            ["calling_hours.windows[0].start", "calling_hours.windows[0].end"],
        ),
        (
            {"calling_hours": {"timezone": "UTC", "windows": [{"days": ["MO"], "start": "18:00", "end": "09:00"}]}},
            ["calling_hours.windows[0]"],
        ),
        ({"message": None}, ["message"]),
        ({"message": {"text": "a", "flow_id": "b"}}, ["message", "message.flow_id"]),
        ({"message": {"text": " "}}, ["message.text"]),
        ({"message": {"text": "Hello {{city"}}, ["message.text"]),
        ({"message": {"template_id": "cmt-none"}}, ["message.template_id"]),
        ({"message": {"flow_id": "None such"}}, ["message.flow_id"]),
        ({"voice": {"mode": "Preview"}}, ["voice"]),
        ({"schedule": {}}, ["schedule"]),
        ({**call_of("Agentless")}, ["message.flow_id"]),
        ({**call_of("Power")}, ["voice.queue_id"]),
        ({**call_of("Power", queue_id="None such")}, ["voice.queue_id"]),
        ({**call_of("Power", queue_id="Default Queue", pacing_ratio=10.5)}, ["voice.pacing_ratio"]),
        ({**call_of("Preview", queue_id="Default Queue", max_skips=-1)}, ["voice.max_skips"]),
        ({**call_of("Predictive")}, ["voice.mode"]),
        ({"channel": "voice", "message": None}, ["voice"]),
        ({"filter": {"conditions": []}}, ["filter.conditions"]),
        (
            {"filter": {"conditions": [{"column": "c", "operator": "like", "values": ["x"]}]}},
            ["filter.conditions[0].operator"],
        ),
        ({"filter": {"conditions": [{"column": "c", "operator": "equals"}]}}, ["filter.conditions[0]"]),
        ({"filter": {"conditions": [{"column": "c", "operator": "blank", "values": ["x"]}]}}, ["filter.conditions[0]"]),
        (
            {"filter": {"conditions": [{"column": "Town", "operator": "filled"}]}},
            ["filter.conditions[0].column"],
        ),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_stored(shop, changes, expected):
    people = await list_id(shop, *numbers("IN", 1), city="Pune")

    answer = await shop.v1("POST", "/campaigns", body_of(people, **changes))

    assert (answer.status_code, fields(answer)) == (400, expected), answer.text
    assert [one async for one in shop.pages("/campaigns")] == []


@pytest.mark.parametrize(
    ("mode", "more"),
    [
        ("Progressive", {"queue_id": "Default Queue"}),
        ("Preview", {"queue_id": "Default Queue", "max_skips": 3}),
        ("Power", {"queue_id": "Default Queue", "pacing_ratio": 10}),
    ],
)
async def test_a_campaign_that_calls_for_agents_is_kept_and_says_that_there_are_none(shop, mode, more):
    made = await make(shop, **call_of(mode, **more), ring_seconds=120)
    await shop.until_status(made["id"], "Ready")

    started = await do(shop, made, "start")

    assert (made["status"], made["voice"]["mode"], made["voice"]["queue"]["name"]) == (
        "Preparing",
        mode,
        "Default Queue",
    )
    assert (started.status_code, started.json()["code"]) == (409, "wrong_state")


async def test_a_filter_decides_who_is_contacted(shop):
    pune, delhi = numbers("IN", 2)
    lists = [await list_id(shop, pune, city="Pune "), await list_id(shop, delhi, city="Delhi")]
    made = (await shop.v1("POST", "/campaigns", body_of(*lists, filter=_only("pune")))).json()

    await do(shop, made, "start")
    await shop.until_status(made["id"], "Completed")

    assert [(one["to"], one["text"]) for one in await shop.outbox()] == [(pune, "Hello Pune ")]


async def test_the_list_is_narrowed_and_paged(shop):
    made = [await make(shop, name=f"Sale {i}_") for i in range(3)]
    call = await make(shop, name="Call 100%", **call_of("Progressive", queue_id="Default Queue"))
    await shop.until_status(call["id"], "Ready")
    await do(shop, made[0], "start")
    await shop.until_status(made[0]["id"], "Completed")

    async def ids(**query: Any) -> list[str]:
        return [one["id"] async for one in shop.pages("/campaigns", limit=2, **query)]

    every = [call["id"], *(one["id"] for one in reversed(made))]
    assert await ids() == every
    assert await ids(channel="voice") == [call["id"]]
    assert await ids(status="Completed") == [made[0]["id"]]
    assert await ids(search=" sale ") == every[1:]
    assert await ids(search="0%") == [call["id"]]
    assert await ids(search="_") == every[1:]
    for query in ({"after": "cd-none"}, {"channel": "web"}, {"status": "Rerun"}, {"limit": 0}):
        assert (await shop.v1("GET", "/campaigns", params=query)).status_code == 400


async def test_a_replaced_campaign_keeps_nothing_that_was_not_named(shop):
    made = await make(shop, *numbers("IN", 1), columns={"city": "Pune"}, description="Old", filter=_only("Pune"))
    people = made["contact_lists"][0]["name"]

    put = await shop.v1("PUT", f"/campaigns/{made['id']}", body_of(people, name="New"))
    other = await shop.v1(
        "PUT", f"/campaigns/{made['id']}", body_of(people, **call_of("Power", queue_id="Default Queue"))
    )

    assert put.status_code == 200, put.text
    after = put.json()
    assert (after["id"], after["name"], after["description"], after["filter"]) == (made["id"], "New", "", None)
    assert (after["version"], after["status"]) == (2, "Ready")
    assert fields(other) == ["channel"]


async def test_a_campaign_is_moved_through_its_states(shop):
    await shop.pace(0.01)
    made = await make(shop, *numbers("IN", 5))

    told = [(await do(shop, made, what)).json() for what in ("start", "start", "pause", "resume", "stop", "rerun")]
    refused = [await do(shop, made, "rerun"), await shop.v1("DELETE", f"/campaigns/{made['id']}")]
    emergency = await do(shop, made, "emergency", {"reason": "Fire"})
    await do(shop, made, "stop")
    deleted = await shop.v1("DELETE", f"/campaigns/{made['id']}")

    assert [one["status"] for one in told] == ["Active", "Active", "Paused", "Active", "Stopped", "Active"]
    runs = [one["run"]["id"] for one in told]
    assert len(set(runs[:5])) == 1
    assert runs[5] != runs[0]
    assert [answer.status_code for answer in (*refused, emergency, deleted)] == [409, 409, 409, 204]
    assert (await shop.v1("GET", f"/campaigns/{made['id']}")).status_code == 404


async def test_an_emergency_needs_a_reason_and_says_what_it_is(shop):
    made = await make(shop)

    refused = [await do(shop, made, "emergency", body) for body in (None, {}, {"reason": " "}, {"reason": "x" * 257})]
    told = (await do(shop, made, "emergency", {"reason": "Flood"})).json()

    assert {answer.status_code for answer in refused} == {400}
    assert told["run"]["execution"] == "EMERGENCY"
    (listed,) = (await shop.v1("GET", "/runs")).json()["items"]
    shown = (await shop.v1("GET", f"/runs/{told['run']['id']}")).json()
    assert {(run["execution"], run["reason"]) for run in (listed, shown)} == {("EMERGENCY", "Flood")}


async def test_a_rerun_for_those_who_were_not_reached_leaves_the_others_alone(shop):
    first, second = numbers("IN", 2)
    name = await shop.make_list(first)
    made = (await shop.v1("POST", "/campaigns", body_of(name))).json()
    await do(shop, made, "start")
    await shop.until_status(made["id"], "Completed")
    rows = {"contact_list_name": name, "data": [{"phoneNumber": second}]}
    assert (await shop.compat("POST", "/campaign/contactList/addContacts", rows)).status_code == 200

    again = await do(shop, made, "rerun", {"only_unreached": True})
    await shop.until_status(made["id"], "Completed")

    assert again.status_code == 200, again.text
    assert [message["to"] for message in await shop.outbox()] == [first, second]


async def test_a_copy_has_a_name_of_its_own_and_has_never_run(shop):
    made = await make(shop, name="n" * 48)
    await do(shop, made, "start")
    await shop.until_status(made["id"], "Completed")

    copy = await do(shop, made, "clone")
    taken = await do(shop, made, "clone")
    named = await do(shop, made, "clone", {"name": "Mine"})

    assert [answer.status_code for answer in (copy, taken, named)] == [201, 409, 201]
    assert copy.json()["name"] == "n" * 41 + " (Copy)"
    assert (named.json()["name"], named.json()["run"], named.json()["status"]) == ("Mine", None, "Ready")
    assert named.json()["contact_lists"] == made["contact_lists"]


async def test_a_preview_shows_what_the_first_contacts_would_read(shop):
    pune, delhi, blank = numbers("IN", 3)
    lists = [
        await list_id(shop, pune, city="Pune"),
        await list_id(shop, delhi, city="Delhi"),
        await list_id(shop, blank, city=""),
    ]
    body = body_of(*lists, message={"text": "{{city}}"})
    made = (await shop.v1("POST", "/campaigns", body)).json()
    narrow = (await shop.v1("POST", "/campaigns", {**body, "name": "Narrow", "filter": _only("Delhi")})).json()

    every = (await shop.v1("GET", f"/campaigns/{made['id']}/preview")).json()["items"]
    one = (await shop.v1("GET", f"/campaigns/{made['id']}/preview", params={"limit": 1})).json()["items"]
    meant = (await shop.v1("GET", f"/campaigns/{narrow['id']}/preview")).json()["items"]

    assert [(one["number"], one["text"], one["segments"]) for one in every] == [
        (pune, "Pune", 1),
        (delhi, "Delhi", 1),
        (blank, None, 0),
    ]
    assert every[2]["problem"]
    assert one == every[:1]
    assert [one["number"] for one in meant] == [delhi]
    assert (await shop.v1("GET", f"/campaigns/{made['id']}/preview", params={"limit": 101})).status_code == 400


async def test_a_preview_of_calls_is_refused(shop):
    made = await make(shop, **call_of("Progressive", queue_id="Default Queue"))

    assert (await shop.v1("GET", f"/campaigns/{made['id']}/preview")).status_code == 409


async def test_a_filter_is_tried_before_it_decides(shop):
    lists = [
        await list_id(shop, *numbers("IN", 3), city="Pune", plan="gold"),
        await list_id(shop, *numbers("IN", 2), city="Delhi", plan="iron"),
    ]

    tried = await shop.v1(
        "POST", "/campaigns/test-filter", {"contact_list_ids": lists, "filter": _only("PUNE", "City")}
    )

    assert tried.status_code == 200, tried.text
    assert tried.json() == {
        "contacts": 5,
        "looked_at": 5,
        "accepted": 3,
        "exact": True,
        "columns": {"City": ["Pune", "Delhi"]},
    }


async def test_a_filter_on_a_column_that_a_list_lacks_is_refused_by_name(shop):
    lists = [await list_id(shop, *numbers("IN", 1), city="Pune"), await list_id(shop, *numbers("IN", 1), town="Pune")]

    for path, body in (
        ("/campaigns/test-filter", {"contact_list_ids": lists, "filter": _only("Pune")}),
        ("/campaigns", body_of(*lists, filter=_only("Pune"))),
    ):
        answer = await shop.v1("POST", path, body)
        assert (answer.status_code, fields(answer)) == (400, ["filter.conditions[0].column"])
        assert "has no column city" in answer.json()["errors"][0]["message"]


async def test_nobody_moves_a_campaign_of_another_app(shop, stranger):
    made = await make(stranger, *numbers("IN", 1))

    answers = [await do(shop, made, what) for what in ("start", "rerun", "pause", "resume", "stop", "clone")]
    answers.append(await do(shop, made, "emergency", {"reason": "x"}))
    answers.append(await shop.v1("GET", f"/campaigns/{made['id']}/preview"))
    answers.append(await shop.v1("PUT", f"/campaigns/{made['id']}", body_of(await shop.make_list())))
    answers.append(await shop.v1("DELETE", f"/campaigns/{made['id']}"))
    lists = {"contact_list_ids": [made["contact_lists"][0]["id"]], "filter": _only("x")}

    assert {answer.status_code for answer in answers} == {404}
    assert (await shop.v1("POST", "/campaigns/test-filter", lists)).status_code == 400
