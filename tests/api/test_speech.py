"""Speech: services by template whose secrets nobody sees, the app's choice among them, and a text to listen to."""

import pytest
from aiohttp import web

from callsheet.voice.audio.wave import seconds_of
from engine.receivers import receiver
from voice.audio_files import encode, tone

SECRET = "sk-nobody-may-see-this"
HOUSE = {
    "url": "https://speech.example.com/say",
    "headers": {"Authorization": "Bearer {{secret}}"},
    "body": '{"text": "{{text}}", "voice": "{{voice}}"}',
    "secret": SECRET,
}


async def make(shop, name, **changes):
    return await shop.v1("POST", "/speech-services", {"name": name, "settings": {**HOUSE, **changes}})


async def test_a_service_is_made_shown_listed_changed_and_deleted_and_its_secret_is_in_no_answer(shop):
    made = await make(shop, "Mine")
    assert made.status_code == 201, made.text
    shown = made.json()
    path = f"/speech-services/{shown['id']}"
    assert shown["secrets_set"] == ["secret"]
    assert shown["settings"]["answer_seconds"] == 15
    changed = await shop.v1("PATCH", path, {"name": "Ours", "settings": {"answer_seconds": 5}})
    assert (changed.json()["name"], changed.json()["settings"]["answer_seconds"]) == ("Ours", 5)
    assert changed.json()["secrets_set"] == ["secret"]
    listed, audit = await shop.v1("GET", "/speech-services"), await shop.v1("GET", "/audit")
    assert changed.json() in listed.json()["items"]
    assert (await shop.v1("GET", path)).json() == changed.json()
    assert all(SECRET not in answer.text for answer in (made, changed, listed, audit))
    assert (await shop.v1("DELETE", path)).status_code == 204
    gone = await shop.v1("GET", path)
    assert (gone.status_code, gone.json()["code"]) == (404, "speech_service_not_found")


async def test_a_secret_goes_to_no_other_host_unless_it_is_given_again(shop):
    path = f"/speech-services/{(await make(shop, 'Moving')).json()['id']}"
    away = {"url": "https://elsewhere.example.com/say"}
    refused = await shop.v1("PATCH", path, {"settings": away})
    assert (refused.status_code, [one["field"] for one in refused.json()["errors"]]) == (400, ["settings.secret"])
    moved = await shop.v1("PATCH", path, {"settings": {**away, "secret": "next"}})
    assert moved.json()["settings"]["url"] == away["url"]


@pytest.mark.parametrize(
    ("settings", "fields"),
    [
        ({"url": "ftp://x.example.com"}, ["settings.url"]),
        ({"url": "https://user:word@x.example.com"}, ["settings.url"]),
        ({"body": "{"}, ["settings.body"]),
        ({"headers": {"Authorization": "Bearer abc"}}, ["settings.headers"]),
        ({"colour": "red"}, ["settings.colour"]),
    ],
)
async def test_what_is_wrong_is_named(shop, settings, fields):
    refused = await make(shop, "Wrong", **settings)
    assert refused.status_code == 400
    assert {one["field"].partition("[")[0] for one in refused.json()["errors"]} >= set(fields)
    assert SECRET not in refused.text


async def test_two_services_of_an_app_have_not_one_name(shop):
    await make(shop, "Twin")
    assert (await make(shop, " twin ")).json()["code"] == "name_taken"


async def test_a_text_is_heard_in_the_languages_of_the_built_in_speech(shop):
    english = await shop.v1("POST", "/speech", {"text": "Hello there"})
    hindi = await shop.v1("POST", "/speech", {"text": "नमस्ते, आप कैसे हैं?", "language": "Hindi"})
    for heard in (english, hindi):
        assert (heard.status_code, heard.headers["content-type"]) == (200, "audio/wav")
        assert seconds_of(heard.content) > 0.3


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"text": "Hello", "language": "xx"}, "no voice for the language xx"),
        ({"text": "Hello", "voice": "nobody"}, "no voice nobody"),
        ({"text": "Hello", "service": "Gone"}, "no speech service Gone"),
    ],
)
async def test_what_cannot_be_spoken_is_said(shop, body, words):
    refused = await shop.v1("POST", "/speech", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_spoken")
    assert words in refused.json()["detail"]


async def test_a_text_is_neither_empty_nor_longer_than_anybody_listens(shop):
    for text in ("", "x" * 5001):
        refused = await shop.v1("POST", "/speech", {"text": text})
        assert [one["field"] for one in refused.json()["errors"]] == ["text"]


async def test_the_app_chooses_its_service_and_voices_and_what_it_chose_stays(shop):
    asked = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((request.headers["authorization"], await request.json()))
        return web.Response(body=encode(tone(0.4), 44_100, "WAV"))

    async with receiver(answer) as url:
        service = (await make(shop, "Chosen", url=f"{url}/say")).json()
        chosen = {"speech_service": " chosen", "voices": {"hi-IN": "Asha"}, "speech_language": "hi"}
        settings = await shop.v1("PATCH", "/settings", chosen)
        assert settings.json()["speech_service"] == service["id"]
        heard = await shop.v1("POST", "/speech", {"text": "नमस्ते"})
        assert (heard.status_code, round(seconds_of(heard.content), 1)) == (200, 0.4)
        built_in = await shop.v1("POST", "/speech", {"text": "Hello", "language": "en", "service": "built-in"})
    assert built_in.status_code == 200
    assert asked == [(f"Bearer {SECRET}", {"text": "नमस्ते", "voice": ""})]
    kept = await shop.v1("DELETE", f"/speech-services/{service['id']}")
    assert (kept.status_code, kept.json()["code"]) == (409, "in_use")
    await shop.v1("PATCH", "/settings", {"speech_service": None, "voices": {}, "speech_language": "en"})
    assert (await shop.v1("DELETE", f"/speech-services/{service['id']}")).status_code == 204


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"speech_service": "Nobody"}, "speech_service"),
        ({"speech_language": "1"}, "speech_language"),
        ({"voices": {"hi there": "x"}}, "voices"),
        ({"voices": {"hi": ""}}, "voices"),
    ],
)
async def test_a_choice_that_cannot_be_is_refused(shop, settings, field):
    refused = await shop.v1("PATCH", "/settings", settings)
    assert refused.status_code == 400
    assert {one["field"].partition(".")[0] for one in refused.json()["errors"]} == {field}
