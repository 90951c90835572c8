"""No route of both contracts, with whatever of another tenant, tells or touches anything of his.

The routes come from the contracts, so that a new one is walked the day it comes. Every statement of these requests is
watched besides (`tenant_watch.py`): one that names no tenant is a 500, and a 500 is a failure here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

import pytest
import pytest_asyncio

from api.callers import Caller, Server, make_client
from api.everything import Operation, Taste, example, fill, operations, own_everything, placings, send
from api.people import hash_cheaply
from phone_numbers import numbers

# Of these, nobody is a tenant: who calls is asked first, or signs in, and a token is no session; nodes carry all calls.
OF_NOBODY = ("/v1/sessions", "/v1/setup", "/v1/voice-nodes")
QUERY = {"trigger": "stop", "view": "status", "campaignType": "sms", "enableSchedule": "false"}
# What goes on by itself.
MOVES = ("/audit", "/audit/verify", "/deliveries")
_nobodys = (f"cd-00000000-0000-4000-8000-{serial:012}" for serial in count(1))
# Of the ids that do not fit a place, a fair share is tried each time: over all places every one has its turn.
SHARES = pytest.mark.parametrize(
    "every", [pytest.param(120, id="sample"), pytest.param(1, id="whole", marks=pytest.mark.full)]
)
TASTE = Taste("Stranger", numbers("IN", 1, seed=8)[0], "+12025550188", "Stranger buyers")


@dataclass(frozen=True, slots=True)
class Theirs:
    """What another tenant owns."""

    ids: Mapping[str, str]
    names: tuple[str, ...]

    def marks(self, caller: Caller) -> set[str]:
        """Return what no answer to anybody else may hold. His account and app are called Stranger too."""
        digits = {number.removeprefix("+") for number in (TASTE.person, TASTE.sender)}
        return {*self.ids.values(), TASTE.word, *digits, caller.app_id, caller.account_id, caller.client.secret}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stranger(server: Server) -> Caller:
    """Make one stranger for all walks: that nothing of his changes is what they are about."""
    return Caller(server, await make_client(server, name="Stranger"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def theirs(stranger: Caller) -> Theirs:
    hash_cheaply(stranger)
    names = (TASTE.list_name, *(f"{TASTE.word} {kind}" for kind in ("campaign", "dnc", "template", "flow", "queue")))
    return Theirs(await own_everything(stranger, TASTE), names)


async def picture(caller: Caller, ids: Mapping[str, str]) -> dict[str, Any]:
    """Return what every read of an owner shows, but what goes on by itself."""
    seen = {}
    for operation in walked():
        if operation.method == "GET" and not operation.path.endswith(MOVES):
            answer = await send(caller, operation, fill(operation, caller, ids))
            assert answer.status_code == 200, (str(operation), answer.text)
            seen[str(operation)] = answer.text
    return seen


def walked() -> Iterator[Operation]:
    """Yield every call that is somebody's."""
    return (one for one in operations() if not one.path.startswith(OF_NOBODY))


def faults(answer: Any, marks: set[str]) -> list[str]:
    """Return what is wrong with any answer to somebody else: what he did not say himself, he is not told."""
    said = f"{answer.request.url} {answer.request.content.decode(errors='replace')}"
    told = sorted(mark for mark in marks if mark in answer.text and mark not in said)
    return [f"tells {told}"] * bool(told) + [f"fails: {answer.status_code}"] * (answer.status_code >= 500)


async def test_every_id_in_every_path_has_somebody_who_owns_it(shop, theirs):
    unknown = {name for one in walked() for name in one.parameters()} - theirs.ids.keys()
    assert unknown == set(), "say in everything.py how one is made"


@SHARES
async def test_no_route_reaches_anything_of_another_tenant(shop, stranger, theirs, every):
    mine = await own_everything(shop)
    before = await picture(stranger, theirs.ids)
    marks, reached, turns = theirs.marks(stranger), list[str](), count()
    for operation in walked():
        for path in _foreign_paths(operation, shop, mine, theirs, next(turns), every):
            answer = await send(shop, operation, path, query=_query(operation))
            if answer.status_code != 404 or faults(answer, marks):
                reached.append(f"{operation} {path} {answer.status_code} {answer.text[:200]}")
    assert not reached, "\n".join(reached)
    assert await picture(stranger, theirs.ids) == before


def _foreign_paths(
    operation: Operation, caller: Caller, mine: Mapping[str, str], theirs: Theirs, turn: int, every: int
) -> Iterator[str]:
    """Yield paths with the other's thing where it is meant, and with any other thing of his."""
    # Only the documented calls find things by their names.
    named = () if operation.path.startswith("/v1/") else theirs.names[:2]
    for name in operation.parameters():
        # Below a thing of mine, and of his.
        for around in (mine, theirs.ids):
            for foreign in {theirs.ids[name], *sorted(theirs.ids.values())[turn % every :: every], *named}:
                yield fill(operation, caller, {**around, name: foreign, f"dnc_{name}": foreign})


