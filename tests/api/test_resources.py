"""Templates, flows, contact lists, senders and settings of our own."""

import asyncio

import pytest

from api.callers import unique


def named(answer) -> list[str]:
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return [error["field"] for error in answer.json()["errors"]]


async def test_the_fixed_shape_of_a_template(shop):
    body = {"name": unique("Reminder"), "body": "Dear {{first_name}}, pay by {{due_date | default: 'Friday'}}."}

    made = await shop.v1("POST", "/templates", body)
    shown = await shop.v1("GET", f"/templates/{made.json()['id']}")

    assert made.status_code == 201
    assert made.json() == {"id": made.json()["id"], **body}
    assert made.json()["id"].startswith("cmt-")
    assert shown.json() == {**shown.json(), **made.json()}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, ["name", "body"]),
        ({"name": "", "body": ""}, ["name", "body"]),
        ({"name": 5, "body": ["x"], "extra": 1}, ["name", "body", "extra"]),
        ({"name": "T", "body": "Hello {{first_name"}, ["body"]),
        ({"name": "T", "body": "<p> </p>"}, ["body"]),
        ({"name": "n" * 129, "body": "x"}, ["name"]),
        ({"name": "two\r\nlines", "body": "x"}, ["name"]),
    ],
)
async def test_a_wrong_template_names_its_fields(shop, body, expected):
    assert named(await shop.v1("POST", "/templates", body)) == expected


async def test_what_is_wrong_is_said_in_plain_sentences(shop):
    settings = {
        "zones": "moon",
        "unique_names": "yes",
        "requests_per_minute": 0,
        "messages_per_minute": 1.5,
        "cap": 5,
        "region": "ZZ",
        "quiet": 1,
    }
    sender = {"number": "n" * 65, "segments_per_second": 1e9}

    answers = [
        await shop.v1("PATCH", "/settings", settings),
        await shop.v1("POST", "/templates", {"name": 5, "body": ""}),
        await shop.v1("POST", "/templates", {}),
        await shop.v1("POST", "/senders", sender),
        await shop.v1("POST", "/templates", content=b"[]"),
        await shop.v1("GET", "/runs", params={"limit": "x"}),
        await shop.v1("GET", "/runs", params={"limit": 0}),
    ]

    assert [[tuple(error.values()) for error in answer.json()["errors"]] for answer in answers] == [
        [
            ("zones", "This must be 'campaign' or 'number'."),
            ("unique_names", "This must be true or false."),
            ("requests_per_minute", "This must be at least 1."),
            ("messages_per_minute", "This must be a whole number."),
            ("region", "This is not a region with phone numbers of its own, such as IN or US."),
            ("cap", "This must be an object."),
            ("quiet", "There is no such field here."),
        ],
        [("name", "This must be a text."), ("body", "This must not be empty.")],
        [("name", "This field is required."), ("body", "This field is required.")],
        [
            ("segments_per_second", "This must be at most 100000."),
            ("number", "This must have at most 64 characters."),
        ],
        [("body", "This must be an object.")],
        [("limit", "This must be a whole number.")],
        [("limit", "This must be at least 1.")],
    ]


async def test_a_template_that_is_not_there_is_not_found(shop):
    answer = await shop.v1("GET", "/templates/cmt-nothing")

    assert (answer.status_code, answer.json()["code"]) == (404, "template_not_found")


async def test_a_flow_may_come_without_its_document(shop):
    made = await shop.v1("POST", "/flows", {"name": "Later"})
    shown = await shop.v1("GET", f"/flows/{made.json()['id']}")

    assert made.status_code == 201
    assert made.json() == {"id": made.json()["id"], "name": "Later"}
    assert made.json()["id"].startswith("cf-")
    assert shown.json() == {**made.json(), "version": 1, "document": None}


async def test_a_document_that_cannot_run_names_what_is_wrong(shop):
    made = await shop.v1("POST", "/flows", {"name": "Wrong", "document": {"flows": []}})
    flow_id = (await shop.v1("POST", "/flows", {"name": "Right"})).json()["id"]
    put = await shop.v1("PUT", f"/flows/{flow_id}", {"document": {}})

    assert named(made) == ["document.flows"]
    assert named(put) == ["document"]


async def test_a_flow_that_is_not_there_gets_no_document(shop):
    flow = {"document": {"blocks": [], "first_block_id": ""}}

    answer = await shop.v1("GET", "/flows/cf-nothing", flow)

    assert (answer.status_code, answer.json()["code"]) == (404, "flow_not_found")


async def test_a_contact_list_of_our_own(shop):
    name = unique("Ours")

    made = await shop.v1("POST", "/contact-lists", {"name": name, "allow_duplicates": True})
    shown = await shop.v1("GET", f"/contact-lists/{made.json()['id']}")
    documented = await shop.compat("GET", f"/campaign/contactList/{made.json()['id']}")

    assert made.status_code == 201
    assert shown.json() == made.json()
    assert documented.json()["data"]["name"] == name
    assert documented.json()["data"]["allowDuplicates"] is True


