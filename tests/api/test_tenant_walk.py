"""Every route of both contracts, with every id of another tenant, is 404; a new route is walked the day it comes."""

from typing import Any

import pytest_asyncio

from api.callers import Caller
from api.everything import Operation, example, fill, operations, own_everything, send

# A call that needs voice says so before it looks at anything.
NEEDS_VOICE = "/smartassist/dialout"
QUERY = {"trigger": "stop", "view": "status", "campaignType": "sms", "enableSchedule": "false"}


@pytest_asyncio.fixture(loop_scope="session")
async def theirs(stranger: Caller) -> dict[str, str]:
    return await own_everything(stranger)


async def picture(caller: Caller, ids: dict[str, str]) -> dict[str, Any]:
    """Return what every read of an owner shows, but what goes on by itself."""
    seen = {}
    for operation in operations(caller):
        if operation.method == "GET" and not operation.path.endswith(("/audit", "/audit/verify", "/deliveries")):
            answer = await send(caller, operation, fill(operation, caller, ids))
            seen[str(operation)] = (answer.status_code, answer.text)
    return seen


async def test_every_id_in_every_path_has_somebody_who_owns_it(shop, theirs):
    unknown = {name for one in operations(shop) for name in one.parameters()} - theirs.keys()
    assert unknown == set(), "say in everything.py how one is made"


async def test_no_route_reaches_anything_of_another_tenant(shop, stranger, theirs):
    mine = await own_everything(shop)
    before = await picture(stranger, theirs)
    reached = []
    for operation in operations(shop):
        for name in operation.parameters():
            # The other's thing where it is meant, and any other thing of his; below a thing of mine, and of his.
            for around in (mine, theirs):
                for foreign in set(theirs.values()):
                    path = fill(operation, shop, {**around, name: foreign, f"dnc_{name}": foreign})
                    answer = await send(shop, operation, path, query=_query(operation))
                    if answer.status_code != 404 and NEEDS_VOICE not in path:
                        reached.append(f"{operation} {path} {answer.status_code} {answer.text[:200]}")
    assert not reached, "\n".join(reached)
    assert await picture(stranger, theirs) == before


async def test_the_same_requests_find_what_is_ones_own(shop):
    """Else the walk would prove nothing: a body that does not fit is refused before anybody looks whose the id is."""
    mine = await own_everything(shop)
    lost = []
    for operation in sorted(operations(shop), key=_gently):
        if operation.parameters() and NEEDS_VOICE not in operation.path:
            answer = await send(shop, operation, fill(operation, shop, mine), query=_query(operation))
            if answer.status_code in (400, 404, 405, 500):
                lost.append(f"{operation} {answer.status_code} {example(operation)} {answer.text[:300]}")
    assert not lost, "\n".join(lost)


def _query(operation: Operation) -> dict[str, str]:
    return {} if operation.path.startswith("/v1/") else QUERY


def _gently(operation: Operation) -> tuple[int, int]:
    """Look first, change then, delete at last; what is below a thing before the thing."""
    return ["GET", "POST", "PUT", "PATCH", "DELETE"].index(operation.method), -operation.path.count("/")
