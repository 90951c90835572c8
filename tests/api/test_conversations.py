"""Conversations: what was said, in order; the inbox of a queue; results exact to the last choice."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from api.callers import Caller, campaign_body, unique, until
from api.people import make_person
from client.flow import asked, handed_over
from phone_numbers import numbers

ONE = "9910"
"""Such a handset replies 1, which is a yes."""


async def talk(shop: Any, document: dict[str, Any], *people: str, waits_for: str) -> tuple[str, list[dict[str, Any]]]:
    """Have a flow talk with people, and return its id and the conversations once all wait for, or came to, this."""
    name = unique("Flow")
    flow = await shop.v1("POST", "/flows", {"name": name, "document": document})
    assert flow.status_code == 201, flow.text
    listed = await shop.make_list(*people)
    body = campaign_body(listed, format="advanced", message=None, experienceFlowName=name)
    campaign_id = (await shop.compat("POST", "/campaign", body)).json()["data"]["_id"]
    assert (await shop.trigger(campaign_id, "play")).status_code == 200
    query = {"flow": flow.json()["id"], "awaits": waits_for}

    async def are_there() -> list[dict[str, Any]]:
        found = [one async for one in shop.pages("/conversations", limit=2, **query)]
        return found if len(found) == len(people) else []

    return flow.json()["id"], await until(are_there)


async def shown(shop: Any, conversation_id: str) -> dict[str, Any]:
    answer = await shop.v1("GET", f"/conversations/{conversation_id}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def until_said(shop: Any, conversation_id: str, *lines: tuple[str, str, str]) -> dict[str, Any]:
    """Wait until a conversation is exactly this: who says what, and how it stands."""

    async def is_said() -> dict[str, Any] | None:
        whole = await shown(shop, conversation_id)
        return whole if [(one["by"], one["text"], one["state"]) for one in whole["messages"]] == [*lines] else None

    found = await until(is_said)
    assert found is not None
    return found


@pytest_asyncio.fixture(loop_scope="session")
async def handed(shop: Caller) -> dict[str, Any]:
    """Return a conversation that waits in the queue Support."""
    await shop.v1("POST", "/queues", {"name": "Support"})
    people = numbers("IN", 1, seed=11)
    _, (found,) = await talk(shop, handed_over("Hello", "Support", "helped"), *people, waits_for="person")
    return found


async def test_a_conversation_is_shown_with_what_was_said_and_the_way_it_took(shop):
    person = f"{numbers('IN', 1, seed=12)[0][:-4]}{ONE}"
    _, (found,) = await talk(shop, asked("Sure?"), person, waits_for="nothing")
    whole = await until_said(
        shop,
        found["id"],
        ("campaign", "Sure?", "delivered"),
        ("contact", "1", "received"),
        ("flow", "Thanks", "accepted"),
    )

    assert [(one["name"], one["has_left"], one["value"]) for one in whole["visits"]] == [
        ("ask", False, None),
        ("ask", True, "yes"),
        ("thank", True, None),
    ]
    assert (whole["ending"], whole["number"], whole["flow"]["version"], whole["queue"]) == ("done", person, 1, None)
    assert whole["run_id"].startswith("cid-")
    assert [one["direction"] for one in whole["messages"]] == ["out", "in", "out"]


async def test_conversations_are_found_by_what_they_are(shop):
    person, other = numbers("IN", 2, seed=13)
    flow_id, found = await talk(shop, asked("Sure?"), person, other, waits_for="reply")
    run_id = found[0]["run_id"]

    async def ids(**query: Any) -> set[str]:
        return {one["id"] async for one in shop.pages("/conversations", **query)}

    everything = {one["id"] for one in found}
    assert await ids(flow=flow_id) == await ids(run=run_id) == await ids(state="open") == everything
    assert await ids(state="ended") == await ids(awaits="person") == set()
    (mine,) = (one for one in found if one["number"] == person)
    assert await ids(person_id=mine["person_id"]) == {mine["id"]}
    by_number = (await shop.v1("POST", "/conversations/find", {"number": person})).json()
    assert [one["id"] for one in by_number["items"]] == [mine["id"]]
    assert sorted((one["opened_at"] for one in found), reverse=True) == [one["opened_at"] for one in found]


async def test_a_flow_with_open_conversations_is_not_deleted(shop):
    flow_id, (found,) = await talk(shop, asked("Sure?"), *numbers("IN", 1, seed=14), waits_for="reply")
    campaigns = (await shop.v1("GET", "/campaigns")).json()["items"]
    await shop.until_status(campaigns[0]["id"], "Completed")
    assert (await shop.v1("DELETE", f"/campaigns/{campaigns[0]['id']}")).status_code == 204

    refused = await shop.v1("DELETE", f"/flows/{flow_id}")

    assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
    assert (await shown(shop, found["id"]))["flow"]["id"] == flow_id


async def test_a_new_version_leaves_open_conversations_alone(shop):
    flow_id, (found,) = await talk(shop, asked("Sure?"), *numbers("IN", 1, seed=15), waits_for="reply")

    await shop.v1("PUT", f"/flows/{flow_id}", {"document": asked("Quite sure?")})

    whole = await until_said(shop, found["id"], ("campaign", "Sure?", "delivered"))
    assert (whole["flow"]["version"], whole["awaits"]) == (1, "reply")


async def test_somebody_takes_replies_and_closes(shop, handed):
    path = f"/conversations/{handed['id']}"
    inbox = (await shop.v1("GET", "/conversations", params={"queue": "support", "agent": ""})).json()["items"]
    assert [one["id"] for one in inbox] == [handed["id"]]
    assert (await shop.v1("POST", f"{path}/replies", {"text": "Hi"})).status_code == 409

    taken = await shop.v1("POST", f"{path}/take", {"agent": "Ravi"})
    other = await shop.v1("POST", f"{path}/take", {"agent": "Mira"})
    said = await shop.v1("POST", f"{path}/replies", {"text": " How can I help? ", "agent": "Ravi"})
    await until_said(shop, handed["id"], ("campaign", "Hello", "delivered"), ("agent", "How can I help?", "accepted"))
    closed = await shop.v1("POST", f"{path}/close", {"disposition": "solved", "agent": "Ravi"})

    assert taken.json()["note"] == "A member of helped"
    assert (taken.status_code, taken.json()["agent"], taken.json()["queue"]["name"]) == (200, "Ravi", "Support")
    assert (other.status_code, other.json()["code"]) == (409, "wrong_state")
    assert said.status_code == 202
    assert (closed.status_code, closed.json()["disposition"], closed.json()["ending"]) == (200, "solved", "done")
    assert (await shop.v1("POST", f"{path}/close", {"disposition": "again", "agent": "Ravi"})).status_code == 409
    assert (await shop.v1("GET", "/conversations", params={"queue": "Support"})).json()["items"] == []


async def test_what_was_taken_can_be_put_back(shop, handed):
    path = f"/conversations/{handed['id']}"
    await shop.v1("POST", f"{path}/take", {"agent": "Ravi"})

    stranger = await shop.v1("POST", f"{path}/release", {"agent": "Mira"})
    back = await shop.v1("POST", f"{path}/release", {"agent": "Ravi"})
    taken = await shop.v1("POST", f"{path}/take", {"agent": "Mira"})

    assert (stranger.status_code, back.json()["agent"], taken.json()["agent"]) == (409, "", "Mira")


async def test_an_operator_puts_back_what_somebody_else_took_and_an_agent_does_not(shop, handed):
    path = f"/conversations/{handed['id']}"
    agent, operator = await make_person(shop, "agent"), await make_person(shop, "operator")
    taken = await shop.v1("POST", f"{path}/take", {"agent": "Ravi"})

    refused = await agent.call("POST", f"{path}/release", {"agent": "Ravi"})
    reply = await operator.call("POST", f"{path}/replies", {"text": "Hi", "agent": "Ravi"})
    back = await operator.call("POST", f"{path}/release", {"agent": "Ravi"})

    assert [error["field"] for error in (*refused.json()["errors"], *reply.json()["errors"])] == ["agent", "agent"]
    assert (taken.json()["agent"], back.status_code, back.json()["agent"]) == ("Ravi", 200, "")


async def test_an_agent_sees_only_what_was_handed_over(shop, handed):
    agent = await make_person(shop, "agent")
    (person,) = numbers("IN", 1, seed=18)
    _, (other,) = await talk(shop, asked("Sure?"), person, waits_for="reply")
    calls = [("GET", "", None), ("POST", "/take", {}), ("POST", "/replies", {"text": "x"}), ("POST", "/release", {})]

    listed = (await agent.call("GET", "/conversations")).json()["items"]
    found = (await agent.call("POST", "/conversations/find", {"number": person})).json()["items"]
    refused = [await agent.call(method, f"/conversations/{other['id']}{way}", body) for method, way, body in calls]

    assert ([one["id"] for one in listed], found) == ([handed["id"]], [])
    assert {one.status_code for one in refused} == {404}
    assert (await agent.call("GET", f"/conversations/{handed['id']}")).status_code == 200


async def test_a_list_says_who_spoke_last(shop, handed):
    person = f"{numbers('IN', 1, seed=19)[0][:-4]}{ONE}"
    _, (answered,) = await talk(shop, asked("Sure?"), person, waits_for="nothing")
    whole = await shown(shop, answered["id"])

    assert (answered["last_by"], answered["last_message_at"]) == ("flow", whole["messages"][-1]["at"])
    assert handed["last_by"] == "campaign"
    await shop.v1("POST", f"/conversations/{handed['id']}/take")
    said = (await shop.v1("POST", f"/conversations/{handed['id']}/replies", {"text": "Hi"})).json()
    assert (said["last_by"], said["last_message_at"]) == ("agent", said["messages"][-1]["at"])


async def test_first_in_an_inbox_is_who_waits_longest(shop, handed):
    await talk(shop, handed_over("Hi", "Support", "helped"), *numbers("IN", 2, seed=17), waits_for="person")

    waiting = [one async for one in shop.pages("/conversations", limit=1, queue="Support")]

    assert len(waiting) == 3
    assert waiting[0]["id"] == handed["id"]
    assert [one["queue"]["since"] for one in waiting] == sorted(one["queue"]["since"] for one in waiting)


async def test_a_queue_in_which_somebody_waits_is_not_deleted(shop, handed):
    answer = await shop.v1("DELETE", f"/queues/{handed['queue']['id']}")

    assert (answer.status_code, answer.json()["code"]) == (409, "in_use")


async def test_a_group_has_the_members_that_flows_put_into_it(shop, handed):
    groups = (await shop.v1("GET", "/contact-groups")).json()
    members = (await shop.v1("GET", "/contact-groups/helped/members")).json()
    nobody = await shop.v1("GET", "/contact-groups/others/members")

    assert groups == {"items": [{"key": "helped", "name": "helped", "members": 1}], "next": None}
    assert [(one["person_id"], one["number"]) for one in members["items"]] == [(handed["person_id"], handed["number"])]
    assert (nobody.status_code, nobody.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("path", "body"),
    [("take", {}), ("release", {}), ("replies", {"text": "x"}), ("close", {"disposition": "x"}), ("", None)],
)
async def test_a_conversation_that_is_not_there_is_not_found(shop, path, body):
    answer = await shop.v1("POST" if path else "GET", f"/conversations/c-no/{path}".rstrip("/"), body)

    assert (answer.status_code, answer.json()["code"]) == (404, "conversation_not_found")


@pytest.mark.parametrize("text", ["", "   ", "x" * 1601, 5])
async def test_what_cannot_be_said_is_named(shop, handed, text):
    answer = await shop.v1("POST", f"/conversations/{handed['id']}/replies", {"text": text})

    assert [error["field"] for error in answer.json()["errors"]] == ["text"]


async def test_results_count_every_choice_and_rows_tell_each_answer(shop):
    silent, *loud = numbers("IN", 3, seed=16)
    people = [silent, *(f"{number[:-4]}{ONE}" for number in loud)]
    flow_id, (waiting,) = await talk(shop, asked("Sure?"), silent, waits_for="reply")
    listed = await shop.make_list(*people[1:])
    name = (await shop.v1("GET", f"/flows/{flow_id}")).json()["name"]
    body = campaign_body(listed, format="advanced", message=None, experienceFlowName=name)
    campaign_id = (await shop.compat("POST", "/campaign", body)).json()["data"]["_id"]
    run_id = (await shop.trigger(campaign_id, "play")).json()["campaignInstanceId"]

    async def have_ended() -> bool:
        ended = await shop.v1("GET", "/conversations", params={"flow": flow_id, "state": "ended"})
        begun = await shown(shop, waiting["id"])
        return len(ended.json()["items"]) == len(loud) and bool(begun["visits"])

    await until(have_ended)
    results = (await shop.v1("GET", f"/flows/{flow_id}/results")).json()
    of_run = (await shop.v1("GET", f"/flows/{flow_id}/results", params={"run": run_id, "version": 1})).json()
    of_none = (await shop.v1("GET", f"/flows/{flow_id}/results", params={"version": 2})).json()

    def counted(found: dict[str, Any]) -> list[Any]:
        return [
            (one["name"], one["came"], [*map(tuple, (each.values() for each in one["exits"]))], one["stayed"])
            for one in found["blocks"]
        ]

    assert counted(results) == [("ask", 3, [("on", 2)], 1), ("thank", 2, [("on", 2)], 0)]
    assert counted(of_run) == [("ask", 2, [("on", 2)], 0), ("thank", 2, [("on", 2)], 0)]
    assert counted(of_none) == [("ask", 0, [], 0), ("thank", 0, [], 0)]
    assert results["blocks"][0]["values"] == [{"value": "yes", "count": 2}]
    await _are_rows(shop, flow_id)


async def _are_rows(shop: Any, flow_id: str) -> None:
    package = (await shop.v1("GET", f"/flows/{flow_id}/results/package")).json()
    (resource,) = package["resources"]
    (question,) = resource["schema"]["questions"].items()
    assert (package["profile"], package["flow-results-specification"]) == ("flow-results-package", "1.0.0-rc1")
    assert resource["path"] is None
    assert question[1] == {"type": "select_one", "label": "Sure?", "type_options": {"choices": ["yes", "no"]}}
    rows, url = [], f"{resource['api-data-url']}?limit=1"
    while url:
        page = (await shop.server.http.get(url, headers=shop.headers)).json()
        rows += page["data"]["attributes"]["responses"]
        url = page["data"]["relationships"]["links"]["next"]
    assert len({row[1] for row in rows}) == len({row[2] for row in rows}) == 2
    assert [(row[4], row[5], row[6]) for row in rows] == [(question[0], "yes", {"response": "1", "version": 1})] * 2
    assert all(row[0].endswith("+00:00") for row in rows)
    csv = (await shop.v1("GET", f"/flows/{flow_id}/results/rows.csv")).text.splitlines()
    assert csv[0] == "timestamp,row_id,contact_id,session_id,question_id,response,response_metadata"
    assert [line.split(",")[1] for line in csv[1:]] == [row[1] for row in rows]
    astray = await shop.v1("GET", f"/flows/{flow_id}/results/rows", params={"after": "c-no.1"})
    assert (astray.status_code, astray.json()["errors"][0]["field"]) == (400, "after")
    await _are_between(shop, f"/flows/{flow_id}/results/rows", rows)


async def _are_between(shop: Any, path: str, rows: list[Any]) -> None:
    async def within(**query: str) -> list[str]:
        """Return the ids of the rows, page by page, and as the CSV has them."""
        got, after = [], ""
        while True:
            asked = {**query, "limit": "1", **({"after": after} if after else {})}
            answer = (await shop.v1("GET", path, params=asked)).json()["data"]
            page = [row[1] for row in answer["attributes"]["responses"]]
            link = answer["relationships"]["links"]["next"]
            assert link is None or all(f"{name}=" in link for name in query), "it goes on with the same rows"
            if not page:
                break
            got, after = [*got, *page], page[-1]
        lines = (await shop.v1("GET", f"{path}.csv", params=query)).text.splitlines()[1:]
        assert [line.split(",")[1] for line in lines] == got
        return got

    at = [datetime.fromisoformat(row[0]) for row in rows]
    second = at[1].isoformat()
    assert await within(from_at=second) == [row[1] for row, then in zip(rows, at, strict=True) if then >= at[1]]
    assert await within(to_at=second) == [row[1] for row, then in zip(rows, at, strict=True) if then < at[1]]
    assert await within(from_at=at[0].isoformat(), to_at=(at[1] + timedelta(seconds=1)).isoformat()) == [
        row[1] for row in rows
    ]
    assert await within(from_at="2099-01-01T00:00:00Z") == []
    for name in ("from_at", "to_at"):
        for bad in ("yesterday", "2026-03-02T12:00:00", ""):
            for of in (path, f"{path}.csv"):
                refused = await shop.v1("GET", of, params={name: bad})
                assert (refused.status_code, [one["field"] for one in refused.json()["errors"]]) == (400, [name])


async def test_the_documented_report_carries_the_conversation(shop, handed):
    today = datetime.now(UTC)
    period = {"startDate": f"{today - timedelta(days=1):%Y-%m-%d}", "endDate": f"{today + timedelta(days=1):%Y-%m-%d}"}
    await until_said(shop, handed["id"], ("campaign", "Hello", "delivered"))

    async def report(**more: Any) -> list[dict[str, Any]]:
        path = f"/agentassist/api/public/analytics/account/{shop.account_id}/v2/interactionDetails"
        answer = await shop.server.http.post(path, headers=shop.headers, json={**period, **more})
        assert answer.status_code == 200, answer.text
        assert answer.json()["numResults"] == len(answer.json()["data"])
        return list(answer.json()["data"])

    (told,) = await report(queues=["support"], selectedFields=["transcript"])
    assert [one["conversationId"] for one in await report()] == [told["conversationId"]]
    assert (told["sessionId"], told["finalStatus"], told["dispositions"]) == (handed["id"], "OPEN", [])
    assert told["metaInfo"].items() >= {"queueName": "Support", "Initiation": "Campaign"}.items()
    assert [(one["by"], one["message"]) for one in told["transcript"]] == [("campaign", "Hello")]
    assert not [*await report(queues=["Default Queue"]), *await report(queues=["Support"], direction="Inbound")]

    await shop.v1("POST", f"/conversations/{handed['id']}/take")
    await shop.v1("POST", f"/conversations/{handed['id']}/close", {"disposition": "solved"})
    (closed,) = await report(queues=[handed["queue"]["id"]])
    assert (closed["finalStatus"], closed["dispositions"]) == ("CLOSED", ["solved"])
    assert "transcript" not in closed
