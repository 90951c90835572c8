"""Versions of flows: stored, published, rolled back; runs and conversations keep theirs."""

from typing import Any

from api.callers import unique
from client.flow import FLOW, said


async def made(shop: Any, text: str = "One") -> str:
    answer = await shop.v1("POST", "/flows", {"name": unique("Flow"), "document": said(text)})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def listed(shop: Any, flow_id: str) -> dict[str, Any]:
    (found,) = [one async for one in shop.pages("/flows") if one["id"] == flow_id]
    return dict(found)


async def test_a_version_is_stored_and_not_published(shop):
    flow_id = await made(shop)

    added = await shop.v1("POST", f"/flows/{flow_id}/versions", {"document": said("Two")})
    shown = (await shop.v1("GET", f"/flows/{flow_id}")).json()

    assert added.status_code == 201, added.text
    assert added.json() == {**added.json(), "version": 2, "is_present": False, "document": said("Two"), "warnings": []}
    assert (shown["version"], shown["document"]) == (1, said("One"))
    assert {**await listed(shop, flow_id), "version": 1, "latest_version": 2} == await listed(shop, flow_id)
    assert (await shop.v1("GET", f"/flows/{flow_id}/versions/2")).json()["document"] == said("Two")


async def test_any_version_becomes_the_present_one(shop):
    flow_id = await made(shop)
    await shop.v1("POST", f"/flows/{flow_id}/versions", {"document": said("Two")})

    later = await shop.v1("POST", f"/flows/{flow_id}/versions/2/publish")
    document = (await shop.v1("GET", f"/flows/{flow_id}")).json()["document"]
    back = await shop.v1("POST", f"/flows/{flow_id}/versions/1/publish")
    again = (await shop.v1("GET", f"/flows/{flow_id}")).json()

    assert (later.status_code, later.json()["version"], later.json()["is_present"]) == (200, 2, True)
    assert document == said("Two")
    assert (back.json()["version"], again["version"], again["document"]) == (1, 1, said("One"))


async def test_what_is_put_after_a_roll_back_gets_a_number_of_its_own(shop):
    flow_id = await made(shop)
    await shop.v1("PUT", f"/flows/{flow_id}", {"document": said("Two")})
    await shop.v1("POST", f"/flows/{flow_id}/versions/1/publish")

    put = await shop.v1("PUT", f"/flows/{flow_id}", {"document": said("Three")})
    versions = [one async for one in shop.pages(f"/flows/{flow_id}/versions", limit=2)]

    assert (put.json()["version"], put.json()["warnings"]) == (3, [])
    assert [(one["version"], one["is_present"]) for one in versions] == [(3, True), (2, False), (1, False)]
    assert (await shop.v1("GET", f"/flows/{flow_id}/versions/2")).json()["document"] == said("Two")


async def test_what_has_no_document_yet_has_no_version(shop):
    flow_id = (await shop.v1("POST", "/flows", {"name": unique("Flow")})).json()["id"]

    answers = [
        await shop.v1("GET", f"/flows/{flow_id}/versions/1"),
        await shop.v1("POST", f"/flows/{flow_id}/versions/1/publish"),
        await shop.v1("POST", f"/flows/{flow_id}/dry-run", {}),
    ]

    assert (await shop.v1("GET", f"/flows/{flow_id}/versions")).json() == {"items": [], "next": None}
    assert {(one.status_code, one.json()["code"]) for one in answers} == {(404, "flow_version_not_found")}


async def test_a_flow_that_is_not_there_has_no_versions(shop):
    answers = [
        await shop.v1("GET", "/flows/cf-no/versions"),
        await shop.v1("POST", "/flows/cf-no/versions", {"document": FLOW}),
        await shop.v1("POST", "/flows/cf-no/dry-run", {}),
    ]

    assert {(one.status_code, one.json()["code"]) for one in answers} == {(404, "flow_not_found")}


