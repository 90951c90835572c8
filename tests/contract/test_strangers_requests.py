"""Both OpenAPI documents against a server: what nobody would think of is answered as they say, and never by 5xx."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import (
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.specs.openapi.checks import content_type_conformance

from callsheet.api.compat.contract import write_contract as write_compat_contract
from contract.belongings import Belongings, make_belongings
from contracts import our_contract, our_operations
from e2e.running import PATIENCE_SECONDS, Process, server

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES, FULL_EXAMPLES = 3, 100


Named = tuple[str, str, str]
"""An operation: which contract, method and path."""

COMPAT = [(method.upper(), path) for path, methods in write_compat_contract()["paths"].items() for method in methods]
NAMED: list[Named] = [
    (name, *one) for name, operations in (("compat", COMPAT), ("v1", our_operations())) for one in operations
]


def _parameters() -> list[Any]:
    found, seen = [], set()
    for name, method, path in NAMED:
        # The same call under another prefix is one for the full suite.
        call = (name, method, path.rpartition("/public/")[2])
        marks = [pytest.mark.full] if call in seen else []
        seen.add(call)
        found.append(pytest.param((name, method, path), id=f"{name} {method} {path}", marks=marks))
    return found


OPERATIONS = _parameters()


@cache
def known() -> dict[Named, Any]:
    """Return the operations of both contracts: to read them takes seconds, which only who asks them needs."""
    contracts = {"compat": write_compat_contract(), "v1": our_contract()}
    found = {}
    for name, contract in contracts.items():
        for result in schemathesis.openapi.from_dict(contract).get_all_operations():
            operation = result.ok()
            found[name, operation.method.upper(), operation.path] = operation
    return found


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with server(tmp_path_factory.mktemp("served") / "data", allow_private_addresses="true") as running:
        yield running


@pytest.fixture(scope="module")
def belongings(process: Process) -> Belongings:
    return make_belongings(process)


def _ask(process: Process, belongings: Belongings, operation: Any, examples: int) -> None:
    headers = {"auth": process.token}
    base_url = process.known["base_url"]
    modes = st.sampled_from(list(schemathesis.GenerationMode))
    cases = modes.flatmap(lambda mode: operation.as_strategy(generation_mode=mode))

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, knows=st.integers(0, 3))
    def ask(case: Any, knows: int) -> None:
        # One request in four names things that are not there.
        if knows:
            case.path_parameters = belongings.known(case.path_parameters or {})
        else:
            case.path_parameters = belongings.known(case.path_parameters or {}, only=("app", "appId", "accountId"))
        response = case.call(base_url=base_url, headers=headers, session=session, timeout=PATIENCE_SECONDS)
        case.validate_response(response, checks=CHECKS)

    with requests.Session() as session:
        ask()


def test_every_operation_of_the_contracts_is_asked():
    assert sorted(known()) == sorted(NAMED)


@pytest.mark.parametrize("named", OPERATIONS)
def test_no_request_breaks_the_server(process: Process, belongings: Belongings, named: Named):
    _ask(process, belongings, known()[named], EXAMPLES)


@pytest.mark.full
@pytest.mark.parametrize("named", OPERATIONS)
def test_no_request_breaks_the_server_at_full_count(process: Process, belongings: Belongings, named: Named):
    _ask(process, belongings, known()[named], FULL_EXAMPLES)
