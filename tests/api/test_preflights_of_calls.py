"""A preflight of a voice campaign says whom it would call, and what nobody could hear; a preview what they hear."""

from typing import Any

from api.callers import SENDER, Caller, unique, voice_body
from api.test_preflights import codes, look, piles, report, require
from flow_documents import block, document, say, way
from phone_numbers import numbers
from voice.audio_files import encode, tone


def for_calls(*blocks: dict[str, Any], languages: tuple[str, ...] = ("eng",), **more: Any) -> dict[str, Any]:
    """Write a flow that leads calls."""
    made = document(*blocks)
    flow = made["flows"][0]
    flow["supported_modes"] = ["IVR"]
    flow["languages"] = [{"id": one, "iso_639_3": one} for one in languages]
    return {**made, **more}


HELLO = for_calls(
    block("hello", "MobilePrimitives.Message", way("ask", default=True), prompt="Hello @contact.first_name."),
    block("ask", "MobilePrimitives.NumericResponse", way(None, default=True), prompt="How many?"),
)


async def make(shop: Caller, people: str, flow: dict[str, Any] | None = HELLO, **changes: Any) -> str:
    """Make a voice campaign, and return its id when it is Ready."""
    name, dnc = unique("Survey"), unique("Never")
    made = await shop.v1("POST", "/flows", {"name": name} | ({"document": flow} if flow else {}))
    assert made.status_code == 201, made.text
    assert (await shop.v1("POST", "/dnc-lists", {"name": dnc})).status_code == 201
    body = voice_body(people, **{"dncLists": {"name": dnc}, "experienceFlowName": name, **changes})
    answer = await shop.compat("POST", "/campaign", body, params={"campaignType": "voice"})
    assert answer.status_code == 200, answer.text
    campaign_id = str(answer.json()["id"])
    await shop.until_status(campaign_id, "Ready")
    return campaign_id


async def test_everybody_who_would_be_called_is_counted_and_the_time_is_estimated(shop):
    people = numbers("IN", 60, seed=91)
    await shop.v1("PATCH", "/settings", {"agentless_concurrent_calls": 5, "segment_cost": "0.01", "currency": "EUR"})
    never = (await shop.v1("POST", "/dnc-lists", {"name": unique("Never")})).json()
    await shop.v1("POST", f"/dnc-lists/{never['id']}/numbers", {"numbers": people[:7]})
    await shop.v1("POST", "/opt-outs", {"channel": "voice", "numbers": [people[7]]})
    listed = await shop.make_list(*people, firstName="Asha")
    campaign_id = await make(shop, listed, dncLists={"name": never["name"]})

    found = await look(shop, campaign_id)

    assert (found["looked_at"], found["calls"], found["messages"], found["segments"]) == (60, 52, 0, 52)
    assert piles(found["spared"]) == {"dnc": 7, "opted_out": 1}
    assert (found["calls_at_once"], found["seconds"], found["cost"]) == (5, 11 * 40, None)
    assert piles(found["countries"]) == {"IN": 52}
    assert [(zone["contacts"], zone["is_open"]) for zone in found["zones"]] == [(60, True)]
    assert codes(found) == [("spared_dnc", "info", 7), ("spared_opted_out", "info", 1)]
    assert not found["blocks"]
    assert not any(number in str(found) for number in people)


async def test_calls_a_second_of_the_sender_decide_where_they_are_slower(shop):
    await shop.pace(0.1)
    campaign_id = await make(shop, await shop.make_list(*numbers("IN", 30, seed=92), firstName="Asha"))

    assert (await look(shop, campaign_id))["seconds"] == 300


async def test_what_cannot_be_said_in_a_call_is_an_error_with_its_reason(shop):
    listed = await shop.make_list(*numbers("IN", 2, seed=93), city="Pune")
    quiet = for_calls(block("log", "Core.Log", way(None, default=True), message="x"))
    strange = for_calls(say("hello", "Hello."), languages=("tlh",))
    recorded = {
        "uuid": "r",
        "values": [{"language_id": "eng", "content_type": "AUDIO", "value": "jingle", "modes": ["IVR"]}],
    }
    missing = for_calls(say("hello", "r"), resources=[recorded])

    blank = await look(shop, await make(shop, listed))
    silent = await look(shop, await make(shop, listed, quiet))
    unknown = await look(shop, await make(shop, listed, strange))
    lost = await look(shop, await make(shop, listed, missing))

    assert codes(blank) == [("blank", "error", 2)]
    assert codes(silent) == [("nobody", "error", 0), ("says_nothing", "error", 2)]
    assert ("unspoken", "error", 0) in codes(unknown)
    assert [one["code"] for one in lost["findings"]] == ["unspoken", "no_sound"]
    assert "no sound jingle" in lost["findings"][0]["message"]
    assert all(found["blocks"] for found in (blank, silent, unknown, lost))


