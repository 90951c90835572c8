"""A call that goes on is ended by whoever may change campaigns."""

from api.people import make_person
from api.test_calls import ANN, called
from api.test_recordings import going_on
from callsheet.core.ids import encode_attempt


async def test_a_call_that_goes_on_is_to_end(shop):
    attempt_id = await going_on(shop)
    for _ in range(2):
        asked = await shop.v1("POST", f"/calls/{attempt_id}/hangup")
        assert (asked.status_code, asked.json()["attempt_id"]) == (202, attempt_id)
    wanted = await shop.server.runtime.store.hang_ups.of_node(99)
    assert {encode_attempt(*key) for key in wanted.calls} == {attempt_id}
    assert (await shop.server.runtime.store.hang_ups.of_node(98)).calls == frozenset()


async def test_a_call_that_is_over_or_is_not_there_cannot_be_ended(shop):
    row = await called(shop, ANN)
    over = await shop.v1("POST", f"/calls/{encode_attempt(*row.key)}/hangup")
    assert (over.status_code, over.json()["code"]) == (409, "call_over")
    for nobody in ("x", encode_attempt(8, row.key.person, 1)):
        gone = await shop.v1("POST", f"/calls/{nobody}/hangup")
        assert (gone.status_code, gone.json()["code"]) == (404, "call_not_found")


async def test_who_only_looks_ends_no_call_and_who_ends_one_is_written_down(shop):
    viewer, attempt_id = await make_person(shop, "viewer"), await going_on(shop)
    path = f"/calls/{attempt_id}/hangup"
    assert (await viewer.call("POST", path)).status_code == 403
    assert (await shop.v1("POST", path)).status_code == 202
    (line, *_) = (await shop.v1("GET", "/audit")).json()["items"]
    assert (line["action"], line["thing"]) == ("POST /v1/apps/{app}/calls/{attempt_id}/hangup", attempt_id)
