"""What machines ask: whether the process lives and is ready, its metrics, and the contract."""

import re

import httpx2
import pytest

from api.callers import V2
from callsheet import settings
from callsheet.api.app import build
from callsheet.bootstrap import open_runtime
from callsheet.console.welcome import Welcome
from databases import change


async def test_the_process_says_that_it_lives_and_is_ready(server):
    alive, ready = await server.http.get("/healthz"), await server.http.get("/readyz")

    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
    assert (ready.status_code, ready.json()["checks"]) == (200, {"database": True, "engine": True})
    assert [(await server.http.head(path)).status_code for path in ("/healthz", "/readyz")] == [200, 200]


async def test_a_process_whose_engine_stands_or_whose_database_is_gone_is_not_ready(tmp_path):
    async with open_runtime(settings.load(data=tmp_path), start_engine=False) as runtime:
        transport = httpx2.ASGITransport(build(runtime))
        async with httpx2.AsyncClient(transport=transport, base_url="http://callsheet.test") as http:
            standing = await http.get("/readyz")
            await change(runtime.store, "alter table app rename to gone")
            broken = await http.get("/readyz")
            alive = await http.get("/healthz")

    assert (standing.status_code, standing.json()["checks"]) == (503, {"database": True, "engine": False})
    assert (broken.status_code, broken.json()["checks"]["database"]) == (503, False)
    assert alive.status_code == 200


async def test_the_metrics_are_there(server):
    answer = await server.http.get("/metrics")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert "callsheet_active_runs" in answer.text


async def test_the_contract_names_every_resource_and_how_to_sign(server):
    contract = (await server.http.get("/openapi.json")).json()

    assert {
        "/v1/apps/{app}/templates",
        "/v1/apps/{app}/dnc-lists",
        "/v1/apps/{app}/dnc-lists/{list_id}/numbers",
        "/v1/apps/{app}/flows",
        "/v1/apps/{app}/{kind}/{list_id}/imports",
        "/v1/apps/{app}/sandbox/outbox",
        "/v1/apps/{app}/runs/{run_id}",
        "/v1/apps/{app}/settings",
        "/v1/apps/{app}/senders",
    } <= contract["paths"].keys()
    scheme = {"type": "apiKey", "in": "header", "name": "auth"}
    assert contract["components"]["securitySchemes"]["token"].items() >= scheme.items()
    unsigned = [path for path, one in contract["paths"].items() if not all("security" in each for each in one.values())]
    assert sorted(unsigned) == ["/v1/sessions", "/v1/setup"]


async def test_the_contract_declares_what_can_fail_and_how(server):
    contract = (await server.http.get("/openapi.json")).json()

    for operations in contract["paths"].values():
        for operation in operations.values():
            failures = {status: one for status, one in operation["responses"].items() if not status.startswith("2")}
            assert {"400", "401", "403", "default"} <= failures.keys()
            for failure in failures.values():
                assert failure["content"] == {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                }
    assert "HTTPValidationError" not in contract["components"]["schemas"]
    numbers = contract["paths"]["/v1/apps/{app}/dnc-lists/{list_id}/numbers"]["post"]["responses"]
    assert numbers.keys() == {"200", "400", "401", "403", "404", "413", "default"}
    assert "409" in contract["paths"]["/v1/apps/{app}/templates"]["post"]["responses"]
    assert contract["components"]["schemas"]["Problem"]["properties"]["errors"]["items"] == {
        "$ref": "#/components/schemas/WrongField"
    }
    assert not any("ValidationError" in name for name in contract["components"]["schemas"])


async def test_the_contract_is_where_the_resources_are_too(server):
    assert (await server.http.get("/v1/openapi.json")).json() == (await server.http.get("/openapi.json")).json()


async def test_the_contract_says_that_a_setting_which_is_not_named_stays_as_it_is(server):
    contract = (await server.http.get("/openapi.json")).json()
    changed = contract["components"]["schemas"]["ChangedSettings"]

    assert changed["properties"].keys() == contract["components"]["schemas"]["ShownSettings"]["properties"].keys()
    for field in changed["properties"].values():
        assert "default" not in field
        assert field["description"]
    assert "required" not in changed


async def test_a_problem_has_the_declared_shape(shop):
    contract = (await shop.server.http.get("/openapi.json")).json()
    problem = (await shop.v1("POST", "/templates", {})).json()

    assert problem.keys() == contract["components"]["schemas"]["Problem"]["properties"].keys()


async def test_the_page_of_the_contract_fetches_nothing_from_elsewhere(server):
    page = await server.http.get("/docs")
    wanted = re.findall(r"""(?:src|href)="([^"]+)"|url: '([^']+)'""", page.text)

    assert page.status_code == 200
    assert len(wanted) == 4
    for path in ("".join(one) for one in wanted):
        assert path.startswith("/")
        assert (await server.http.get(path)).status_code == 200
    assert "://" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("path", ["/v1/apps/{app}/runs", V2 + "/{app}/campaign/x", "/healthz"])
async def test_no_answer_is_kept_by_caches(shop, path):
    answer = await shop.server.http.get(path.format(app=shop.app_id), headers=shop.headers)

    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_console_answers_what_is_not_the_apis(server):
    async def home(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"home of " + scope["path"].encode()})

    transport = httpx2.ASGITransport(build(server.runtime, home=home))
    async with httpx2.AsyncClient(transport=transport, base_url="http://callsheet.test") as http:
        pages = [(await http.get(path)).text for path in ("/", "/welcome/x", "/assets/a.js")]
        ours = [(await http.get(path)).status_code for path in ("/v1/nothing", "/v1/apps/a/b", V2 + "/a/b", "/healthz")]

    assert pages == ["home of /", "home of /welcome/x", "home of /assets/a.js"]
    assert ours == [404, 401, 401, 200]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_where_nothing_is_a_program_gets_a_problem_and_a_person_a_page(server, method):
    transport = httpx2.ASGITransport(build(server.runtime, home=Welcome(server.runtime.sign_in.invitation)))
    async with httpx2.AsyncClient(transport=transport, base_url="http://callsheet.test") as http:
        asked = [
            await http.request(method, "/nowhere", content=b"no JSON" * (method == "POST"), headers={"accept": accept})
            for accept in ("*/*", "application/json", "text/html,*/*;q=0.8")
        ]

    kinds = ["application/problem+json", "application/problem+json", "text/html; charset=utf-8"]
    assert [(one.status_code, one.headers["content-type"]) for one in asked] == [(404, kind) for kind in kinds]
    assert all(one.headers["cache-control"] == "no-store" for one in asked)
    assert method == "HEAD" or asked[0].json()["code"] == "not_found"
