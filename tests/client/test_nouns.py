"""Nouns of the client that a campaign's journey does not pass, against a real server."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from callsheet.client import ApiError, AsyncClient, Client
from client.flow import FLOW
from client.sink import Sink

ALWAYS = {
    "timezone": "UTC",
    "windows": [{"days": ["MO", "TU", "WE", "TH", "FR", "SA", "SU"], "start": "00:00", "end": "24:00"}],
}
PASSWORD = "correct horse battery"


def until(ready: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 60
    while not (found := ready()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def campaign(client: Client, name: str) -> Any:
    listed = client.contact_lists.create(name)
    client.contact_lists.add(listed.id, [{"phoneNumber": "+12125550141", "first_name": "Ada"}])
    return client.campaigns.create(
        name=name,
        channel="sms",
        contact_list_ids=[listed.id],
        sender="+12025550100",
        calling_hours=ALWAYS,
        message={"text": "Hello"},
    )


def test_a_campaign_is_scheduled_by_the_month_by_the_year_and_by_a_rule(client):
    made = campaign(client, "Scheduled")
    start = {"zone": "America/New_York", "start": "2099-01-05T09:00"}
    monthly = client.schedules.put(made.id, **start, repeat={"every": "month", "nth": "last", "weekday": "FR"})
    listed = [one.campaign_id for one in client.schedules.list()]
    yearly = client.schedules.preview(**start, repeat={"every": "year", "month": 7, "day": 4})
    ruled = client.schedules.preview(**start, rule="FREQ=DAILY;COUNT=3")
    got = client.schedules.get("Scheduled")
    client.schedules.delete(made.id)

    assert (monthly.dates[0].local, made.id in listed, got.rule) == ("2099-01-30T09:00:00-05:00", True, monthly.rule)
    assert monthly.next_at == monthly.dates[0].at == datetime(2099, 1, 30, 14, tzinfo=UTC)
    assert [one.at.year for one in yearly.dates[:2]] == [2099, 2100]
    assert len(ruled.dates) == 3
    with pytest.raises(ApiError) as gone:
        client.schedules.get(made.id)
    assert gone.value.code == "schedule_not_found"


def test_a_list_pulls_and_says_what_came_of_it(client):
    listed = client.contact_lists.create("Pulled")
    rows = [{"phoneNumber": "+12125550142", "first_name": "Ada"}, {"phoneNumber": "nobody"}]
    with Sink(json.dumps({"data": rows}).encode()) as source:
        tried = client.pulls.test(listed.id, {"url": source.base_url, "items_path": "data"})
        put = client.pulls.put(listed.id, url=source.base_url, items_path="data", headers={"token": "secret"})
        client.pulls.run(listed.id)
        entry = until(lambda: next(client.pulls.log(listed.id), None))
        again = client.pulls.test(listed.id)

    assert ([one.number for one in tried.rows], [one.row for one in tried.rejects]) == (["+12125550142"], [2])
    assert (put.headers, put.interval_minutes, client.pulls.get(listed.id).failures) == (("token",), None, 0)
    assert (entry.rows, entry.added, entry.rejected, again.problem) == (2, 1, 1, "")
    client.pulls.delete(listed.id)
    with pytest.raises(ApiError):
        client.pulls.get(listed.id)


def test_a_person_is_looked_up_over_all_campaigns_and_why_a_campaign_reached_them(client):
    made = campaign(client, "Looked up")
    client.campaigns.start(made.id)
    until(lambda: client.campaigns.get(made.id).status == "Completed")
    history = client.contacts.history("+12125550141", limit=1)
    why = client.campaigns.why(made.id, "+12125550141")

    assert [one.kind for one in history.items] == ["attempt"]
    # By the carrier's clock a receipt may be older than our knowing of the answer.
    assert "accepted" in [event.kind for event in history.items[0].events]
    assert "Looked up" in {one.name for one in history.contact_lists}
    assert client.contacts.history(contact_id=history.items[0].contact_id, after=history.next).number == history.number
    assert (why.number, why.latest_run.attempts, why.places[0].hours.ruling) == ("+12125550141", 1, "passes")


def test_people_programs_and_apps_are_administered(process, client):
    user = client.users.create("ada@example.com", PASSWORD, "viewer", name="Ada")
    client.users.set_password(user.id, PASSWORD + "!")
    program = client.api_clients.create("Reports", ["administration"])
    with Client(**{**process.known, "client_id": program.id, "client_secret": program.secret}) as other:
        app = other.apps.get()
        renewed = client.api_clients.renew_secret(program.id)
        with pytest.raises(ApiError) as refused:
            other.apps.get()
    made = client.apps.create("Branch")
    with Client(
        process.known["base_url"], made.id, client_id=made.client.id, client_secret=made.client.secret
    ) as branch:
        joined = branch.users.let_in(user.id, "operator")
        assert branch.apps.rename("Branch office").name == "Branch office"

    assert (user.role, client.users.change(user.id, disabled=True).disabled, joined.role) == (
        "viewer",
        True,
        "operator",
    )
    assert (refused.value.status, renewed.secret != program.secret) == (401, True)
    assert (
        client.api_clients.change(program.id, scopes=["analytics"]).scopes == client.api_clients.get(program.id).scopes
    )
    assert {app.id, made.id} <= {one.id for one in client.apps.list()}
    assert user.id in {one.id for one in client.users.list()}
    assert program.id in {one.id for one in client.api_clients.list()}
    for resource, thing in ((client.users, user), (client.api_clients, program)):
        resource.delete(thing.id)
        with pytest.raises(ApiError):
            resource.get(thing.id)


def test_accounts_trunks_and_the_audit_log(client):
    account = next(client.accounts.list())
    trunk = client.trunks.create("Second", "sandbox")
    latest = next(client.audit.list())

    assert client.accounts.rename(account.id, "Renamed").name == client.accounts.get(account.id).name
    assert client.trunks.change(trunk.id, name="Other", takes_any_sender=True).takes_any_sender
    assert client.trunks.get(trunk.id).id in {one.id for one in client.trunks.list()}
    assert client.trunks.test(trunk.id).ok
    assert client.trunks.callbacks(trunk.id).inbound_url == ""
    assert client.trunks.test_new("Third", "sandbox").ok
    assert client.trunks.reset(trunk.id).breaker.state == "closed"
    assert (latest.action, latest.actor.kind) == ("POST /v1/apps/{app}/trunks", "client")
    assert client.audit.verify().intact
    assert next(client.audit.list_of_account(account.id)).seq == client.audit.verify_of_account(account.id).lines
    client.trunks.delete(trunk.id)


async def test_the_documented_neighbours(process):
    async with AsyncClient(**process.known) as client:
        queue = await client.queues.create("Neighbours")
        flow = await client.flows.create("Neighbours", document=FLOW)
        sender = await client.senders.create("+12025550144")
        await client.senders.change(sender.id, flow_id=flow.id)
        set_to = await client.compat.queues.set_priorities({queue.id: 7})
        queues = await client.compat.queues.list()
        sent = await client.compat.outbound_sms.send(sender.number, "+12125550145")
        placed = await client.compat.dialouts.place("tel:+12125550146", sender.number, metadata={"order": 7})
        now = datetime.now(UTC)
        said = await client.compat.interactions.list(
            process.known["account_id"],
            startDate=f"{now - timedelta(days=1):%Y-%m-%d %H:%M:%S}",
            endDate=f"{now + timedelta(days=1):%Y-%m-%d %H:%M:%S}",
            selectedFields=["campaigninfo", "customerinfo"],
        )

    assert set_to.updated_queue_ids == (queue.id,)
    assert (queue.id, 7) in {(one.id, one.priority) for one in queues.results}
    assert sent.message.startswith("Triggered")
    assert placed.sid
    assert placed.call_id
    assert said.num_results >= len(said.data) > 0
    assert {one.direction for one in said.data} <= {"Inbound", "Outbound"}
