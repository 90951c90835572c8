"""A cookie works for the pages of this server and for what its user may do, and for nothing else."""

import httpx2
import jwt
import pytest

from api.callers import V2, unique
from api.people import OURS, PASSWORD, SITE, Person, hash_cheaply, make_person
from callsheet import settings
from callsheet.api.app import build
from callsheet.api.paths import find_address
from callsheet.bootstrap import open_runtime
from callsheet.console.welcome import Welcome
from callsheet.core.permissions import only_reads
from databases import rows


async def test_a_browser_gets_a_cookie_that_no_script_and_no_other_site_gets(shop):
    person = await make_person(shop, "viewer")

    answer = await person.sign_in()
    cookie = answer.headers["set-cookie"].lower()

    assert {part.strip().partition("=")[0] for part in cookie.split(";")[1:]} == {"httponly", "path", "samesite"}
    assert "samesite=strict" in cookie
    assert answer.json()["apps"] == [{"id": shop.app_id, "name": "Shop", "role": "viewer"}]
    assert (await person.send("GET", "/v1/sessions/current")).json()["user_id"] == person.id
    ((token_hash,), *_) = await rows(shop.server.runtime.store, "select token_hash from user_session")
    assert len(token_hash) == 32


async def test_over_https_the_cookie_stays_on_https(shop):
    person = await make_person(shop, "viewer", site="https://callsheet.test")

    assert "; secure" in (await person.sign_in()).headers["set-cookie"].lower()


@pytest.mark.parametrize(
    ("role", "reads", "writes", "administers"),
    [
        ("viewer", 200, 403, 403),
        ("operator", 200, 201, 403),
        ("admin", 200, 201, 200),
        ("agent", 403, 403, 403),
    ],
)
async def test_a_role_leads_as_far_as_it_does(shop, role, reads, writes, administers):
    person = await make_person(shop, role)

    assert (await person.call("GET", "/templates")).status_code == reads
    assert (await person.call("GET", "/settings")).status_code == reads
    assert (await person.call("POST", "/templates", {"name": unique("T"), "body": "x"})).status_code == writes
    assert (await person.call("PATCH", "/settings", {"region": "IN"})).status_code == administers
    for path in ("/clients", "/users", "/audit"):
        assert (await person.call("GET", path)).status_code == administers
    assert (await person.send("GET", "/v1/sessions/current")).status_code == 200


@pytest.mark.parametrize("role", ["viewer", "agent"])
async def test_a_viewer_writes_nothing_at_all_and_an_agent_nothing_but_conversations(shop, role):
    person = await make_person(shop, role)
    contract = (await shop.server.http.get("/openapi.json")).json()

    for template, operations in contract["paths"].items():
        path = template.replace("{app}", shop.app_id).replace("{kind}", "dnc-lists").replace("{", "").replace("}", "")
        address = find_address(path.encode(), path)
        for method in operations if address.has_caller() else ():
            if only_reads(address.area, address.words, method.upper()):
                continue
            answer = await person.send(method.upper(), path, {}, **OURS)
            may = role == "agent" and "conversations" in address.words[:1]
            assert (answer.status_code != 403) == may, (method, path, answer.text)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": "http://evil.test"},
        {"origin": "http://callsheet.test.evil.test"},
        {"origin": "http://callsheet.test:8080"},
        {"origin": "ftp://callsheet.test"},
        {"origin": "callsheet.test"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": SITE, "sec-fetch-site": "cross-site"},
        {"referer": SITE},
    ],
)
async def test_a_page_of_somebody_else_changes_nothing_with_the_cookie(shop, headers):
    person = await make_person(shop, "admin")
    path = f"/v1/apps/{shop.app_id}/templates"

    refused = await person.send("POST", path, {"name": "T", "body": "x"}, **headers)
    out = await person.send("DELETE", "/v1/sessions/current", **headers)
    looked = await person.send("GET", path, **headers)

    assert (refused.status_code, out.status_code, looked.status_code) == (403, 403, 200)
    assert looked.json()["items"] == []


