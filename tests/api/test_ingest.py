"""Where carriers call us: only the carrier is heard, nothing is acknowledged before it is durable, nothing breaks."""

import random
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
import pytest_asyncio
from twilio.request_validator import RequestValidator

from api.callers import Caller, Server, make_client, unique, until
from callsheet import meters, settings
from callsheet.api.app import build
from callsheet.bootstrap import open_runtime
from databases import rows
from phone_numbers import numbers

SID = "AC" + "1" * 32
TOKEN = "the token of an account"
BASE = "http://callsheet.test"
FORM = {"content-type": "application/x-www-form-urlencoded"}


class Twilio:
    """Somebody who calls a trunk as Twilio does."""

    def __init__(self, shop: Caller, trunk_id: str) -> None:
        self.http = shop.server.http
        self.other_app = f"{shop.client.app.no + 1:x}"
        secret = shop.server.runtime.store.vault.door_secret(shop.client.app.no, trunk_id)
        self.path = f"/ingest/{trunk_id}/{secret}"

    async def call(self, what: str, *, reference: str = "", token: str = TOKEN, **said: str) -> Any:
        path = f"{self.path}/{what}" + (f"?reference={reference}" if reference else "")
        signature = RequestValidator(token).compute_signature(BASE + path, said)
        headers = {**FORM, "x-twilio-signature": signature}
        return await self.http.post(path, content=urlencode(said), headers=headers)


async def make_trunk(shop: Caller, carrier: str = "twilio", **document: Any) -> str:
    document = document or {"account_sid": SID, "auth_token": TOKEN}
    made = await shop.v1("POST", "/trunks", {"name": unique("Trunk"), "carrier": carrier, "settings": document})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


@pytest_asyncio.fixture(loop_scope="session")
async def twilio(shop: Caller) -> Twilio:
    return Twilio(shop, await make_trunk(shop))


def counted(outcome: str) -> float:
    return meters.registry.get_sample_value("callsheet_callbacks_total", {"outcome": outcome}) or 0.0


async def run_of(shop: Caller, ending: str) -> str:
    """Run a campaign for one handset of the sandbox, and return the run."""
    campaign_id = await shop.make_campaign(*numbers("IN", 1, ending=ending))
    run = (await shop.trigger(campaign_id, "play")).json()["campaignInstanceId"]
    await shop.until_status(campaign_id, "Completed")
    return str(run)


async def attempt(shop: Caller, run: str) -> dict[str, Any]:
    (one,) = (await shop.v1("GET", f"/runs/{run}/attempts")).json()["items"]
    return dict(one)


async def test_a_receipt_settles_the_attempt_that_its_url_names(shop, twilio):
    run = await run_of(shop, "9908")
    one = await attempt(shop, run)
    assert one["state"] == "accepted"

    answer = await twilio.call("status", reference=one["id"], MessageSid="SM1", MessageStatus="delivered")

    assert (answer.status_code, answer.text) == (200, "<Response/>")
    assert answer.headers["content-type"].startswith("text/xml")
    # Durable when it answers: no waiting here.
    assert (await attempt(shop, run))["state"] == "delivered"


async def test_a_receipt_that_comes_again_and_late_ones_change_nothing(shop, twilio):
    run = await run_of(shop, "9908")
    one = await attempt(shop, run)
    for status in ("delivered", "delivered", "sent", "queued"):
        answer = await twilio.call("status", reference=one["id"], MessageSid="SM1", MessageStatus=status)
        assert answer.status_code == 200
    assert (await attempt(shop, run))["state"] == "delivered"


async def test_a_stop_is_an_opt_out_when_it_is_answered(shop, twilio):
    (number,) = numbers("IN", 1, ending="1111")
    answer = await twilio.call("inbound", MessageSid=unique("SM"), From=number, To="+12125550100", Body="Stop")
    assert answer.status_code == 200
    assert len([one async for one in shop.pages("/opt-outs")]) == 1


