"""The route table of the documented wire equals the documented one plus ours, and the contract tells of all of it."""

import re

from api.documented import OURS, ROWS
from callsheet.api.compat.contract import ROWS as CONTRACT
from callsheet.api.compat.contract import write_contract
from callsheet.api.compat.router import table
from callsheet.api.paths import find_address

_PARAMETER = re.compile(r"\{\w+\}")


def route_of(method: str, path: str) -> tuple[str, str]:
    """Return the route that answers a printed path, as the router spells it."""
    raw = _PARAMETER.sub("Something", path.partition("?")[0])
    address = find_address(raw.encode(), raw)
    for known, methods in table():
        pattern = re.escape(known).replace(r"\{thing\}", "[^/]+")
        if re.fullmatch(pattern, address.path) and method in methods:
            return method, known
    raise AssertionError(f"nothing answers {method} {path}")


def test_the_route_table_equals_the_documented_one_plus_ours(capsys):
    documented = {route_of(*printed) for printings in ROWS.values() for printed in printings}
    ours = {(method, path) for path, methods in table() for method in methods}

    with capsys.disabled():
        print()  # noqa: T201
        for name, printings in ROWS.items():
            for method, path in printings:
                print(f"{name:26} {method:6} {path:98} -> {route_of(method, path)[1]}")  # noqa: T201
        for method, path in sorted(ours - documented):
            print(f"{'ours':26} {method:6} {path}")  # noqa: T201

    assert ours - documented == OURS
    assert documented <= ours


def test_every_printed_path_of_the_29_operations_is_in_the_contract():
    printed = {
        (method, _PARAMETER.sub("{}", path.partition("?")[0]))
        for printings in ROWS.values()
        for method, path in printings
    }
    told = {
        (method.upper(), _PARAMETER.sub("{}", path))
        for path, operations in write_contract()["paths"].items()
        for method in operations
    }
    assert told - printed == set()
    assert printed - told == set()


def test_the_contract_names_no_schema_that_is_not_there():
    contract = write_contract()
    named = set(re.findall(r"#/components/schemas/(\w+)", str(contract)))
    assert named <= contract["components"]["schemas"].keys()
    assert len({row.name for row in CONTRACT}) >= 20


async def test_both_contracts_have_a_page_that_fetches_nothing_from_elsewhere(server):
    for page, contract in (("/docs", "/openapi.json"), ("/docs/compat", "/compat/openapi.json")):
        shown = await server.http.get(page)
        assert shown.status_code == 200
        assert contract in shown.text
        assert "//cdn" not in shown.text
        assert (await server.http.get(contract)).json()["openapi"].startswith("3.1")
