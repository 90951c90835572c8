"""API clients and apps are made by those who may, their secrets are shown once, and what was taken away is gone."""

import jwt
import pytest

from api.callers import Caller, unique
from callsheet.store.dnc import GLOBAL_NAME
from databases import rows

SCOPES = ["campaign_management"]


async def make(shop, **changes):
    made = await shop.v1("POST", "/clients", {"name": unique("Client"), "scopes": SCOPES, **changes})
    assert made.status_code == 201, made.text
    return made.json()


async def ask(shop, client_id, secret, *, algorithm="HS256", path="/templates"):
    token = jwt.encode({"sub": "x", "appId": client_id}, secret, algorithm=algorithm)
    return (
        await shop.server.http.get(f"/v1/apps/{shop.app_id}{path}", headers={"auth": token, "iid": shop.app_id})
    ).status_code


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
async def test_a_client_signs_with_the_secret_that_it_was_given_and_the_algorithm_that_was_chosen(shop, algorithm):
    made = await make(shop, algorithm=algorithm)

    others = {"HS256", "HS384", "HS512"} - {algorithm}
    # As long as any of them wants it.
    assert await ask(shop, made["id"], made["secret"], algorithm=algorithm) == 200
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("jwt.algorithms.HMACAlgorithm.check_key_length", lambda *_: None)
        for other in others:
            assert await ask(shop, made["id"], made["secret"], algorithm=other) == 401


async def test_a_secret_is_shown_once_and_stored_sealed(shop):
    made = await make(shop)

    shown = [await shop.v1("GET", "/clients"), await shop.v1("GET", f"/clients/{made['id']}")]
    ((sealed,),) = await rows(
        shop.server.runtime.store, "select secret_sealed from client where id = :id", id=made["id"]
    )

    assert not any("secret" in answer.text or made["secret"] in answer.text for answer in shown)
    assert made["secret"].encode() not in sealed


async def test_what_is_made_is_answered_as_it_is_shown(shop):
    made = await make(shop, name="Nightly report")
    app = (await shop.server.http.post("/v1/apps", json={"name": "Branch"}, headers=shop.headers)).json()

    shown = (await shop.v1("GET", f"/clients/{made['id']}")).json()
    del shown["created_at"]
    assert {"secret": made["secret"], **shown} == made
    assert app["client"]["name"] == "First client"


async def test_a_client_has_the_scopes_that_it_was_given_and_keeps_them_until_they_are_changed(shop):
    made = await make(shop)
    assert await ask(shop, made["id"], made["secret"]) == 200
    assert await ask(shop, made["id"], made["secret"], path="/clients") == 403

    changed = await shop.v1("PATCH", f"/clients/{made['id']}", {"scopes": ["administration"]})

    assert changed.json()["scopes"] == ["administration"]
    assert await ask(shop, made["id"], made["secret"]) == 403
    assert await ask(shop, made["id"], made["secret"], path="/clients") == 200
    renamed = await shop.v1("PATCH", f"/clients/{made['id']}", {"name": "Other"})
    assert (renamed.json()["name"], renamed.json()["scopes"]) == ("Other", ["administration"])


async def test_a_new_secret_ends_the_old_one(shop):
    made = await make(shop)

    renewed = (await shop.v1("POST", f"/clients/{made['id']}/secret")).json()

    assert renewed["secret"] != made["secret"]
    assert await ask(shop, made["id"], made["secret"]) == 401
    assert await ask(shop, made["id"], renewed["secret"]) == 200


async def test_a_deleted_client_is_unknown(shop):
    made = await make(shop)

    assert (await shop.v1("DELETE", f"/clients/{made['id']}")).status_code == 204
    assert await ask(shop, made["id"], made["secret"]) == 401
    assert (await shop.v1("DELETE", f"/clients/{made['id']}")).json()["code"] == "client_not_found"


async def test_clients_come_in_pages_oldest_first(shop):
    made = [(await make(shop))["id"] for _ in range(4)]

    found = [one["id"] async for one in shop.pages("/clients", limit=2)]

    assert found == [shop.client.id, *made]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"name": "x", "scopes": []}, ["scopes"]),
        ({"name": "x", "scopes": ["everything"]}, ["scopes[0]"]),
        ({"name": "x", "scopes": ["analytics", "analytics"]}, ["scopes"]),
        ({"name": " ", "scopes": SCOPES}, ["name"]),
        ({"name": "x", "scopes": SCOPES, "algorithm": "none"}, ["algorithm"]),
        ({"name": "x", "scopes": SCOPES, "algorithm": "RS256"}, ["algorithm"]),
        ({"name": "x", "scopes": SCOPES, "secret": "mine"}, ["secret"]),
        ({"scopes": "campaign_management"}, ["name", "scopes"]),
    ],
)
async def test_a_wrong_client_is_refused_with_every_wrong_field(shop, body, wrong):
    answer = await shop.v1("POST", "/clients", body)

    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, wrong)
    assert len((await shop.v1("GET", "/clients")).json()["items"]) == 1