async def test_a_message_that_fails_later_because_of_a_stop_is_an_opt_out_at_the_carrier(shop, twilio):
    run = await run_of(shop, "9908")
    one = await attempt(shop, run)
    (number,) = numbers("IN", 1, ending="1113")
    said = {"MessageStatus": "failed", "ErrorCode": "21610"}
    # With our reference, and of a message that only its number is known of.
    assert (await twilio.call("status", reference=one["id"], MessageSid="SM1", **said)).status_code == 200
    assert (await twilio.call("status", MessageSid="SM2", To=number, **said)).status_code == 200

    assert [out["source"] async for out in shop.pages("/opt-outs")] == ["carrier"] * 2
    assert (await attempt(shop, run))["state"] == "undelivered"


async def test_what_twilio_takes_for_a_stop_and_a_start_is_one_and_is_not_answered_twice(shop, twilio):
    (number,) = numbers("IN", 1, ending="1114")

    async def say(text: str, word: str) -> list[str]:
        said = {"From": number, "To": "+12125550100", "Body": text, "OptOutType": word}
        assert (await twilio.call("inbound", MessageSid=unique("SM"), **said)).status_code == 200
        return [out["source"] async for out in shop.pages("/opt-outs")]

    assert await say("CLUB42", "STOP") == ["reply"]
    assert await say("JOIN42", "START") == []
    # What we read as STOP is one, whatever it is called.
    assert await say("STOP", "HELP") == ["reply"]
    replies = await rows(shop.server.runtime.store, f"select * from reply where app = {shop.client.app.no}")
    assert replies == []


async def test_the_url_that_we_gave_is_what_was_signed_whatever_a_proxy_calls_us(shop, twilio, monkeypatch):
    monkeypatch.setattr(shop.server.runtime.ingest, "public_url", "https://callsheet.example.com")
    said = {"MessageSid": "SM", "MessageStatus": "sent"}

    async def call(base: str) -> int:
        signature = RequestValidator(TOKEN).compute_signature(f"{base}{twilio.path}/status", said)
        headers = {**FORM, "host": "10.0.0.7:8080", "x-twilio-signature": signature}
        answer = await twilio.http.post(f"{twilio.path}/status", content=urlencode(said), headers=headers)
        return int(answer.status_code)

    assert await call("https://callsheet.example.com") == 200
    assert await call("http://10.0.0.7:8080") == 403


@pytest.mark.parametrize("host", ["x:99999", "[abc", "x:x"])
async def test_a_host_that_is_none_is_a_wrong_signature(twilio, host):
    before = counted("bad_signature")
    headers = {**FORM, "host": host, "x-twilio-signature": "wrong"}

    answer = await twilio.http.post(
        f"{twilio.path}/status", content="MessageSid=SM&MessageStatus=sent", headers=headers
    )

    assert (answer.status_code, counted("bad_signature")) == (403, before + 1)


async def test_a_wrong_signature_is_refused_counted_and_not_heard(shop, twilio):
    before = counted("bad_signature")
    (number,) = numbers("IN", 1, ending="1111")

    answer = await twilio.call("inbound", token="another", MessageSid="SM", From=number, To="+1", Body="STOP")

    assert (answer.status_code, counted("bad_signature")) == (403, before + 1)
    assert [one async for one in shop.pages("/opt-outs")] == []


async def test_the_attempt_of_another_app_is_not_changed(shop, stranger, twilio):
    run = await run_of(stranger, "9908")
    one = await attempt(stranger, run)
    answer = await twilio.call("status", reference=one["id"], MessageSid="SM1", MessageStatus="delivered")
    assert answer.status_code == 200
    assert (await attempt(stranger, run))["state"] == "accepted"


async def test_nobody_finds_a_door_that_he_was_not_told_of(shop, twilio):
    http, (_, _, trunk_id, secret) = twilio.http, twilio.path.split("/")
    for path in (
        f"/ingest/{trunk_id}/{'0' * len(secret)}/status",
        f"/ingest/{trunk_id}//status",
        f"/ingest/tr-unknown/{secret}/status",
        f"/ingest/{trunk_id}/{twilio.other_app}-{secret.partition('-')[2]}/status",
        f"/ingest/{trunk_id}/zz-{secret.partition('-')[2]}/status",
        f"/ingest/{trunk_id}/{secret}/other",
        f"/ingest/{trunk_id}/{secret}",
        f"/ingest/{trunk_id}/{secret}/status/more",
        "/ingest/",
        "/ingest/%00/ä/status",
    ):
        assert (await http.post(path)).status_code == 404, path
    assert (await http.put(f"{twilio.path}/status")).status_code == 405


