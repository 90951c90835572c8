"""Rehearsals of calls: who answered, what is pressed, silences, and a hang-up; nobody is called."""

from typing import Any

from callsheet.engine.starters import find_starter

AT = "2026-03-02T10:00:00.000Z"
APPOINTMENT = dict(find_starter("appointment-call").document)


async def rehearse(shop: Any, *replies: Any, **more: Any) -> dict[str, Any]:
    body = {"document": APPOINTMENT, "replies": list(replies), "at": AT, "mode": "IVR", **more}
    answer = await shop.v1("POST", "/flows/dry-run", body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_call_is_rehearsed_with_what_is_listened_to(shop):
    told = await rehearse(shop, "2", "rec-1", contact={"first_name": "Asha"})
    first, asked, bye = told["turns"]

    assert first["says"].startswith("Hello Asha. This is")
    assert first["says"].endswith("For Hindi,\npress 9.")
    assert (first["effects"][-1]["details"]["most_digits"], first["effects"][-1]["details"]["ends_with"]) == (1, "#")
    assert asked["effects"][-1]["details"]["listens_seconds"] == 30
    assert asked["at"] == "2026-03-02T10:00:05.000Z"
    assert "Goodbye" in bye["says"]
    assert told["stands"]["changed"] == {"appointment_status": "to_move", "appointment_wish": "rec-1"}
    assert (told["stands"]["disposition"], told["stands"]["ending"]) == ("to_move", "done")


async def test_a_machine_gets_a_voicemail_after_its_beep(shop):
    told = await rehearse(shop, answered_by="machine")

    assert [effect["kind"] for effect in told["turns"][0]["effects"]] == ["dispose", "await_beep", "say", "end_call"]
    assert told["stands"]["disposition"] == "voicemail"


async def test_a_silence_in_a_call_comes_after_ten_seconds(shop):
    told = await rehearse(shop, {"silence": True}, {"silence": True})

    assert [turn["at"][17:19] for turn in told["turns"]] == ["00", "10", "20"]
    assert (told["stands"]["ending"], told["stands"]["why"]) == ("silent", "There was no reply in time.")


async def test_whoever_hangs_up_ends_it(shop):
    told = await rehearse(shop, "9", {"hang_up": True}, "1")

    assert told["stands"]["language"] == "hin" or told["stands"]["changed"] == {"language": "hin"}
    assert (told["stands"]["ending"], told["stands"]["why"]) == ("hung_up", "The contact hung up.")
    assert [turn["was_taken"] for turn in told["turns"]] == [True, True, True, False]


async def test_one_answer_is_one_thing(shop):
    body = {"document": APPOINTMENT, "mode": "IVR", "replies": [{"hang_up": False}]}
    answer = await shop.v1("POST", "/flows/dry-run", body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"].startswith("replies")


async def test_who_answers_is_one_of_three(shop):
    body = {"document": APPOINTMENT, "mode": "IVR", "answered_by": "nobody"}
    answer = await shop.v1("POST", "/flows/dry-run", body)
    assert [error["field"] for error in answer.json()["errors"]] == ["answered_by"]
