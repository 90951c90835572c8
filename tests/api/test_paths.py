"""Every path under which the pages print a call reaches it, in any case and with any number of slashes."""

from urllib.parse import quote

import pytest

from api.callers import PREFIXES, V1, campaign_body, unique

# What happens at the door is the same whatever database lies behind it.
pytestmark = pytest.mark.parametrize("served_database", ["sqlite"], indirect=True)


@pytest.mark.parametrize(
    "prefix", [*PREFIXES, "/Campaign/API/V2/Public", "//campaign//api/v2//public", "/API/1.1/PUBLIC"]
)
async def test_every_prefix_serves_every_call(shop, prefix):
    listed = await shop.compat(
        "POST", "/campaign/contactList/createContactList", {"name": (name := unique("List"))}, prefix=prefix
    )
    added = await shop.compat(
        "POST",
        "/campaign/contactList/addContacts",
        {"contact_list_name": name, "data": [{"phoneNumber": "+919876543210"}]},
        prefix=prefix,
    )
    made = await shop.compat("POST", "/campaign", campaign_body(name), prefix=prefix)
    campaign_id = made.json()["data"]["id"]
    shown = await shop.compat("GET", f"/campaign/{campaign_id}", prefix=prefix)
    status = await shop.compat("POST", f"/campaign/{campaign_id}/status", prefix=prefix)

    assert [answer.status_code for answer in (listed, added, made, shown, status)] == [200] * 5


@pytest.mark.parametrize(
    "path",
    [
        "/campaign/{id}?trigger=play",
        "/campaign/trigger/{id}?trigger=play",
        "/campaign//trigger/{id}?trigger=play",
        "//CAMPAIGN/Trigger//{id}/?trigger=PLAY",
        "/campaign/{id}/?campaignType=sms&trigger=play",
        r"/campaign/trigger/{id}?accountId={account}\&campaignType=sms\&trigger=play\ ".strip(),
        "/campaign/trigger/{id}?accountId={account}%5C&campaignType=sms&trigger=play",
        "/campaign/trigger/{id}?ACCOUNTID={account}&CampaignType=sms&Trigger=run",
        "/campaign/{name}?trigger=start",
    ],
)
async def test_a_start_call_arrives_however_it_is_written(shop, path):
    campaign_id = await shop.make_campaign(name=(name := unique("Spring/Summer 50% \N{SUN WITH FACE}")))
    written = path.format(id=campaign_id, account=shop.account_id, name=quote(name, safe=""))

    started = await shop.compat("POST", written, {})

    assert started.status_code == 200, started.text
    assert started.json()["message"] == "Campaign Started"


async def test_a_name_with_a_slash_and_an_emoji_finds_its_campaign(shop):
    name = unique("Q1/Q2 \N{ROCKET} Größe")
    campaign_id = await shop.make_campaign(name=name)

    shown = await shop.server.http.get(
        f"{V1}/{shop.app_id}/campaign/" + "Q1%2FQ2%20%F0%9F%9A%80%20Gr%C3%B6%C3%9Fe%20" + name.rsplit(" ", 1)[1],
        headers=shop.headers,
    )

    assert shown.status_code == 200, shown.text
    assert shown.json()["data"]["_id"] == campaign_id
    assert shown.json()["data"]["lname"] == name.lower()
    assert shown.json()["message"] == f"Campaign {name} retrieved successfully"


@pytest.mark.parametrize(
    ("method", "path", "word"),
    [
        ("POST", "/campaign/getAllCampaignDetails", "type"),
        ("POST", "/campaign/schedule?trigger=play", "failure"),
        ("POST", "/campaign/trigger/", "The trigger is one of"),
    ],
)
async def test_the_words_of_other_calls_are_no_campaigns(shop, method, path, word):
    # The other call answers that something of its own is missing.
    await shop.make_campaign(name=path.split("/")[2].partition("?")[0])
    answer = await shop.compat(method, path, {})

    assert answer.status_code in (400, 404)
    assert word in answer.text


@pytest.mark.parametrize(
    "path", ["", "/", "/campaigns", "/campaign/a/b/c", "/campaign/x/", "/campaign/%00", "/campaign/%FF"]
)
async def test_a_path_that_leads_nowhere_says_so_in_the_envelope(shop, path):
    answer = await shop.compat("GET", path)

    assert answer.status_code in (404, 405)
    assert answer.json()["status"] == "failure"


async def test_a_wrong_method_says_which_ones_are_right(shop):
    documented = await shop.compat("PATCH", "/campaign/x", {})
    ours = await shop.v1("DELETE", "/templates")

    assert (documented.status_code, documented.headers["allow"]) == (405, "GET, PUT, DELETE, POST")
    assert documented.json()["errors"][0]["code"] == "method_not_allowed"
    assert (ours.status_code, ours.headers["content-type"]) == (405, "application/problem+json")


@pytest.mark.parametrize("path", ["/", "/nothing", "/v1", "/v1/nothing", "/api/v3/public/st-1/campaign", "/redoc"])
async def test_what_is_nowhere_is_a_problem(server, path):
    answer = await server.http.get(path)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_too_many_parameters_are_refused(shop):
    answer = await shop.compat("GET", "/campaign/x?" + "&".join(f"p{i}=1" for i in range(200)))

    assert answer.status_code == 400