@pytest.mark.parametrize(
    "headers",
    [
        OURS,
        {"origin": "HTTP://CALLSHEET.TEST"},
        {"origin": "https://callsheet.test"},
        {"sec-fetch-site": "same-origin"},
    ],
)
async def test_a_page_of_ours_does(shop, headers):
    person = await make_person(shop, "operator")

    made = await person.send("POST", f"/v1/apps/{shop.app_id}/templates", {"name": "T", "body": "x"}, **headers)

    assert made.status_code == 201


async def test_nobody_is_signed_in_by_a_page_of_somebody_else(shop):
    person = await make_person(shop, "viewer")

    assert (await person.sign_in(origin="http://evil.test")).status_code == 403
    assert (await person.sign_in(**OURS)).status_code == 201


async def test_the_documented_api_takes_no_cookie(shop):
    person = await make_person(shop, "admin")

    assert (await person.send("GET", f"{V2}/{shop.app_id}/campaign/x", **OURS)).status_code == 401


async def test_a_token_that_is_wrong_is_not_saved_by_a_cookie(shop):
    person = await make_person(shop, "admin")

    for headers in ({"auth": "nonsense"}, {"authorization": "Bearer nonsense"}):
        assert (await person.call("GET", "/templates", **headers)).status_code == 401


async def test_a_user_of_one_app_is_nobody_in_another(shop, stranger):
    person = await make_person(shop, "admin")
    second = (await shop._send("POST", "/v1/apps", {"name": "Second"})).json()["id"]

    for app_id in (stranger.app_id, second, "st-nothing"):
        for path in ("", "/templates", "/clients"):
            assert (await person.call("GET", path, app_id=app_id)).status_code == 403
    assert (await person.call("GET", "/templates", iid=stranger.app_id)).status_code == 403
    assert [one["id"] for one in (await person.send("GET", "/v1/apps")).json()["items"]] == [shop.app_id]
    assert (await person.send("GET", f"/v1/accounts/{stranger.account_id}")).status_code == 404


async def test_who_makes_an_app_is_its_admin(shop):
    person = await make_person(shop, "admin")

    made = (await person.send("POST", "/v1/apps", {"name": "Mine"}, **OURS)).json()

    assert (await person.call("GET", "/users", app_id=made["id"])).json()["items"][0]["id"] == person.id
    assert [one["id"] for one in (await person.send("GET", "/v1/apps")).json()["items"]] == [shop.app_id, made["id"]]


async def test_who_signed_out_is_out(shop):
    person = await make_person(shop, "viewer")
    cookie = dict(person.http.cookies)["callsheet_session"]

    out = await person.send("DELETE", "/v1/sessions/current", **OURS)

    assert out.status_code == 204
    assert "callsheet_session" not in person.http.cookies
    assert (await person.send("GET", "/v1/sessions/current", cookie=f"callsheet_session={cookie}")).status_code == 401


@pytest.mark.parametrize(
    "cookie", ["callsheet_session=", "callsheet_session=x", "other=x", "callsheet_session=é", ";;="]
)
async def test_a_cookie_that_is_none_lets_nobody_in(server, shop, cookie):
    for path in (f"/v1/apps/{shop.app_id}/templates", "/v1/apps", "/v1/sessions/current"):
        answer = await server.http.get(path, headers=[(b"cookie", cookie.encode())])
        assert answer.status_code == 401


async def test_a_wrong_password_and_an_unknown_login_are_told_alike(shop):
    person = await make_person(shop, "viewer", address="192.0.2.8")
    nobody = Person(shop, "nobody", "", address="192.0.2.9")

    wrong, unknown = await person.sign_in("wrong"), await nobody.sign_in("wrong")

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    assert "set-cookie" not in wrong.headers


async def test_the_sixth_wrong_try_is_refused_unheard(shop):
    person = await make_person(shop, "viewer", address="192.0.2.10")

    answers = [await person.sign_in("wrong") for _ in range(6)]

    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert answers[-1].json()["code"] == "too_many_sign_ins"
    assert 0 < int(answers[-1].headers["retry-after"]) <= 900


