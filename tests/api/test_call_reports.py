"""What reports say of calls: results of contacts, conversations of a period, and dispositions by attempt.

The calls themselves are written down as a node writes them: who places them is tested elsewhere.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest_asyncio

from api.callers import Caller, unique, voice_body
from api.test_neighbours import around_now, ask
from api.test_voice_campaigns import neighbours, of_mode
from callsheet.clock import to_micros
from callsheet.core.attempt import Intent, Kind
from callsheet.core.ids import AttemptKey
from callsheet.core.retrying import Turn
from callsheet.core.run import Run
from callsheet.store.calls import CallRow
from databases import change
from factories import Node, arms_of, happening, opt_out
from phone_numbers import numbers

PEOPLE = numbers("IN", 7)
NAMES = ("human", "machine", "busy", "silent", "broken", "never", "talking")
CALLER = "+12125550166"
HUMAN, MACHINE, BUSY, SILENT, BROKEN, NEVER, TALKING = PEOPLE


class Told:
    """A run of calls, and who tells what became of them."""

    def __init__(self, shop: Caller, run: Run, node: Node, intents: list[Intent], campaign_id: str) -> None:
        self.shop = shop
        self.run = run
        self.node = node
        self.campaign_id = campaign_id
        self._intents = {intent.number: intent for intent in intents}

    async def tell(self, number: str, kind: Kind, code: str, **of_call: Any) -> None:
        """Record an event, and the call's record as it stands."""
        intent, store = self._intents[number], self.shop.server.runtime.store
        now = self.shop.server.runtime.clock.now()
        begun = CallRow(
            intent.app, AttemptKey(intent.run_no, intent.person, intent.n), self.run.sender.trunk_no, "node-1",
            now - timedelta(seconds=20),
        )  # fmt: skip
        row = replace(begun, outcome=code, ended_at=now, **of_call) if of_call else begun
        await store.calls.write([row], self.node.no, now + timedelta(minutes=1))
        await self.node.record([happening(intent, kind, now, code)])

    async def let_go(self) -> None:
        """End the arms, at the very end: nothing else holds a run whose calls are not written down yet."""
        await self.node.record(ended=arms_of(self.node, self._intents.values()))


async def run_of(shop: Caller) -> Told:
    """Start a campaign of calls, arm everybody, and say what became of each."""
    runtime = shop.server.runtime
    store, clock, app = runtime.store, runtime.clock, shop.client.app
    names = await neighbours(shop)
    body = voice_body(await shop.make_list(*PEOPLE), **of_mode("Agentless", names))
    trunk = {"name": unique("PBX"), "carrier": "sip", "settings": {"host": "127.0.0.1", "port": 9}}
    trunk_id = (await shop.v1("POST", "/trunks", trunk)).json()["id"]
    await shop.v1("POST", "/senders", {"number": CALLER, "trunk_id": trunk_id})
    # Nobody is there, so no line of this process calls anybody of it.
    body["dialingStrategy"] |= {"maxAttemptsPerRecord": 2, "callerId": {"phoneNumber": CALLER}}
    made = (await shop.compat("POST", "/campaign", body, params={"campaignType": "voice"})).json()
    await store.campaigns.prepare(clock.now())
    campaign = await store.campaigns.find(app.no, campaign_id=made["id"])
    sender = await store.apps.find_sender(app.no, CALLER, clock.now())
    assert campaign is not None
    assert sender is not None
    await opt_out(store, app, clock, NEVER, campaign.definition.channel)
    started = await store.campaigns.start(
        campaign, text="", sender_no=sender.no, one_run_per_list=False, now=clock.now()
    )
    run = next(run for run in await store.runs.active() if run.no == started.run_no)
    node = await Node.enter(store, clock)
    told = Told(shop, run, node, await node.walk_all(run), made["id"])
    at = clock.now()
    rang, answered = at - timedelta(seconds=15), at - timedelta(seconds=10)
    told_of = {"rang_at": rang, "answered_at": answered, "sip_status": 200}
    await told.tell(HUMAN, Kind.delivered, "human", ended_by="them", **told_of)
    await told.tell(MACHINE, Kind.delivered, "machine", ended_by="us", **told_of)
    await told.tell(BUSY, Kind.undelivered, "busy", sip_status=486, ended_by="network")
    await told.tell(SILENT, Kind.undelivered, "no_answer", sip_status=480, rang_at=rang, ended_by="us")
    await told.tell(BROKEN, Kind.rejected, "invalid_number", sip_status=404, ended_by="network")
    await told.tell(TALKING, Kind.accepted, "answered")
    await told.let_go()
    return told


@pytest_asyncio.fixture(loop_scope="session")
async def told(shop: Caller) -> Told:
    return await run_of(shop)


