"""AI endpoints: made, changed and deleted; their keys are shown to nobody, and their URLs stay outside."""

import pytest

from callsheet.engine.asker import flow_secret
from databases import change

KEY = "sk-nobody-may-see-this"
HOUSE = {"name": "House", "base_url": "https://models.example.com/v1", "model": "small", "api_key": KEY}


async def test_one_is_made_shown_listed_changed_and_deleted(shop):
    prices = {"input": 0.5, "output": 2}
    made = await shop.v1("POST", "/ai-endpoints", {**HOUSE, "name": "Mine", "prices": prices})
    assert made.status_code == 201, made.text
    shown = made.json()
    path = f"/ai-endpoints/{shown['id']}"
    assert (shown["model"], shown["has_api_key"], shown["prices"]) == ("small", True, {"input": 0.5, "output": 2.0})
    assert (await shop.v1("GET", path)).json() == shown
    assert shown in (await shop.v1("GET", "/ai-endpoints")).json()["items"]
    changed = (await shop.v1("PATCH", path, {"model": "large"})).json()
    assert (changed["model"], changed["has_api_key"], changed["prices"]) == ("large", True, shown["prices"])
    dearer = (await shop.v1("PATCH", f"/ai-endpoints/{shown['id']}", {"prices": {"input": 1}})).json()
    assert dearer["prices"] == {"input": 1.0, "output": 2.0}
    assert (await shop.v1("PATCH", path, {"api_key": ""})).json()["has_api_key"] is False
    assert (await shop.v1("DELETE", path)).status_code == 204
    for method in ("GET", "DELETE"):
        answer = await shop.v1(method, path)
        assert (answer.status_code, answer.json()["code"]) == (404, "ai_endpoint_not_found")
    assert (await shop.v1("PATCH", path, {})).status_code == 404


async def test_its_key_is_in_no_answer_and_not_in_the_audit_log(shop):
    made = await shop.v1("POST", "/ai-endpoints", {**HOUSE, "name": "Sealed"})
    path = f"/ai-endpoints/{made.json()['id']}"
    answers = [made, await shop.v1("PATCH", path, {"api_key": KEY}), await shop.v1("GET", path)]
    answers += [await shop.v1("GET", "/ai-endpoints"), await shop.v1("GET", "/audit")]
    assert all(answer.status_code in (200, 201) for answer in answers)
    assert "POST /v1/apps/{app}/ai-endpoints" in answers[-1].text
    assert all(KEY not in answer.text for answer in answers)


async def test_a_key_goes_to_no_other_host_unless_it_is_given_again(shop):
    path = f"/ai-endpoints/{(await shop.v1('POST', '/ai-endpoints', {**HOUSE, 'name': 'Moving'})).json()['id']}"
    away = {"base_url": "https://elsewhere.example.com/v1"}

    refused = await shop.v1("PATCH", path, away)

    assert (refused.status_code, [error["field"] for error in refused.json()["errors"]]) == (400, ["api_key"])
    assert (await shop.v1("GET", path)).json()["base_url"] == HOUSE["base_url"]
    assert (await shop.v1("PATCH", path, {"base_url": "https://models.example.com/v2"})).status_code == 200
    assert (await shop.v1("PATCH", path, {**away, "api_key": "next"})).json()["base_url"] == away["base_url"]


async def test_one_whose_prices_cannot_be_read_is_shown_and_mended(shop):
    made = (await shop.v1("POST", "/ai-endpoints", {**HOUSE, "name": "Torn"})).json()
    path = f"/ai-endpoints/{made['id']}"
    await change(shop.server.runtime.store, "update ai_endpoint set prices = 'torn' where id = :id", id=made["id"])

    shown = await shop.v1("GET", path)
    assert (shown.status_code, shown.json()["prices"]) == (200, None)
    assert (await shop.v1("PATCH", path, {"model": "large"})).json()["prices"] is None
    assert shown.json()["id"] in (await shop.v1("GET", "/ai-endpoints")).text
    half = await shop.v1("PATCH", path, {"prices": {"input": 1}})
    assert (half.status_code, [one["field"] for one in half.json()["errors"]]) == (400, ["prices.output"])
    mended = await shop.v1("PATCH", path, {"prices": {"input": 1, "output": 2}})
    assert mended.json()["prices"] == {"input": 1.0, "output": 2.0}


async def test_two_of_an_app_have_not_one_name(shop):
    await shop.v1("POST", "/ai-endpoints", {**HOUSE, "name": "Twin"})
    other = (await shop.v1("POST", "/ai-endpoints", {**HOUSE, "name": "Other"})).json()
    again = await shop.v1("POST", "/ai-endpoints", {**HOUSE, "name": " twin "})
    renamed = await shop.v1("PATCH", f"/ai-endpoints/{other['id']}", {"name": "TWIN"})
    assert {(one.status_code, one.json()["code"]) for one in (again, renamed)} == {(409, "name_taken")}
    assert (await shop.v1("PATCH", f"/ai-endpoints/{other['id']}", {"name": "OTHER"})).status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("base_url", "ftp://models.example.com"),
        ("base_url", "https://user:word@models.example.com"),
        ("base_url", "https://models.example.com/v1?key=1"),
        ("base_url", ""),
        ("api_key", "two words"),
        ("api_key", "sk-\r\nx: y"),
        ("model", ""),
        ("name", " "),
        ("prices", {"input": -1}),
        ("prices", {"input": "free"}),
        ("prices", {"seconds": 1}),
    ],
)
async def test_what_is_wrong_is_named(shop, field, value):
    answer = await shop.v1("POST", "/ai-endpoints", {**HOUSE, "name": "Wrong", field: value})
    assert answer.status_code == 400
    assert {one["field"].partition(".")[0] for one in answer.json()["errors"]} == {field}
    assert "sk-" not in answer.text


async def test_a_flow_has_a_secret_of_its_own_that_stays(shop):
    flows = [(await shop.v1("POST", "/flows", {"name": f"Signed {no}"})).json()["id"] for no in range(2)]
    secrets = [(await shop.v1("GET", f"/flows/{flow}/webhook-secret")).json()["secret"] for flow in flows]
    again = (await shop.v1("GET", f"/flows/{flows[0]}/webhook-secret")).json()["secret"]
    assert again == secrets[0] != secrets[1]
    app = await shop.server.runtime.store.apps.find(shop.app_id)
    assert secrets[0] == flow_secret(shop.server.runtime.store, app.no, flows[0])
    assert (await shop.v1("GET", "/flows/cf-none/webhook-secret")).status_code == 404
