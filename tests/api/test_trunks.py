"""Trunks: what their carriers want to know, secrets that nobody sees again, test calls, and how they stand."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle
from pathlib import Path

import structlog

from api.callers import ALWAYS, campaign_body, unique, until
from callsheet.engine.trunks import TESTS_A_MINUTE
from carriers.sip.registrar import PASSWORD, USER, Registrar, by_udp
from databases import change, rows
from phone_numbers import numbers

CANARY = "kanarien9"


# Below those that a system hands out: at none of them somebody listens sooner or later.
_silent_ports = cycle((1, 2, 3, 4, 5, 6))


def nobody_listens() -> int:
    """Return a port at which nobody answers, another one each time."""
    return next(_silent_ports)


def smpp(**changes):
    settings = {"host": "127.0.0.1", "port": nobody_listens(), "system_id": "us", "password": CANARY, **changes}
    return {"name": unique("Trunk"), "carrier": "smpp", "settings": settings}


async def make_trunk(shop, body):
    made = await shop.v1("POST", "/trunks", body)
    assert made.status_code == 201, made.text
    return made.json()


def faults(answer) -> set[str]:
    assert answer.status_code == 400, answer.text
    return {error["field"] for error in answer.json()["errors"]}


async def test_settings_come_back_without_the_secrets_and_say_which_are_set(shop):
    made = await make_trunk(shop, smpp())
    assert (made["settings"]["system_id"], made["settings"]["window"]) == ("us", 100)
    assert "password" not in made["settings"]
    assert made["secrets_set"] == ["password"]


async def written(shop):
    """Return the trunks as they are kept: how they stand changes by itself."""
    return [one | {"condition": None} for one in (await shop.v1("GET", "/trunks")).json()["items"]]


async def test_every_wrong_setting_is_named_by_its_path_and_nothing_is_stored(shop):
    before = await written(shop)
    answer = await shop.v1("POST", "/trunks", smpp(port="no", window=0, colour="red", password=[CANARY]))
    assert faults(answer) == {"settings.port", "settings.window", "settings.colour", "settings.password"}
    assert CANARY not in answer.text
    assert await written(shop) == before


async def test_what_is_written_wrongly_is_answered_with_how_it_is_written(shop):
    body = {"name": "T", "carrier": "twilio", "settings": {"account_sid": "AC12", "auth_token": "x"}}
    limits = {"classes": [{"name": "a b", "prefixes": ["1415"]}]}
    answer = await shop.v1("POST", "/trunks", body | limits)
    said = {error["field"]: error["message"] for error in answer.json()["errors"]}
    assert said == {
        "settings.account_sid": "Give AC and 32 hexadecimal digits.",
        "classes[0].name": "Give a name of 1 to 48 letters, digits, _, . or -.",
        "classes[0].prefixes[0]": "Give + and the first digits of numbers, such as +1415.",
    }


async def test_a_change_keeps_secrets_that_it_does_not_name_and_null_takes_a_field_back(shop):
    made = await make_trunk(shop, smpp(window=7))
    path = f"/trunks/{made['id']}"
    changed = (await shop.v1("PATCH", path, {"settings": {"system_type": "VMA", "window": None}})).json()
    assert (changed["settings"]["system_type"], changed["settings"]["window"]) == ("VMA", 100)
    assert changed["secrets_set"] == ["password"]
    assert changed["settings"]["system_id"] == "us"
    wrong = await shop.v1("PATCH", path, {"settings": {"port": 0, "system_id": "them"}})
    assert faults(wrong) == {"settings.port"}
    assert (await shop.v1("GET", path)).json()["settings"] == changed["settings"]
    emptied = (await shop.v1("PATCH", path, {"settings": {"password": None}})).json()
    assert emptied["secrets_set"] == []


async def test_one_answer_names_what_is_wrong_with_a_trunk_its_settings_and_its_limits(shop):
    classes = [{"name": "a"}, {"name": "a"}]
    body = smpp(port=0, tls_ca="x", tls=False) | {"name": " ", "segments_per_second": -1, "classes": classes}
    named = {"name", "segments_per_second", "classes[1].name", "settings.port"}
    assert faults(await shop.v1("POST", "/trunks", body)) == named
    halves = smpp(tls_ca="x", tls_key="y") | {"reset_zone": "Nowhere"}
    named = {"reset_zone", "settings.tls", "settings.tls_ca", "settings.tls_certificate"}
    assert faults(await shop.v1("POST", "/trunks", halves)) == named
    assert faults(await shop.v1("POST", "/trunks", {"name": "Bare", "carrier": "twilio"})) == {
        "settings.account_sid",
        "settings.auth_token",
    }


async def test_secrets_do_not_follow_a_trunk_to_another_place(shop):
    path = f"/trunks/{(await make_trunk(shop, smpp()))['id']}"
    for place in ({"host": "localhost"}, {"port": nobody_listens()}):
        refused = await shop.v1("PATCH", path, {"settings": place})
        assert faults(refused) == {"settings.password"}
        given = await shop.v1("PATCH", path, {"settings": {**place, "password": CANARY}})
        assert given.status_code == 200, given.text
    settings = {"url": "https://a.example/send", "secret": "s", "secrets": {"token": "t"}}
    path = f"/trunks/{(await make_trunk(shop, {'name': 'Web', 'carrier': 'http', 'settings': settings}))['id']}"
    for elsewhere in ({"url": "https://b.example/send"}, {"probe_url": "https://b.example/me"}):
        refused = await shop.v1("PATCH", path, {"settings": elsewhere})
        assert faults(refused) == {"settings.secret", "settings.secrets.token"}
    for same in ({"url": "https://a.example/v2"}, {"url": "https://b.example", "secret": "n", "secrets": None}):
        changed = await shop.v1("PATCH", path, {"settings": same})
        assert changed.status_code == 200, changed.text


async def test_a_change_names_what_is_wrong_with_the_trunk_beside_its_settings_and_changes_nothing(shop):
    path = f"/trunks/{(await make_trunk(shop, smpp()))['id']}"
    before = (await shop.v1("GET", path)).json()
    form = {"name": " ", "segments_per_day": 0, "classes": [{"name": "a"}, {"name": "a"}], "takes_any_sender": 1}
    named = {"name", "segments_per_day", "classes[1].name", "takes_any_sender"}

    both = await shop.v1("PATCH", path, {**form, "settings": {"port": 0, "window": 0, "system_type": "VMA"}})
    form_alone = await shop.v1("PATCH", path, {**form, "settings": {"system_type": "VMA"}, "reset_zone": "UTC"})
    without = await shop.v1("PATCH", path, form)
    elsewhere = await shop.v1("PATCH", path, {"name": "", "settings": {"host": "localhost"}})

    assert faults(both) == {*named, "settings.port", "settings.window"}
    assert faults(form_alone) == faults(without) == named
    assert faults(elsewhere) == {"name", "settings.password"}
    assert (await shop.v1("GET", path)).json() | {"condition": None} == before | {"condition": None}


async def test_a_trunk_whose_carrier_cannot_call_us_says_so_wherever_somebody_looks(shop, monkeypatch):
    ingest = shop.server.runtime.ingest
    assert ingest.public_url == ""
    plain = {"url": "https://a.example/send"}
    states = {"state_path": "s", "states": {"sent": "accepted"}}
    deaf = await make_trunk(shop, {"name": "Deaf", "carrier": "http", "settings": {**plain, "status": states}})
    fine = await make_trunk(shop, {"name": "Fine", "carrier": "http", "settings": plain})
    members = [
        (await shop.v1("POST", "/senders", {"number": f"+1212555018{i}", "trunk_id": trunk["id"]})).json()["id"]
        for i, trunk in enumerate((deaf, fine))
    ]
    await shop.v1("POST", "/senders", {"number": "Pool", "pool": members})
    people = numbers("IN", 1)
    strategy = {"callerId": {"phoneNumber": "Pool"}, "callingHours": ALWAYS}
    campaign_id = await shop.make_campaign(*people, dialingStrategy=strategy, message={"message": "Hello"})

    with structlog.testing.capture_logs() as logged:
        started = (await shop.v1("POST", f"/campaigns/{campaign_id}/start")).json()
    why = (await shop.v1("POST", f"/campaigns/{campaign_id}/why", {"number": people[0]})).json()
    await shop.trigger(campaign_id, "stop")
    gate = next(gate for gate in why["gates"] if gate["gate"] == "trunk")
    monkeypatch.setattr(ingest, "public_url", "https://callsheet.example.com")
    mended = (await shop.v1("GET", f"/trunks/{deaf['id']}")).json()
    campaign = (await shop.v1("GET", f"/campaigns/{campaign_id}")).json()

    (finding,) = deaf["findings"]
    assert finding["field"] == "callbacks"
    assert "CALLSHEET_PUBLIC_URL" in finding["message"]
    assert (fine["findings"], mended["findings"], campaign["findings"]) == ([], [], [])
    said = f"Deaf: {finding['message']}"
    assert started["findings"] == [{"field": "sender", "message": said}]
    assert [(one["run"], one["why"]) for one in logged if one["event"] == "run.unheard"] == [
        (started["run"]["id"], said)
    ]
    assert (gate["ruling"], gate["reason"]) == ("passes", "unheard")
    assert gate["sentence"].endswith(said)


async def test_a_carrier_cannot_change(shop):
    made = await make_trunk(shop, smpp())
    assert faults(await shop.v1("PATCH", f"/trunks/{made['id']}", {"carrier": "sandbox"})) == {"carrier"}


async def test_nonsense_in_settings_is_refused_by_name(shop):
    path = f"/trunks/{(await make_trunk(shop, smpp()))['id']}"
    deep: object = "x"
    for _ in range(20):
        deep = {"a": deep}
    for nonsense in (deep, [], 7, "a b", {"password": 1}):
        assert faults(await shop.v1("PATCH", path, {"settings": {"host": nonsense}})) == {"settings.host"}
    for nonsense in ([], "x", None, 7):
        assert faults(await shop.v1("PATCH", path, {"settings": nonsense})) == {"settings"}


async def test_a_trunk_whose_secrets_cannot_be_read_is_shown_and_mended_by_new_ones(shop):
    made = await make_trunk(shop, smpp())
    store = shop.server.runtime.store
    await change(store, "update trunk set secrets_sealed = :no where id = :id", no=b"\x00" * 40, id=made["id"])
    path = f"/trunks/{made['id']}"
    assert (await shop.v1("GET", path)).json()["secrets_set"] == []
    tried = (await shop.v1("POST", f"{path}/test")).json()
    assert (tried["ok"], "secrets" in tried["said"]) == (False, True)
    assert (await shop.v1("PATCH", path, {"settings": {"password": "new"}})).json()["secrets_set"] == ["password"]


async def test_two_changes_at_once_are_both_kept(shop):
    path = f"/trunks/{(await make_trunk(shop, smpp()))['id']}"
    fields = {"system_type": "VMA", "window": 11, "binds": 2, "answer_seconds": 3.0}
    await asyncio.gather(*(shop.v1("PATCH", path, {"settings": {name: value}}) for name, value in fields.items()))
    settings = (await shop.v1("GET", path)).json()["settings"]
    assert {name: settings[name] for name in fields} == fields


async def test_a_secret_is_in_no_answer_log_table_or_audit_line(shop):
    with structlog.testing.capture_logs() as logged:
        made = await make_trunk(shop, smpp())
        path = f"/trunks/{made['id']}"
        answers = [
            await shop.v1("GET", "/trunks"),
            await shop.v1("GET", path),
            await shop.v1("PATCH", path, {"settings": {"password": f"{CANARY}-new", "window": 5}}),
            await shop.v1("PATCH", path, {"settings": {"password": {"a": CANARY}}}),
            await shop.v1("POST", "/trunks", smpp(), headers={"Idempotency-Key": unique("key")}),
            await shop.v1("POST", f"{path}/test"),
            await shop.v1("POST", "/trunks/test", smpp()),
            await shop.v1("GET", "/audit"),
        ]
        await asyncio.sleep(0.1)
    store = shop.server.runtime.store
    tables = {name: await rows(store, f"select * from {name}") for name in ("trunk", "audit", "answer", "outbox")}
    assert [answer.status_code for answer in answers] == [200, 200, 200, 400, 201, 200, 200, 200]
    assert CANARY not in "".join(answer.text for answer in answers)
    assert CANARY not in repr(logged)
    assert CANARY not in repr(tables)
    assert CANARY.encode() not in b"".join(_files(shop.server.runtime.data))


def _files(folder: Path) -> Iterator[bytes]:
    for path in filter(Path.is_file, folder.rglob("*")):
        # The server goes on meanwhile, and takes away what it has read in.
        with suppress(FileNotFoundError, IsADirectoryError):
            yield path.read_bytes()


async def test_a_test_call_says_what_is_wrong(shop):
    made = await make_trunk(shop, smpp())
    stored = (await shop.v1("POST", f"/trunks/{made['id']}/test")).json()
    new = (await shop.v1("POST", "/trunks/test", smpp())).json()
    fine = (await shop.v1("POST", "/trunks/test", {"name": "Try", "carrier": "sandbox"})).json()
    assert (stored["ok"], new["ok"], fine["ok"]) == (False, False, True)
    assert stored["said"]
    assert stored["seconds"] >= 0
    assert faults(await shop.v1("POST", "/trunks/test", smpp(host=""))) == {"settings.host"}


async def test_test_calls_are_few(shop):
    for _ in range(TESTS_A_MINUTE):
        assert (await shop.v1("POST", "/trunks/test", {"name": "Try", "carrier": "sandbox"})).status_code == 200
    refused = await shop.v1("POST", "/trunks/test", {"name": "Try", "carrier": "sandbox"})
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert int(refused.headers["retry-after"]) > 0


async def test_a_trunk_of_another_app_is_not_tested_or_reset(shop, stranger):
    (trunk,) = (await stranger.v1("GET", "/trunks")).json()["items"]
    answers = [await shop.v1("POST", f"/trunks/{trunk['id']}/{verb}") for verb in ("test", "reset")]
    assert [answer.status_code for answer in answers] == [404, 404]


async def test_a_run_whose_trunk_is_not_connected_waits_and_says_why(shop):
    made = await make_trunk(shop, smpp())
    label = "+12125550188"
    sender = (await shop.v1("POST", "/senders", {"number": label})).json()
    await shop.v1("PATCH", f"/senders/{sender['id']}", {"trunk_id": made["id"]})
    (number,) = numbers("IN", 1)
    campaign = campaign_body(await shop.make_list(number))
    campaign["dialingStrategy"] = {**campaign["dialingStrategy"], "callerId": {"phoneNumber": label}}
    campaign_id = (await shop.compat("POST", "/campaign", campaign, params={"campaignType": "sms"})).json()["data"][
        "_id"
    ]
    await shop.trigger(campaign_id, "play")

    async def says_why() -> bool:
        (run,) = (await shop.v1("GET", "/runs", params={"campaign_id": campaign_id})).json()["items"]
        return bool(run["trunk_trouble"])

    await until(says_why)
    why = (await shop.v1("POST", f"/campaigns/{campaign_id}/why", {"number": number})).json()
    gates = {gate["gate"]: gate for gate in why["gates"]}
    assert gates["trunk"]["ruling"] == "waits"
    condition = (await shop.v1("GET", f"/trunks/{made['id']}")).json()["condition"]
    assert condition["state"] != "open"
    (run,) = (await shop.v1("GET", "/runs", params={"campaign_id": campaign_id})).json()["items"]
    assert CANARY not in run["trunk_trouble"]
    await shop.trigger(campaign_id, "stop")


def sip(**changes):
    settings = {"host": "127.0.0.1", "username": "us", "password": CANARY, "registers": True, **changes}
    return {"name": unique("PBX"), "carrier": "sip", "settings": settings}


async def test_a_sip_trunk_is_made_shown_and_changed_like_any_other(shop):
    made = await make_trunk(shop, sip(dial_string="PJSIP/9{number}@{trunk}"))
    assert made["settings"] == {
        "host": "127.0.0.1", "port": None, "transport": "udp", "username": "us", "realm": "", "registers": True,
        "from_domain": "", "outbound_proxy": "", "dial_string": "PJSIP/9{number}@{trunk}", "number_prefix": "+",
        "codecs": ["ulaw", "alaw"], "srtp": False, "verify_certificate": True, "ca_certificate": "", "most_calls": 30,
        "media_timeout_seconds": 60,
    }  # fmt: skip
    assert made["secrets_set"] == ["password"]
    path = f"/trunks/{made['id']}"
    for elsewhere in ({"host": "pbx.example"}, {"outbound_proxy": "pbx.example"}, {"port": 5070}):
        assert faults(await shop.v1("PATCH", path, {"settings": elsewhere})) == {"settings.password"}
    wrong = await shop.v1("PATCH", path, {"settings": {"dial_string": "PJSIP/{trunk}", "codecs": ["mp3"]}})
    assert faults(wrong) == {"settings.dial_string", "settings.codecs[0]"}
    assert (await shop.v1("PATCH", path, {"settings": {"most_calls": 2}})).json()["settings"]["most_calls"] == 2


async def test_a_new_sip_trunk_begins_few_calls_a_second_unless_somebody_says_otherwise(shop):
    assert (await make_trunk(shop, sip()))["segments_per_second"] == 5
    assert (await make_trunk(shop, sip() | {"segments_per_second": 20}))["segments_per_second"] == 20
    free = await make_trunk(shop, sip() | {"segments_per_second": None})
    assert free["segments_per_second"] is None
    assert (await make_trunk(shop, smpp()))["segments_per_second"] is None
    named = await shop.v1("PATCH", f"/trunks/{free['id']}", {"name": unique("Named")})
    assert named.json()["segments_per_second"] is None


async def test_the_voice_engine_is_given_the_sip_trunks_of_all_apps_and_told_of_changes(shop, stranger):
    trunks = shop.server.runtime.trunks
    mine, theirs = await make_trunk(shop, sip()), await make_trunk(stranger, sip(most_calls=3))
    await make_trunk(shop, smpp())
    before = await trunks.sip_trunks()
    given = {trunk.id: trunk for trunk in before}
    assert {mine["id"], theirs["id"]} <= given.keys()
    assert (given[mine["id"]].password, given[theirs["id"]].most_calls) == (CANARY, 3)
    assert CANARY not in repr(given)
    assert await trunks.sip_trunks() is before
    await shop.v1("PATCH", f"/trunks/{mine['id']}", {"settings": {"number_prefix": "00"}})
    after = {trunk.id: trunk for trunk in await trunks.sip_trunks()}
    assert after[mine["id"]].number_prefix == "00"
    await shop.v1("DELETE", f"/trunks/{mine['id']}")
    assert mine["id"] not in {trunk.id for trunk in await trunks.sip_trunks()}


async def test_a_sip_trunk_is_tried_before_and_after_it_is_stored(shop):
    async with by_udp(Registrar()) as registrar:
        body = sip(port=registrar.port, username=USER, password=PASSWORD)
        new = (await shop.v1("POST", "/trunks/test", body)).json()
        made = await make_trunk(shop, body)
        stored = (await shop.v1("POST", f"/trunks/{made['id']}/test")).json()
    for tested in (new, stored):
        assert (tested["ok"], tested["said"].endswith("It knows us: 200 OK (REGISTER).")) == (True, True), tested
        assert PASSWORD not in tested["said"]
