"""Sounds: uploaded in any kind, converted once, renamed, replaced, and kept while a flow of a campaign plays them."""

import hashlib

import pytest

from api.callers import campaign_body, unique
from callsheet.voice.audio.wave import seconds_of
from flow_documents import document, say
from voice.audio_files import encode, tone

CODES = {404: "sound_not_found", 409: "name_taken"}


def file(kind: str = "MP3", seconds: float = 0.5) -> bytes:
    return encode(tone(seconds), 44_100, kind)


async def upload(shop, name, content=None, **more):
    return await shop.v1("POST", "/sounds", params={"name": name}, content=content or file(), **more)


def playing(name: str) -> dict:
    whole = document(say("a", "r"))
    whole["flows"][0]["supported_modes"] = ["IVR", "SMS"]
    values = [
        {"language_id": "eng", "modes": ["IVR"], "content_type": "AUDIO", "value": name},
        {"language_id": "eng", "modes": ["SMS"], "content_type": "TEXT", "value": "Hello"},
    ]
    return {**whole, "resources": [{"uuid": "r", "values": values}]}


async def test_one_is_uploaded_shown_listed_heard_changed_and_deleted(shop):
    made = await upload(shop, "  Welcome ")
    assert made.status_code == 201, made.text
    shown = made.json()
    path = f"/sounds/{shown['id']}"
    assert (shown["name"], shown["source"]) == ("Welcome", "mp3")
    assert abs(shown["seconds"] - 0.5) < 0.1
    assert (await shop.v1("GET", path)).json() == shown
    assert shown in (await shop.v1("GET", "/sounds")).json()["items"]
    heard = await shop.v1("GET", f"{path}/audio")
    assert heard.headers["content-type"] == "audio/wav"
    assert abs(seconds_of(heard.content) - shown["seconds"]) < 0.001
    assert hashlib.sha256(heard.content).hexdigest() == shown["digest"]
    assert (await shop.v1("PATCH", path, {"name": "Hello"})).json()["name"] == "Hello"
    replaced = (await shop.v1("PUT", f"{path}/audio", content=file("OGG", 1.0))).json()
    assert (replaced["name"], replaced["source"], round(replaced["seconds"])) == ("Hello", "ogg", 1)
    assert replaced["digest"] != shown["digest"]
    assert (await shop.v1("DELETE", path)).status_code == 204
    for method, at in (("GET", path), ("GET", f"{path}/audio"), ("PUT", f"{path}/audio"), ("DELETE", path)):
        gone = await shop.v1(method, at, **({"content": file()} if method == "PUT" else {}))
        assert (gone.status_code, gone.json()["code"]) == (404, "sound_not_found")
    assert (await shop.v1("PATCH", path, {})).status_code == 404


async def test_two_of_an_app_have_not_one_name_and_two_apps_may(shop, stranger):
    first = (await upload(shop, "Twin")).json()
    again = await upload(shop, " tWIN ")
    other = (await upload(shop, "Other")).json()
    renamed = await shop.v1("PATCH", f"/sounds/{other['id']}", {"name": "TWIN"})
    assert {(one.status_code, one.json()["code"]) for one in (again, renamed)} == {(409, "name_taken")}
    assert (await upload(stranger, "Twin")).status_code == 201
    for method, at in (("GET", ""), ("GET", "/audio"), ("DELETE", "")):
        assert (await stranger.v1(method, f"/sounds/{first['id']}{at}")).status_code == 404


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html>", "give a WAV, MP3 or OGG file"),
        (encode(tone(0.1), 44_100, "FLAC"), "of the kind FLAC"),
    ],
)
async def test_what_is_no_audio_is_refused_with_the_reason(shop, content, words):
    refused = await upload(shop, unique("Bad"), content)
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_audio")
    assert words in refused.json()["detail"]


async def test_what_is_too_large_empty_or_a_form_is_refused(shop):
    large = await upload(shop, "Large", bytes(26 * 1024 * 1024))
    assert (large.status_code, large.json()["code"]) == (413, "body_too_large")
    empty = await shop.v1("POST", "/sounds", params={"name": "Empty"})
    assert (empty.status_code, empty.json()["detail"]) == (400, "The file is empty.")
    form = await upload(shop, "Form", headers={"content-type": "multipart/form-data; boundary=x"})
    assert (form.status_code, form.json()["code"]) == (400, "malformed_body")


@pytest.mark.parametrize("name", [None, "", " ", "a\nb", "x" * 129])
async def test_a_name_is_one_line(shop, name):
    refused = await shop.v1("POST", "/sounds", params={} if name is None else {"name": name}, content=file())
    assert refused.status_code == 400
    assert [error["field"] for error in refused.json()["errors"]] == ["name"]


async def test_a_flow_is_warned_of_a_sound_that_is_not_there_and_of_a_url(shop):
    await upload(shop, "There")

    async def warnings(name: str) -> list[str]:
        found = (await shop.v1("POST", "/flows/validate", {"document": playing(name)})).json()
        return [one["message"] for one in found["findings"] if one["path"].startswith("document.resources")]

    assert await warnings(" THERE ") == []
    assert await warnings("Nowhere") == ["The app has no sound Nowhere: upload it before a call plays it."]
    (about_url,) = await warnings("https://example.com/a.mp3")
    assert "at a URL is not played" in about_url


async def test_a_sound_stays_while_a_flow_that_a_campaign_uses_plays_it(shop):
    sound = (await upload(shop, "Jingle Ünï")).json()
    flow = (await shop.v1("POST", "/flows", {"name": unique("Playing"), "document": playing("JINGLE ünï ")})).json()
    body = campaign_body(
        await shop.make_list(), name=unique("x"), format="advanced", message=None, experienceFlowName=flow["name"]
    )
    made = await shop.compat("POST", "/campaign", body)
    assert made.status_code == 200, made.text

    kept = await shop.v1("DELETE", f"/sounds/{sound['id']}")
    assert (kept.status_code, kept.json()["code"]) == (409, "in_use")
    assert flow["name"] in kept.json()["detail"]
    campaign_id = made.json()["data"]["_id"]
    assert (await shop.compat("DELETE", f"/campaign/{campaign_id}")).status_code == 200
    assert (await shop.v1("DELETE", f"/sounds/{sound['id']}")).status_code == 204