async def test_a_wrong_contact_list_names_its_fields(shop):
    body = {"name": "n" * 49, "description": "d" * 257, "allow_duplicates": "yes", "source": "x"}

    assert named(await shop.v1("POST", "/contact-lists", body)) == ["name", "description", "allow_duplicates", "source"]


async def test_a_sender_is_made_and_changed(shop):
    made = await shop.v1("POST", "/senders", {"number": "+12125550155", "segments_per_second": 2.5})
    again = await shop.v1("POST", "/senders", {"number": " +12125550155 "})
    changed = await shop.v1("POST", "/senders", {"number": "+12125550155", "segments_per_second": None})
    listed = await shop.v1("GET", "/senders")

    assert (made.status_code, again.status_code, changed.status_code) == (201, 200, 200)
    assert made.json() == {**made.json(), "number": "+12125550155", "segments_per_second": 2.5, "flow_id": None}
    assert again.json() == made.json(), "what a call does not name stays"
    assert changed.json() == {**made.json(), "segments_per_second": None}
    assert listed.json() == {"items": [changed.json()], "next": None}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, "number"),
        ({"number": ""}, "number"),
        ({"number": "a\nb"}, "number"),
        ({"number": "A", "segments_per_second": 0}, "segments_per_second"),
        ({"number": "A", "segments_per_second": "1"}, "segments_per_second"),
        ({"number": "A", "segments_per_second": 1e9}, "segments_per_second"),
        ({"number": "A", "rate": 1}, "rate"),
    ],
)
async def test_a_wrong_sender_names_its_field(shop, body, expected):
    assert named(await shop.v1("POST", "/senders", body)) == [expected]


async def test_the_defaults_of_an_app(shop):
    answer = await shop.v1("GET", "/settings")

    # Everything that is not named here has no limit, or is not said.
    assert {name: value for name, value in answer.json().items() if value is not None} == {
        "start_on_create": False,
        "require_preflight": False,
        "schedule_lateness_minutes": 60,
        "recurrence_precedence": False,
        "zones": "campaign",
        "outside_hours": "defer",
        "dnc_for_sms": True,
        "one_run_per_list": True,
        "unique_names": True,
        "uncertain_policy": "at_most_once",
        "most_voice_campaigns": 50,
        "agentless_concurrent_calls": 10,
        "longest_call_seconds": 3600,
        "recording_days": 30,
        "machine_sample_share": 0.0,
        "speech_language": "en",
        "voices": {},
    }


async def test_a_change_of_settings_leaves_the_others_as_they_are(shop):
    first = {"zones": "number", "region": "us", "cap": {"attempts": 2, "hours": 24}, "messages_per_minute": 600}

    await shop.v1("PATCH", "/settings", first)
    changed = await shop.v1("PATCH", "/settings", {"cap": None, "uncertain_policy": "at_least_once"})
    shown = await shop.v1("GET", "/settings")

    assert changed.json() == shown.json()
    assert {key: shown.json()[key] for key in (*first, "uncertain_policy", "unique_names")} == {
        "zones": "number",
        "region": "US",
        "cap": None,
        "messages_per_minute": 600,
        "uncertain_policy": "at_least_once",
        "unique_names": True,
    }


@pytest.mark.parametrize(
    ("path", "more"),
    [("contact-lists", {}), ("dnc-lists", {}), ("templates", {"body": "x"}), ("flows", {})],
)
async def test_names_that_differ_by_blanks_at_their_ends_are_one(shop, path, more):
    made = await shop.v1("POST", f"/{path}", {"name": "\u00a0Spring ", **more})
    again = await shop.v1("POST", f"/{path}", {"name": "  spring", **more})

    assert (made.status_code, made.json()["name"]) == (201, "Spring")
    assert (again.status_code, again.json()["code"]) == (409, "name_taken")


async def test_changes_of_settings_that_come_at_the_same_moment_are_all_kept(shop):
    changes = [
        *({"start_on_create": True}, {"dnc_for_sms": False}, {"one_run_per_list": False}, {"unique_names": False}),
        *({"zones": "number"}, {"messages_per_minute": 600}, {"region": "US"}, {"cap": {"attempts": 2, "hours": 24}}),
    ]

    answers = await asyncio.gather(*(shop.v1("PATCH", "/settings", change) for change in changes))

    assert [answer.status_code for answer in answers] == [200] * len(changes)
    wanted = {name: value for change in changes for name, value in change.items()}
    assert wanted.items() <= (await shop.v1("GET", "/settings")).json().items()


async def test_every_wrong_setting_is_named_and_none_is_changed(shop):
    before = (await shop.v1("GET", "/settings")).json()

    answer = await shop.v1(
        "PATCH",
        "/settings",
        {
            "start_on_create": "yes",
            "zones": "moon",
            "outside_hours": None,
            "requests_per_minute": 0,
            "region": "ZZ",
            "cap": {"attempts": 0, "days": 1},
            "quiet": True,
            "dnc_for_sms": False,
        },
    )

    assert named(answer) == [
        "start_on_create",
        "zones",
        "outside_hours",
        "requests_per_minute",
        "region",
        "cap.attempts",
        "cap.hours",
        "cap.days",
        "quiet",
    ]
    assert (await shop.v1("GET", "/settings")).json() == before