async def test_no_route_is_open_below_the_app_or_the_account_of_another_tenant(shop, stranger, theirs):
    before = await picture(stranger, theirs.ids)
    marks, reached = theirs.marks(stranger), []
    for operation in walked():
        path = fill(operation, stranger, theirs.ids)
        if stranger.app_id in path or stranger.account_id in path:
            answer = await send(shop, operation, path, query=_query(operation))
            if answer.status_code not in (403, 404) or faults(answer, marks):
                reached.append(f"{operation} {answer.status_code} {answer.text[:200]}")
    assert not reached, "\n".join(reached)
    assert await picture(stranger, theirs.ids) == before


async def test_no_answer_to_what_is_ones_own_tells_of_another_tenant(shop, stranger, theirs):
    """Lists, pages, reports and files; and a request that fits finds what is one's own, else this would prove nothing.

    A body that does not fit is refused before anybody looks whose the id is.
    """
    mine = await own_everything(shop)
    marks, wrong = theirs.marks(stranger), []
    for operation in sorted(walked(), key=_gently):
        answer = await send(shop, operation, fill(operation, shop, mine), query=_query(operation))
        looked = operation.parameters() or operation.path.endswith(("/history", "Details", "details"))
        # What is deleted under one path is gone under the next.
        gone = (404,) if operation.method != "DELETE" else ()
        lost = answer.status_code == 401 or (bool(looked) and answer.status_code in (400, *gone, 405))
        if lost or faults(answer, marks):
            wrong.append(f"{operation} {answer.status_code} {faults(answer, marks)} {example(operation)} {answer.text}")
    assert not wrong, "\n".join(wrong)


@SHARES
async def test_what_another_tenant_owns_is_as_if_it_were_not_wherever_it_is_named(shop, stranger, theirs, every):
    """In every place of a query or a body where a text goes: the answer is the one to an id that nobody has.

    A place where nobody's id is taken is one for any text: it is stored, and nothing is looked up by it.
    """
    hash_cheaply(shop)
    mine = await own_everything(shop)
    before = await picture(stranger, theirs.ids)
    marks, wrong, turns = theirs.marks(stranger), list[str](), count()
    for operation in walked():
        if operation.method == "DELETE":
            continue
        path = fill(operation, shop, mine)
        for place in range(len([*_sayings(operation, "")])):
            foreigners = [*theirs.ids.values(), *theirs.names, TASTE.person, TASTE.sender][next(turns) % every :: every]
            if not foreigners:
                continue
            expected = await _say(shop, operation, path, _saying(operation, next(_nobodys), place))
            if expected.status_code < 400 and operation.method != "GET":
                continue
            for foreign in foreigners:
                told = _saying(operation, foreign, place)
                answer = await _say(shop, operation, path, told)
                if not faults(answer, marks) and answer.status_code != expected.status_code:
                    # A number, or an id that holds one, may fit where another id does not.
                    expected = await _say(shop, operation, path, _saying(operation, f"{foreign[:-4]}4711", place))
                if answer.status_code < 400 and operation.method != "GET":
                    # What was taken is his own word from then on: a name, a number that he called.
                    marks -= {mark for mark in marks if mark in foreign}
                if faults(answer, marks) or answer.status_code != expected.status_code:
                    said = f"{faults(answer, marks)} {told} {answer.text[:200]}"
                    wrong.append(f"{operation} {expected.status_code} {answer.status_code} {said}")
    assert not wrong, "\n".join(wrong)
    assert await picture(stranger, theirs.ids) == before


def _sayings(operation: Operation, value: str) -> Iterator[tuple[dict[str, str], Any]]:
    """Yield queries and bodies with a value in one place each."""
    for name in operation.query:
        yield {**_query(operation), name: value}, None
    for body in placings(operation, value):
        yield _query(operation), body


def _saying(operation: Operation, value: str, place: int) -> tuple[dict[str, str], Any]:
    return next(islice(_sayings(operation, value), place, None))


async def _say(caller: Caller, operation: Operation, path: str, told: tuple[dict[str, str], Any]) -> Any:
    query, body = told
    return await send(caller, operation, path, query=query, body=body)


def _query(operation: Operation) -> dict[str, str]:
    return {} if operation.path.startswith("/v1/") else QUERY


def _gently(operation: Operation) -> tuple[int, int]:
    """Look first, change then, delete at last; what is below a thing before the thing."""
    return ["GET", "POST", "PUT", "PATCH", "DELETE"].index(operation.method), -operation.path.count("/")
