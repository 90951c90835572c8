"""Rehearsals of flows: what would be said, done and collected, and why; nothing is sent."""

from typing import Any

import pytest

from api.callers import unique
from client.flow import asked, said

AT = "2026-03-02T10:00:00.000Z"


async def rehearse(shop: Any, document: dict[str, Any], *replies: Any, **more: Any) -> dict[str, Any]:
    body = {"document": document, "replies": list(replies), "at": AT, **more}
    answer = await shop.v1("POST", "/flows/dry-run", body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_rehearsal_tells_what_is_said_turn_by_turn(shop):
    told = await rehearse(shop, asked("Hello @contact.first_name?"), "2", contact={"First Name": "Asha"})

    assert [turn["says"] for turn in told["turns"]] == ["Hello Asha?", "Thanks"]
    assert [turn["given"] and turn["given"]["details"]["text"] for turn in told["turns"]] == [None, "2"]
    assert (told["stands"]["awaits"], told["stands"]["ending"], told["stands"]["replies"]) == ("nothing", "done", 1)
    assert [(one["name"], one["value"], one["response"], one["exit"]) for one in told["results"]] == [
        ("ask", "no", "2", "on")
    ]
    (waits,) = told["turns"][0]["visits"]
    assert (waits["name"], waits["has_left"], waits["kind"]) == ("ask", False, "MobilePrimitives.SelectOneResponse")
    assert not await shop.outbox()


async def test_silence_ends_what_waits(shop):
    told = await rehearse(shop, asked("Sure?", interaction_timeout=600), {"silence": True})

    silence = told["turns"][1]
    assert (silence["given"]["kind"], silence["at"]) == ("timed_out", "2026-03-02T10:10:00.000Z")
    assert told["turns"][0]["visits"][0]["at"] == AT


async def test_a_reply_that_comes_late_comes_after_the_silence(shop):
    late = {"text": "1", "after_seconds": 601}
    told = await rehearse(shop, asked("Sure?", interaction_timeout=600), late)

    assert [turn["given"] and turn["given"]["kind"] for turn in told["turns"]] == [None, "timed_out", "reply"]


async def test_what_comes_after_the_end_is_not_taken_and_says_so(shop):
    told = await rehearse(shop, said("Bye"), "hello?")

    assert [(turn["was_taken"], turn["why"]) for turn in told["turns"]] == [
        (True, ""),
        (False, "The conversation has ended."),
    ]


async def test_what_is_not_waited_for_is_not_taken_and_says_so(shop):
    told = await rehearse(shop, asked("Sure?"), {"webhook": {"status": 200, "body": {"a": 1}}}, "1")

    assert [turn["was_taken"] for turn in told["turns"]] == [True, False, True]
    assert told["turns"][1]["why"] == "It is not what the conversation waits for: reply."
    assert told["turns"][1]["given"] == {"kind": "webhook_answered", "details": {"status": 200, "body": {"a": 1}}}


async def test_a_stop_ends_a_rehearsal_and_help_is_not_given_to_the_flow(shop):
    told = await rehearse(shop, asked("Sure?"), "HELP", "STOP")

    assert [turn["was_taken"] for turn in told["turns"]] == [True, False, True]
    assert (told["stands"]["ending"], told["results"]) == ("opted_out", [])


async def test_a_stored_flow_is_rehearsed_at_any_version(shop):
    flow_id = (await shop.v1("POST", "/flows", {"name": unique("F"), "document": said("One")})).json()["id"]
    await shop.v1("POST", f"/flows/{flow_id}/versions", {"document": said("Two")})

    present = (await shop.v1("POST", f"/flows/{flow_id}/dry-run")).json()
    other = (await shop.v1("POST", f"/flows/{flow_id}/dry-run", {"version": 2})).json()
    none = await shop.v1("POST", f"/flows/{flow_id}/dry-run", {"version": 3})

    assert [(one["version"], one["turns"][0]["says"]) for one in (present, other)] == [(1, "One"), (2, "Two")]
    assert (none.status_code, none.json()["code"]) == (404, "flow_version_not_found")


@pytest.mark.parametrize(
    "reply", ["🙂👍🏽", "x" * 10_000, "", "   ", "एक", "@(1/0) {{ contact.phone }} {% raw %}", "1; drop table flow"]
)
async def test_whatever_is_replied_is_data(shop, reply):
    told = await rehearse(shop, asked("Sure?"), reply, "1")

    assert told["turns"][1]["given"]["details"]["text"] == reply
    assert told["turns"][1]["was_taken"]
    assert all("{" not in turn["says"] and "@" not in turn["says"] for turn in told["turns"])


@pytest.mark.parametrize(
    ("replies", "field"),
    [
        ([{}], "replies[0]"),
        ([{"text": "a", "closed": "b"}], "replies[0]"),
        ([{"silence": False}], "replies[0]"),
        ([5], "replies[0]"),
        ([{"webhook": {"status": 42}}], "replies[0].webhook.status"),
        ([{"tekst": "a"}], "replies[0].tekst"),
    ],
)
async def test_a_reply_that_means_nothing_is_named(shop, replies, field):
    answer = await shop.v1("POST", "/flows/dry-run", {"document": asked("Sure?"), "replies": replies})

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field], answer.text


@pytest.mark.parametrize("at", ["yesterday", "2026-03-02", "2026-13-02T10:00:00Z", "", [], True])
async def test_what_is_no_instant_is_told_how_one_is_written(shop, at):
    answer = await shop.v1("POST", "/flows/dry-run", {"document": asked("Sure?"), "at": at})

    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["field"]) == (400, "at")
    assert "2026-01-31T09:30:00Z" in error["message"]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({}, ""),
        ({"language": "en-IN"}, ""),
        ({"language": "fr"}, "The flow does not speak fr: it speaks eng instead."),
        ({"contact": {"Language": "Klingon"}}, "The flow does not speak Klingon: it speaks eng instead."),
    ],
)
async def test_a_language_that_the_flow_does_not_speak_is_said(shop, more, why):
    languages = [{"id": "eng", "iso_639_3": "eng"}, {"id": "hin", "iso_639_3": "hin"}]
    told = await rehearse(shop, asked("Sure?", languages=languages), "1", **more)

    assert [turn["why"] for turn in told["turns"]] == [why, ""]
    assert told["stands"]["language"] == "eng"


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "2026-03-02T10:00:00"])
async def test_an_instant_for_which_there_is_no_calendar_is_named(shop, at):
    answer = await shop.v1("POST", "/flows/dry-run", {"document": asked("Sure?"), "at": at})

    assert [error["field"] for error in answer.json()["errors"]] == ["at"], answer.text


async def test_a_rehearsal_of_many_years_comes_to_its_end(shop):
    never = {"silence": True}
    late = {"text": "1", "after_seconds": 366 * 86_400}
    told = await rehearse(shop, asked("Sure?", interaction_timeout=31_536_000), *[late, never] * 100)

    assert told["stands"]["awaits"] == "nothing"