async def test_the_results_of_a_voice_campaign_say_how_each_call_went(told: Told):
    path = f"/campaign/{told.campaign_id}/status"
    answer = (await told.shop.compat("POST", path, {"page": 1}, params={"view": "contacts"})).json()["data"]
    found = {f"+{one['phoneNumber']}": one for one in answer["results"]}
    shown = {
        name: tuple(
            found[number][key]
            for key in ("dialerOutcome", "botOutboundStatus", "contactStatus", "dialerDisposition", "duration")
        )
        for name, number in zip(NAMES, PEOPLE, strict=True)
    }
    assert shown == {
        "human": ("completed", "userHangUp", "answered", "Connected", 10),
        "machine": ("completed", "Answer Machine Detected", "answered", "Answering Machine", 10),
        "busy": ("", "Busy", "busy", "Busy", 0),
        "silent": ("", "No Answer", "no-answer", "No Answer", 0),
        "broken": ("completed", "Network Failure", "failed", "Failed", 0),
        "never": ("completed", "DNC Excluded", "failed", "DNC Excluded", 0),
        "talking": ("", "", "answered", "Connected", 0),
    }
    human = found[HUMAN]
    assert human["botOutboundStatusDetail"] == "user_hangup"
    assert (human["numberOfAttemptsSoFar"], human["agent"], human["ringDuration"]) == (1, "", 5)
    assert human["startTime"] < human["answerTime"] < human["endTime"]
    assert found[NEVER]["startTime"] == found[NEVER]["endTime"] == ""


async def test_only_the_latest_attempt_of_a_contact_counts_in_its_disposition(told: Told):
    rows = (await told.shop.v1("GET", f"/runs/{told.run.id}/dispositions")).json()["rows"]
    assert {(row["word"], row["outcome"]): row["by_attempts"] for row in rows} == {
        ("Connected", "human"): {"1": 1},
        ("Answering Machine", "machine"): {"1": 1},
        ("Busy", "busy"): {"1": 1},
        ("No Answer", "no_answer"): {"1": 1},
        ("Failed", "invalid_number"): {"1": 1},
        ("Connected", "answered"): {"1": 1},
    }
    clock = told.shop.server.runtime.clock
    await change(
        told.shop.server.runtime.store, "update retry set due = :at", at=to_micros(clock.now() - timedelta(seconds=1))
    )
    again = (await told.node.arm_again(told.run, Turn.last)).intents
    assert {intent.number for intent in again} == {BUSY, SILENT}
    await told.node.tell([one for one in again if one.number == BUSY], Kind.delivered, "human")
    rows = (await told.shop.v1("GET", f"/runs/{told.run.id}/dispositions")).json()["rows"]
    counts = {(row["word"], row["outcome"]): row["by_attempts"] for row in rows}
    assert counts["Connected", "human"] == {"1": 1, "2": 1}
    assert ("Busy", "busy") not in counts
    assert ("No Answer", "no_answer") not in counts, "it is being called again"


async def test_conversations_of_a_period_say_what_came_of_calls(told: Told):
    body = around_now(
        told.shop, direction="Outbound", selectedFields=["campaigninfo", "customerinfo"], channels=["voice"]
    )
    answer = (await ask(told.shop, body)).json()
    found = {one["customerinfo"]["CustomerPhone"]: one for one in answer["data"]}
    assert answer["numResults"] == len(PEOPLE) - 1
    told_of = {
        number: (
            one["campaigninfo"]["contactStatus"], one["isVoicemail"], one["disconnectingEvent"], one["finalStatus"]
        )
        for number, one in found.items()
    }  # fmt: skip
    assert told_of == {
        HUMAN: ("answered", "NO", "user_hangup", "CLOSED"),
        MACHINE: ("answered", "YES", "agent_hangup", "CLOSED"),
        BUSY: ("busy", "NO", "", "CLOSED"),
        SILENT: ("no-answer", "NO", "agent_hangup", "CLOSED"),
        BROKEN: ("failed", "NO", "", "CLOSED"),
        TALKING: ("answered", "NO", "", "OPEN"),
    }
    assert found[HUMAN]["channel"] == "Voice"
    assert found[HUMAN]["callDetails"]["duration"] == 10
    assert (await ask(told.shop, body | {"channels": ["sms"]})).json()["numResults"] == 0


async def test_another_tenant_sees_none_of_it(told: Told, stranger: Caller):
    path = f"/campaign/{told.campaign_id}/status"
    assert (await stranger.compat("POST", path, {}, params={"view": "contacts"})).status_code == 404
    assert (await stranger.v1("GET", f"/runs/{told.run.id}/dispositions")).status_code == 404
    assert (await ask(stranger, around_now(stranger))).json()["numResults"] == 0
