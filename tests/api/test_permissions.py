"""Every route has its line in the table of permissions, and a client without the scope gets nowhere."""

from functools import cache

import pytest
from starlette.routing import Route

from callsheet.api.compat import router as compat
from callsheet.api.paths import Dialect, find_address
from callsheet.api.v1.app import build
from callsheet.core.permissions import Area, Scope, find_needs, need_of
from contracts import our_contract

OPEN = {
    "/docs",
    "/docs/oauth2-redirect",
    "/docs/compat",
    "/openapi.json",
    "/compat/openapi.json",
    "/v1/openapi.json",
    "/v1/setup",
    "/v1/sessions",
    "/v1/sessions/current",
    "/v1/sessions/current/password",
    "/healthz",
    "/readyz",
    "/metrics",
}
"""Routes for anybody."""


@cache
def routes() -> set[tuple[str, str]]:
    """Return method and path of every route of ours that is in the contract."""
    paths = our_contract()["paths"]
    return {
        (method.upper(), path.replace("{kind}", kind))
        for path, operations in paths.items()
        for method in operations
        for kind in ("contact-lists", "dnc-lists")
    }


async def test_every_route_of_ours_has_a_line_in_the_table():
    found = [find_address(path.encode(), path) for _, path in routes()]

    assert len(found) > 20
    assert not [one.path for one in found if one.has_caller() and find_needs(one.area, one.words) is None]
    assert not [one.path for one in found if not one.has_caller() and one.path not in OPEN]


async def test_every_documented_route_has_a_line_in_the_table():
    paths = [path for path, _ in compat._ROUTES]

    assert not [path for path in paths if find_needs(Area.compat, path.split("/")[1:]) is None]


async def test_nothing_outside_the_contract_is_open_but_what_is_meant_to_be(server):
    known = {path for _, path in routes()}
    others = {route.path for route in build(server.runtime).routes if isinstance(route, Route)} - known
    assert others

    assert {path for path in others if not find_address(path.encode(), path).has_caller()} <= OPEN


@pytest.mark.parametrize(
    "every", [pytest.param(len(Scope), id="sample"), pytest.param(1, id="whole", marks=pytest.mark.full)]
)
@pytest.mark.parametrize("scope", Scope)
async def test_a_client_gets_where_its_scopes_lead_and_nowhere_else(shop, scope, every):
    await shop.server.runtime.store.clients.change(shop.client.app.no, shop.client.id, scopes={scope})

    turn = list(Scope).index(scope)
    for at, (method, template) in enumerate(sorted(routes())):
        path = template.replace("{app}", shop.app_id).replace("{", "").replace("}", "")
        address = find_address(path.encode(), path)
        needed = need_of(address.area, address.words, method).scope
        # Every route has its turn with some scope, and always with its own.
        if needed != scope and (at + turn) % every:
            continue
        answer = await shop.server.http.request(method, path, headers=shop.headers)
        assert (answer.status_code == 403) == (address.has_caller() and needed != scope), (method, path, answer.text)
    documented = await shop.compat("GET", "/campaign/nothing")
    assert documented.status_code == (404 if scope == Scope.campaign_management else 403)


@pytest.mark.parametrize(
    "path", ["/v1%2Fapps%2F{app}/settings", "/v1/apps%2F{app}/settings", "/v1%2Fapps/{app}/clients", "/v1/apps/"]
)
async def test_an_encoded_slash_goes_round_no_door(shop, path):
    answer = await shop.server.http.get(path.format(app=shop.app_id))

    assert answer.status_code in (401, 404)


def test_a_path_is_read_as_the_routes_read_it():
    address = find_address(b"/v1/apps/st-1/dnc-lists/a%2Fb", "/v1/apps/st-1/dnc-lists/a/b")

    assert (address.dialect, address.app_id, address.words) == (Dialect.v1, "st-1", ("dnc-lists", "a", "b"))