async def test_a_trunk_that_calls_nobody_and_one_that_is_gone_have_no_door(shop, twilio):
    (sandbox, _) = (await shop.v1("GET", "/trunks")).json()["items"]
    gone = Twilio(shop, await make_trunk(shop))
    assert (await shop.v1("DELETE", f"/trunks/{gone.path.split('/')[2]}")).status_code == 204
    for one in (Twilio(shop, sandbox["id"]), gone):
        assert (await one.call("status", MessageSid="SM", MessageStatus="sent")).status_code == 404


async def test_a_body_is_bounded_whether_it_says_its_length_or_not(twilio):
    async def endless() -> Any:
        for _ in range(100):
            yield b"x" * 1000

    assert (await twilio.http.post(f"{twilio.path}/status", content=b"x" * 70_000)).status_code == 413
    assert (await twilio.http.post(f"{twilio.path}/status", content=endless())).status_code == 413


async def test_a_signed_callback_that_tells_nothing_is_no_success(twilio):
    assert (await twilio.call("status", MessageStatus="sent")).status_code == 400
    assert (await twilio.call("inbound", MessageSid="SM1")).status_code == 400


async def test_a_provider_by_template_is_heard_and_gets_the_answer_that_it_wants(shop):
    trunk_id = await make_trunk(
        shop,
        "http",
        url="https://api.example.com/",
        callback_answer="ACK",
        inbound={"id_path": "id", "number_path": "from", "sender_path": "to", "text_path": "text"},
    )
    (number,) = numbers("IN", 1, ending="1112")
    path = f"{Twilio(shop, trunk_id).path}/inbound"

    answer = await shop.server.http.post(path, json={"id": unique("r"), "from": number, "to": "1", "text": "STOP"})

    assert (answer.status_code, answer.text) == (200, "ACK")
    assert len([one async for one in shop.pages("/opt-outs")]) == 1
    assert (await shop.server.http.post(path, content=b"{")).status_code == 400
    assert (await shop.server.http.post(path.replace("inbound", "status"), json={})).status_code == 400


async def test_no_noise_breaks_the_door(shop, twilio):
    by_path = Twilio(shop, await make_trunk(shop, "vonage", api_key="k", api_secret="s")).path
    random_ = random.Random(1)
    types = ["application/json", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data", "\x7f"]
    for _ in range(300):
        path = f"{random_.choice([twilio.path, by_path])}/{random_.choice(['status', 'inbound'])}"
        query = random_.randbytes(random_.randrange(20)).hex()
        body = random_.choice([random_.randbytes(random_.randrange(300)), b'{"messageId":' + b"[" * 300, b"a=b&" * 400])
        headers = {"content-type": random_.choice(types), "x-twilio-signature": query}
        method = random_.choice(["GET", "POST"])
        answer = await twilio.http.request(method, f"{path}?{query}", content=body, headers=headers)
        assert answer.status_code in (200, 400, 403), answer.text


async def test_a_node_that_does_not_send_asks_to_be_told_again(tmp_path):
    async with open_runtime(settings.load(data=tmp_path), start_engine=False) as runtime:
        transport = httpx2.ASGITransport(build(runtime))
        async with httpx2.AsyncClient(transport=transport, base_url=BASE) as http:
            server = Server(runtime, http)
            shop = Caller(server, await make_client(server))
            twilio = Twilio(shop, await make_trunk(shop))
            answer = await twilio.call("status", MessageSid="SM", MessageStatus="sent")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def test_a_changed_token_is_believed_after_a_moment(shop, twilio, monkeypatch):
    monkeypatch.setattr("callsheet.engine.doors.FRESH_SECONDS", 0.0)
    trunk_id = twilio.path.split("/")[2]
    said = {"MessageSid": "SM", "MessageStatus": "sent"}
    assert (await twilio.call("status", **said)).status_code == 200

    await shop.v1("PATCH", f"/trunks/{trunk_id}", {"settings": {"auth_token": "new"}})

    async def takes(token: str) -> bool:
        return (await twilio.call("status", token=token, **said)).status_code == 200

    await until(lambda: takes("new"))
    assert not await takes(TOKEN)
