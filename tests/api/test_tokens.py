"""Who may call: the documented token passes, and nothing else, and no answer tells of other tenants."""

import base64
import json
from datetime import timedelta

import jwt
import pytest

from api.callers import V1, V2, Caller
from api.test_emergencies import sibling_of
from callsheet.clock import Clock
from databases import change

# What happens at the door is the same whatever database lies behind it.
pytestmark = pytest.mark.parametrize("served_database", ["sqlite"], indirect=True)


def seconds(clock: Clock, **later: float) -> int:
    return int((clock.now() + timedelta(**later)).timestamp())


async def ask(shop: Caller, headers: dict[str, str], *, app_id: str | None = None, query: str = "", prefix: str = V2):
    url = f"{prefix}/{app_id or shop.app_id}/campaign/nothing{query}"
    return await shop.server.http.get(url, headers=headers)


def passed(answer) -> bool:
    """A call that got past the door finds no such campaign."""
    return bool(answer.status_code == 404 and answer.json()["errors"][0]["code"] == "campaign_not_found")


def refused(answer) -> bool:
    return bool(answer.status_code == 401 and answer.json()["errors"][0]["code"] == 4002)


async def test_the_documented_headers_pass(shop):
    assert passed(await ask(shop, shop.headers))


@pytest.mark.parametrize(
    "write",
    [
        lambda shop: {"auth": shop.token()},
        lambda shop: {"auth": f"Bearer {shop.token()}"},
        lambda shop: {"auth": f"bearer   {shop.token()} "},
        lambda shop: {"Authorization": f"Bearer {shop.token()}"},
        lambda shop: {"AUTH": shop.token(), "IId": shop.app_id, "AccountID": shop.account_id},
        lambda shop: {"auth": shop.token(), "accountid": shop.account_id},
        lambda shop: {"auth": shop.token(), "iid": "", "accountId": ""},
        lambda shop: {"auth": shop.token({"sub": "x", "iss": shop.client.id})},
        lambda shop: {"auth": shop.token({"sub": "x", "kore_iss": shop.client.id})},
        lambda shop: {"auth": shop.token(sub=7, aud=["anything"], jti=5, isAnonymous=True)},
        lambda shop: {"auth": shop.token(iid=shop.app_id, accountId=shop.account_id)},
        lambda shop: {"auth": shop.token(exp=seconds(shop.server.runtime.clock, seconds=-30))},
        lambda shop: {"auth": shop.token(iat=seconds(shop.server.runtime.clock, seconds=30))},
        lambda shop: {"auth": shop.token(exp=2**53 - 1, nbf=0, iat=0.5)},
        lambda shop: {"auth": shop.token(iss=shop.client.id, kore_iss=shop.client.id)},
    ],
)
async def test_every_documented_form_passes(shop, write):
    assert passed(await ask(shop, write(shop)))


async def test_the_account_may_come_in_the_query(shop):
    assert passed(await ask(shop, {"auth": shop.token()}, query=rf"?accountId={shop.account_id}\&campaignType=sms"))


@pytest.mark.parametrize(
    "write",
    [
        lambda shop: {},
        lambda shop: {"auth": ""},
        lambda shop: {"auth": "Bearer "},
        lambda shop: {"auth": "nonsense"},
        lambda shop: {"auth": "a.b.c"},
        lambda shop: {"Authorization": shop.token()},
        lambda shop: {"auth": shop.token() + "x"},
        lambda shop: {"auth": shop.token(padding="x" * 9000)},
        lambda shop: {"auth": shop.token({"sub": "x", "appid": shop.client.id})},
        lambda shop: {"auth": shop.token({"sub": "x"})},
        lambda shop: {"auth": shop.token({"appId": 5})},
        lambda shop: {"auth": shop.token({"appId": "cs-nobody", "iss": shop.client.id})},
        lambda shop: {"auth": shop.token({"appId": "cs-\0"})},
        lambda shop: {"auth": jwt.encode({"appId": shop.client.id}, "wrong" * 10, algorithm="HS256")},
        lambda shop: {"auth": jwt.encode({"appId": shop.client.id}, shop.client.secret * 2, algorithm="HS512")},
        lambda shop: {"auth": jwt.encode({"appId": shop.client.id}, "", algorithm="none")},
        lambda shop: {"auth": unsigned(shop, {"alg": "none"})},
        lambda shop: {"auth": unsigned(shop, {"alg": "NONE", "typ": "JWT"})},
        lambda shop: {"auth": unsigned(shop, {"typ": "JWT"})},
        lambda shop: {"auth": raw({"alg": "HS256"}, b"[" * 3000)},
        lambda shop: {"auth": raw({"alg": "HS256"}, b'["a list"]')},
        lambda shop: {"auth": shop.token(exp=seconds(shop.server.runtime.clock, minutes=-2))},
        lambda shop: {"auth": shop.token(nbf=seconds(shop.server.runtime.clock, minutes=2))},
        lambda shop: {"auth": shop.token(iat=seconds(shop.server.runtime.clock, minutes=2))},
        lambda shop: {"auth": shop.token({"appId": shop.client.id, "exp": "tomorrow"})},
        lambda shop: {"auth": shop.token({"appId": shop.client.id, "exp": True})},
    ],
)
async def test_anything_else_is_refused_alike(shop, write):
    answer = await ask(shop, write(shop))

    assert refused(answer), answer.text
    assert answer.headers["www-authenticate"] == "Bearer"