async def test_a_document_with_errors_is_refused_wherever_it_comes_in_and_all_paths_are_named(shop):
    flow_id = await made(shop)
    broken = {"flows": [{"blocks": [{"uuid": "a"}]}, {"blocks": []}]}

    answers = [
        await shop.v1("POST", "/flows", {"name": unique("Flow"), "document": broken}),
        await shop.v1("PUT", f"/flows/{flow_id}", {"document": broken}),
        await shop.v1("PATCH", f"/flows/{flow_id}", {"document": broken}),
        await shop.v1("POST", f"/flows/{flow_id}/versions", {"document": broken}),
        await shop.v1("POST", "/flows/dry-run", {"document": broken}),
    ]
    validated = (await shop.v1("POST", "/flows/validate", {"document": broken})).json()

    named = {one["path"] for one in validated["findings"] if one["severity"] == "error"}
    assert {"document.flows[0].blocks[0].type", "document.flows[1].blocks"} <= named
    assert not validated["is_valid"]
    assert all(answer.status_code == 400 for answer in answers)
    assert [{error["field"] for error in answer.json()["errors"]} for answer in answers] == [named] * 5
    assert (await listed(shop, flow_id))["latest_version"] == 1


async def test_one_answer_names_what_is_wrong_with_a_body_and_with_its_document(shop):
    flow_id = await made(shop)
    ends = {"uuid": "a", "type": "Core.Strange", "exits": [{"destination_block": "nowhere"}]}
    broken = {"flows": [{"blocks": [ends]}]}
    in_document = {"document.flows[0].blocks[0].type", "document.flows[0].blocks[0].exits[0].destination_block"}

    named = [
        {error["field"] for error in answer.json()["errors"]}
        for answer in [
            await shop.v1("POST", "/flows", {"name": " ", "colour": "red", "document": broken}),
            await shop.v1("POST", "/flows", {"document": broken}),
            await shop.v1("PATCH", f"/flows/{flow_id}", {"name": " ", "document": broken}),
            await shop.v1("PUT", f"/flows/{flow_id}", {"colour": "red", "document": broken}),
            await shop.v1("POST", "/flows/dry-run", {"replies": [5], "document": broken}),
            await shop.v1("POST", "/flows", {"name": " ", "document": 5}),
        ]
    ]

    assert named == [
        {"name", "colour", *in_document},
        {"name", *in_document},
        {"name", *in_document},
        {"colour", *in_document},
        {"replies[0]", *in_document},
        {"name", "document"},
    ]
    assert (await shop.v1("POST", "/flows/validate", {"colour": 1, "document": broken})).status_code == 400
    assert (await listed(shop, flow_id))["latest_version"] == 1


async def test_a_good_document_is_valid_and_validating_stores_nothing(shop):
    before = [one async for one in shop.pages("/flows")]

    answer = await shop.v1("POST", "/flows/validate", {"document": FLOW})

    assert answer.status_code == 200
    assert answer.json()["is_valid"]
    assert [one async for one in shop.pages("/flows")] == before


async def test_ten_thousand_blocks_come_in(shop):
    chain = [f"{serial:08}-0000-4000-8000-000000000000" for serial in range(10_000)]
    blocks = [
        {
            "uuid": uuid,
            "name": f"block_{serial}",
            "label": "A block with a label of a usual length, as authors of flows write them",
            "type": "Core.Log",
            "config": {"message": "here"},
            "exits": [{"uuid": uuid, "name": "on", "default": True, "destination_block": after}],
        }
        for serial, (uuid, after) in enumerate(zip(chain, [*chain[1:], None], strict=True))
    ]

    answer = await shop.v1("POST", "/flows/validate", {"document": {"blocks": blocks}})
    elsewhere = await shop.v1("POST", "/templates", {"name": "x", "body": "x", "blocks": blocks})

    assert answer.status_code == 200, answer.text[:300]
    assert elsewhere.status_code == 413