async def test_a_campaign_whose_flow_or_trunk_cannot_call_says_so(shop):
    listed = await shop.make_list(*numbers("IN", 2, seed=94), firstName="Asha")
    texts = document(say("hello", "Hello."))
    empty = await look(shop, await make(shop, listed, None))
    for_texts = await look(shop, await make(shop, listed, texts))
    only_texts = await shop.v1("POST", "/trunks", {"name": unique("Texts"), "carrier": "smpp", "settings": SMPP})
    assert only_texts.status_code == 201, only_texts.text
    bound = {"number": "+12125550177", "trunk_id": only_texts.json()["id"]}
    assert (await shop.v1("POST", "/senders", bound)).status_code == 201
    untrunked = await make(shop, listed, dialingStrategy=by("+12125550177"))

    assert codes(empty) == codes(for_texts) == [("no_flow", "error", 0)]
    assert "made for texts only" in for_texts["findings"][0]["message"]
    assert [one["code"] for one in (await look(shop, untrunked))["findings"]] == ["no_trunk"]


async def test_a_start_of_a_voice_campaign_that_requires_a_preflight_is_refused_until_one_holds(shop):
    await shop.v1("PATCH", "/settings", {"require_preflight": True})
    campaign_id = await make(shop, await shop.make_list(*numbers("IN", 1, seed=95), firstName="Asha"))

    documented = await shop.trigger(campaign_id, "play")
    ours = await require(shop, campaign_id)
    await look(shop, campaign_id)
    started = await shop.trigger(campaign_id, "play")

    assert (documented.status_code, ours.status_code) == (409, 409)
    assert (documented.json()["errors"][0]["code"], ours.json()["code"]) == ("preflight_required",) * 2
    assert started.status_code == 200, started.text
    assert (await report(shop, campaign_id))["stale"] == []


async def test_a_preview_says_what_each_contact_hears_and_what_speaks_it(shop):
    await shop.v1("PATCH", "/settings", {"voices": {"hin": "hi"}})
    sound = await shop.v1("POST", "/sounds", params={"name": "Jingle"}, content=encode(tone(0.5), 44_100, "WAV"))
    assert sound.status_code == 201, sound.text
    recorded = {
        "uuid": "r",
        "values": [
            {"language_id": one, "content_type": "AUDIO", "value": "jingle", "modes": ["IVR"]} for one in ("eng", "hin")
        ],
    }
    flow = for_calls(
        block("jingle", "MobilePrimitives.Message", way("hello", default=True), prompt="r"),
        *HELLO["flows"][0]["blocks"],
        languages=("eng", "hin"), resources=[recorded],
    )  # fmt: skip
    asha, ravi = numbers("IN", 2, seed=96)
    english = await shop.make_list(asha, firstName="Asha")
    hindi = await shop.make_list(ravi, firstName="Ravi", language="hin")
    campaign_id = await make(shop, english, flow, contactLists=[english, hindi])

    answer = await shop.v1("GET", f"/campaigns/{campaign_id}/preview")
    assert answer.status_code == 200, answer.text
    first, second = answer.json()["items"]

    jingle, hello, ask = first["prompts"]
    assert (first["number"], first["text"], first["problem"]) == (asha, "Hello Asha.\nHow many?", None)
    assert (jingle["block"], jingle["sound"], jingle["service"], jingle["seconds"]) == ("jingle", "Jingle", None, 0.5)
    assert (hello["block"], hello["text"], hello["sound"]) == ("hello", "Hello Asha.", None)
    assert (hello["service"], hello["language"], hello["voice"]) == ("built-in", "eng", None)
    assert hello["seconds"] > 0
    assert (ask["text"], ask["problem"]) == ("How many?", None)
    assert [(one["language"], one["voice"]) for one in second["prompts"][1:]] == [("hin", "hi")] * 2
    assert (await shop.v1("GET", "/calls")).json()["items"] == []


SMPP = {"host": "127.0.0.1", "port": 1, "system_id": "shop"}


def by(label: str) -> dict[str, Any]:
    """Return a strategy that calls with this caller ID."""
    strategy = voice_body()["dialingStrategy"]
    assert strategy["callerId"] == {"phoneNumber": SENDER}
    return {**strategy, "callerId": {"phoneNumber": label}}


async def test_a_caller_id_that_calls_simulated_people_is_found_once_there_is_a_real_trunk(shop):
    listed = await shop.make_list(*numbers("IN", 2, seed=97), firstName="Asha")
    campaign_id = await make(shop, listed, dialingStrategy=by("+12125550178"))
    rehearsed = await look(shop, campaign_id)
    wanted = {"name": unique("PBX"), "carrier": "sip", "settings": {"host": "127.0.0.1", "port": 1}}
    trunk = await shop.v1("POST", "/trunks", wanted)
    assert trunk.status_code == 201, trunk.text

    found = await look(shop, campaign_id)
    shown = (await shop.v1("GET", f"/campaigns/{campaign_id}")).json()["findings"]
    started = await shop.v1("POST", f"/campaigns/{campaign_id}/start", {})
    assert started.status_code == 200, started.text

    said = (
        "Calls from +12125550178 go to simulated people (the sandbox), and reach nobody."
        f" Trunks to real ones: {wanted['name']}."
    )
    assert codes(rehearsed) == []
    assert [(one["code"], one["severity"], one["message"]) for one in found["findings"]] == [
        ("simulated", "warning", said)
    ]
    assert not found["blocks"]
    assert shown == started.json()["findings"] == [{"field": "sender", "message": said}]