def raw(header: dict[str, str], payload: bytes) -> str:
    parts = (json.dumps(header).encode(), payload, b"signature")
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def unsigned(shop: Caller, header: dict[str, str]) -> str:
    return raw(header, json.dumps({"appId": shop.client.id}).encode()).rpartition(".")[0] + "."


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", ["1e400", "-1e400", "NaN", "-1", "-0.5", str(10**400), str(-(10**400)), "[]", "null"])
async def test_an_instant_that_cannot_be_is_refused_and_breaks_nothing(shop, claim, value):
    payload = json.dumps({"appId": shop.client.id})[:-1] + f', "{claim}": {value}}}'
    token = jwt.PyJWS().encode(payload.encode(), shop.client.secret, algorithm="HS256")

    assert refused(await ask(shop, {"auth": token}))


async def test_one_token_serves_many_calls(shop):
    headers = {"auth": shop.token(jti="the-only-one", exp=seconds(shop.server.runtime.clock, hours=1))}

    assert all([passed(await ask(shop, headers)) for _ in range(3)])


async def test_two_different_tokens_are_none(shop, stranger):
    answer = await shop.server.http.get(
        f"{V2}/{shop.app_id}/campaign/nothing", headers=[("auth", shop.token()), ("auth", stranger.token())]
    )

    assert refused(answer)


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
async def test_another_algorithm_than_the_stored_one_is_refused_even_with_the_right_secret(shop):
    token = jwt.encode({"appId": shop.client.id}, shop.client.secret, algorithm="HS384")

    assert refused(await ask(shop, {"auth": token}))


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"iid": "st-0603182c-7ffb-53c3-b307-47ca14b90000"}, ""),
        ({"accountId": "67777ce93e25326494e00000"}, ""),
        ({}, "?accountId=67777ce93e25326494e00000"),
        ({}, "?accountId={own}&accountId=67777ce93e25326494e00000"),
    ],
)
async def test_header_path_and_query_must_agree(shop, headers, query):
    answer = await ask(shop, {"auth": shop.token(), **headers}, query=query.replace("{own}", shop.account_id))

    assert answer.status_code == 403
    assert answer.json()["errors"][0]["code"] == "forbidden"


async def test_claims_must_agree_as_well(shop, stranger):
    foreign = [{"iid": stranger.app_id}, {"accountId": stranger.account_id}, {"ACCOUNTID": "x"}]
    foreign += [{"iss": stranger.client.id}, {"iss": ""}, {"kore_iss": "x"}, {"kore_iss": [5]}]
    for claim in foreign:
        assert (await ask(shop, {"auth": shop.token(**claim)})).status_code == 403


async def test_a_foreign_app_and_an_unknown_one_are_told_alike(shop, stranger):
    foreign = await ask(shop, {"auth": shop.token()}, app_id=stranger.app_id, prefix=V1)
    unknown = await ask(shop, {"auth": shop.token()}, app_id="st-00000000-0000-4000-8000-000000000000", prefix=V1)
    nonsense = await ask(shop, {"auth": shop.token()}, app_id="%2e%2e%2f", prefix=V1)

    assert foreign.status_code == unknown.status_code == nonsense.status_code == 403
    assert foreign.content == unknown.content == nonsense.content


async def test_a_client_without_the_scope_is_refused(shop):
    await shop.server.runtime.store.clients.change(shop.client.app.no, shop.client.id, scopes={"else"})

    assert (await ask(shop, shop.headers)).status_code == 403


async def test_our_own_resources_ask_for_the_same_token(shop, stranger):
    path = f"/v1/apps/{shop.app_id}/settings"

    mine = await shop.server.http.get(path, headers={"auth": shop.token()})
    nobody = await shop.server.http.get(path)
    foreign = await shop.server.http.get(path, headers=stranger.headers)

    assert (mine.status_code, nobody.status_code, foreign.status_code) == (200, 401, 403)
    assert nobody.json()["code"] == "unauthenticated"
    assert foreign.json()["code"] == "forbidden"


async def test_a_client_stored_without_an_algorithm_lets_nobody_in(shop):
    statement = "update client set algorithm = 'none' where id = :id"
    assert await change(shop.server.runtime.store, statement, id=shop.client.id) == 1

    assert refused(await ask(shop, {"auth": unsigned(shop, {"alg": "none"})}))
    assert refused(await ask(shop, shop.headers))


async def test_the_calls_of_all_apps_of_an_account_count_together_and_those_of_others_do_not(shop, stranger):
    sibling, free = await sibling_of(shop), await sibling_of(shop)
    for caller, limit in ((shop, 6), (sibling, 8), (stranger, 6)):
        await caller.v1("PATCH", "/settings", {"requests_per_minute": limit})

    told = []
    for caller, calls in (
        (shop, 3),
        (free, 2),
        (sibling, 1),
        (shop, 1),
        (sibling, 1),
        (free, 1),
        (sibling, 1),
        (stranger, 6),
    ):
        told.append([passed(await ask(caller, caller.headers)) for _ in range(calls)])
    await shop.v1("PATCH", "/settings", {"requests_per_minute": None})
    told.append([passed(await ask(shop, shop.headers))])

    assert [all(passes) for passes in told] == [True, True, True, False, True, True, False, True, True]


async def test_the_sixty_first_call_of_a_minute_is_refused_in_the_documented_words(shop):
    await shop.v1("PATCH", "/settings", {"requests_per_minute": 60})

    answers = [await ask(shop, shop.headers) for _ in range(61)]
    ours = await shop.v1("GET", "/settings")

    assert all(passed(answer) for answer in answers[:60])
    assert answers[60].status_code == 429
    assert 1 <= int(answers[60].headers["retry-after"]) <= 60
    assert answers[60].json()["message"] == (
        "You've exceeded the per-minute rate limit. Please wait for sometime before retrying."
    )
    assert ours.status_code == 200