async def test_a_sign_in_is_a_line_in_the_log_of_the_account_and_a_deed_names_the_user(shop):
    person = await make_person(shop, "operator", address="192.0.2.11")
    await person.sign_in("wrong password")
    await person.call("POST", "/templates", {"name": "T", "body": "x"})
    await person.call("GET", "/clients")

    account = (await shop._send("GET", f"/v1/accounts/{shop.account_id}/audit", None)).json()["items"]
    (denied, made, created) = (await shop.v1("GET", "/audit")).json()["items"]

    assert [(line["actor"]["kind"], line["thing"], line["details"]) for line in account] == [
        ("nobody", person.id, {"status": 401}),
        ("user", person.id, {"status": 201}),
    ]
    assert made["actor"] == denied["actor"] == {"kind": "user", "id": person.id}
    assert (denied["action"], denied["details"]) == ("GET /v1/apps/{app}/clients", {"status": 403})
    assert created["details"] == {"status": 201, "user": person.id, "role": "operator"}


async def test_ones_own_password_is_changed_and_the_old_one_is_over(shop):
    person = await make_person(shop, "agent", address="192.0.2.12")
    path, new = "/v1/sessions/current/password", "another long one"

    assert (await person.send("PUT", path, {"current": "wrong", "new": new}, **OURS)).status_code == 401
    assert (await person.send("PUT", path, {"current": PASSWORD, "new": "short"}, **OURS)).status_code == 400
    assert (await person.send("PUT", path, {"current": PASSWORD, "new": new})).status_code == 403
    assert (await person.send("PUT", path, {"current": PASSWORD, "new": new}, **OURS)).status_code == 204
    assert (await person.send("GET", "/v1/sessions/current")).status_code == 401
    assert (await person.sign_in()).status_code == 401
    assert (await person.sign_in(new)).status_code == 201


async def test_a_wrong_setup_is_refused(shop):
    hash_cheaply(shop)
    body = {"token": "x", "login": "Root", "password": PASSWORD}

    assert (await shop.server.http.post("/v1/setup", json=body)).status_code == 401
    shop.server.runtime.sign_in.invitation.make()
    assert (await shop.server.http.post("/v1/setup", json=body)).status_code == 401
    assert (
        await shop.server.http.post("/v1/setup", json=body, headers={"origin": "http://evil.test"})
    ).status_code == 403


async def test_a_cookie_is_no_token(shop):
    person = await make_person(shop, "admin")
    cookie = dict(person.http.cookies)["callsheet_session"]
    token = jwt.encode({"sub": person.id, "appId": person.id}, cookie, algorithm="HS256")

    for auth in (cookie, token):
        assert (await shop.server.http.get("/v1/apps", headers={"auth": auth})).status_code == 401


async def test_the_sign_in_link_shows_its_page_and_makes_the_first_admin_each_once(tmp_path):
    async with open_runtime(settings.load(data=tmp_path), start_engine=False) as runtime:
        welcome = Welcome(runtime.sign_in.invitation)
        link = welcome.invite([], ())
        body = {"token": link.rpartition("/")[2], "login": "Root", "password": PASSWORD}
        transport = httpx2.ASGITransport(build(runtime, home=welcome))
        async with httpx2.AsyncClient(transport=transport, base_url=SITE) as http:
            pages = [(await http.get(link)).status_code for _ in range(2)]
            made = [(await http.post("/v1/setup", json=body)).status_code for _ in range(2)]
            signed_in = await http.post("/v1/sessions", json={"login": "root", "password": PASSWORD})
            clients = await http.get(f"/v1/apps/{signed_in.json()['apps'][0]['id']}/clients")

    assert (pages, made) == ([200, 404], [201, 401])
    assert signed_in.json()["apps"][0]["role"] == "admin"
    assert clients.status_code == 200