async def test_the_clients_of_another_app_are_not_there(shop, stranger):
    theirs = (await make(stranger))["id"]

    answers = [
        await shop.v1("GET", f"/clients/{theirs}"),
        await shop.v1("PATCH", f"/clients/{theirs}", {"scopes": ["dialout"]}),
        await shop.v1("POST", f"/clients/{theirs}/secret"),
        await shop.v1("DELETE", f"/clients/{theirs}"),
    ]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "client_not_found")}
    assert (await shop.v1("GET", "/clients", params={"after": theirs})).status_code == 400
    assert (await stranger.v1("GET", f"/clients/{theirs}")).json()["scopes"] == SCOPES


async def test_a_new_app_has_what_the_first_one_has_and_a_client_of_its_own(shop):
    made = await shop._send("POST", "/v1/apps", {"name": "Second"})
    created = made.json()
    client = await shop.server.runtime.store.clients.find(created["client"]["id"])
    second = Caller(shop.server, client)

    assert made.status_code == 201, made.text
    assert (created["account_id"], created["name"]) == (shop.account_id, "Second")
    assert client.secret == created["client"]["secret"]
    lists = (await second.v1("GET", "/dnc-lists")).json()["items"]
    assert [(one["name"], one["is_global"]) for one in lists] == [(GLOBAL_NAME, True)]
    (trunk,) = await shop.server.runtime.store.apps.trunks(second.client.app.no)
    assert (trunk.carrier, trunk.takes_any_sender) == ("sandbox", True)


async def test_a_campaign_of_a_new_app_reaches_its_people(shop):
    created = (await shop._send("POST", "/v1/apps", {"name": "Third"})).json()
    third = Caller(shop.server, await shop.server.runtime.store.clients.find(created["client"]["id"]))
    campaign_id = await third.make_campaign("+919876543210")

    await third.trigger(campaign_id, "play")
    await third.until_status(campaign_id, "Completed")

    assert [message["to"] for message in await third.outbox()] == ["+919876543210"]


async def test_the_apps_of_an_account_are_listed_and_no_others(shop, stranger):
    made = [(await shop._send("POST", "/v1/apps", {"name": "More"})).json()["id"] for _ in range(2)]

    first = (await shop._send("GET", "/v1/apps", None, params={"limit": 2})).json()
    rest = (await shop._send("GET", "/v1/apps", None, params={"limit": 2, "after": first["next"]})).json()
    foreign = await shop._send("GET", "/v1/apps", None, params={"after": stranger.app_id})

    assert [one["id"] for one in first["items"] + rest["items"]] == [shop.app_id, *made]
    assert rest["next"] is None
    assert foreign.status_code == 400


async def test_an_app_and_an_account_are_renamed_by_their_own_only(shop, stranger):
    assert (await shop.v1("PATCH", "", {"name": "Bazaar"})).json()["name"] == "Bazaar"
    assert (await shop.v1("GET", "")).json() == {"id": shop.app_id, "account_id": shop.account_id, "name": "Bazaar"}
    assert (await shop._send("GET", f"/v1/apps/{stranger.app_id}", None)).status_code == 403

    renamed = await shop._send("PATCH", f"/v1/accounts/{shop.account_id}", {"name": "Owner"})
    foreign = await shop._send("PATCH", f"/v1/accounts/{stranger.account_id}", {"name": "Owner"})
    (listed,) = (await shop._send("GET", "/v1/accounts", None)).json()["items"]

    assert (renamed.json()["name"], listed["name"], foreign.status_code) == ("Owner", "Owner", 404)
    assert (await shop._send("GET", f"/v1/accounts/{shop.account_id}", None)).json() == listed


async def test_the_token_of_one_app_does_not_open_the_other_app_of_its_account(shop):
    created = (await shop._send("POST", "/v1/apps", {"name": "Second"})).json()

    answers = [
        await shop._send("GET", f"/v1/apps/{created['id']}{path}", None) for path in ("", "/clients", "/templates")
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]


@pytest.mark.parametrize("path", ["/v1/accounts", "/v1/apps", "/v1/accounts/x"])
async def test_nobody_is_told_of_accounts_and_apps_without_a_token(server, path):
    assert (await server.http.get(path)).status_code == 401
