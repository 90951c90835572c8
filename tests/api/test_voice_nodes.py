"""The voice nodes of a server are shown, and one is emptied and filled again."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from api.callers import HASTY, Caller, Server, make_client
from callsheet import settings
from callsheet.api.app import build
from callsheet.bootstrap import open_runtime

LOCAL = "/v1/voice-nodes/local"


@pytest_asyncio.fixture(loop_scope="session")
async def without_trunks(tmp_path: Path) -> AsyncIterator[Caller]:
    """Call a server of the test's own: others make SIP trunks at the one that is shared, and its node starts."""
    async with open_runtime(settings.load(data=tmp_path / "data"), timings=HASTY) as runtime:
        transport = httpx2.ASGITransport(build(runtime))
        async with httpx2.AsyncClient(transport=transport, base_url="http://callsheet.test") as http:
            server = Server(runtime, http)
            yield Caller(server, await make_client(server))


async def test_the_node_beside_the_server_is_shown_before_there_is_a_trunk_for_it(without_trunks):
    shop = without_trunks
    (node,) = (await shop._send("GET", "/v1/voice-nodes", None)).json()["items"]

    assert (node["name"], node["state"], node["calls"], node["is_remote"]) == ("local", "stopped", 0, False)
    assert (await shop._send("GET", LOCAL, None)).json() == node


async def test_a_node_that_is_emptied_says_so_until_it_gets_calls_again(shop):
    for verb, is_draining in (("drain", True), ("drain", True), ("resume", False)):
        answer = await shop._send("POST", f"{LOCAL}/{verb}", {})
        assert (answer.status_code, answer.json()["is_draining"]) == (200, is_draining)
        assert (await shop._send("GET", LOCAL, None)).json() == answer.json()


@pytest.mark.parametrize(
    "call", ["GET /elsewhere", "POST /elsewhere/drain", "POST /elsewhere/resume", "POST /elsewhere/restart"]
)
async def test_a_node_that_nobody_knows_is_not_there(shop, call):
    method, path = call.split()

    assert (await shop._send(method, f"/v1/voice-nodes{path}", {} if method == "POST" else None)).status_code == 404


async def test_a_node_that_does_not_run_is_not_started_anew_and_nonsense_is_refused(without_trunks):
    shop = without_trunks
    answer = await shop._send("POST", f"{LOCAL}/restart", {})
    assert (answer.status_code, answer.json()["is_draining"]) == (200, False)

    for nonsense in (-1, 7201, "soon", None):
        assert (await shop._send("POST", f"{LOCAL}/restart", {"drain_seconds": nonsense})).status_code == 400
