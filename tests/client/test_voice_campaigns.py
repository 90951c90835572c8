"""The client makes a documented voice campaign, runs it, and reads its results."""

import time

from callsheet.client import Client
from client.test_calls import until_over
from flow_documents import block, document, way

DAYS = [{"day": day, "start": "12:00 AM", "end": "11:59 PM"} for day in ("MO", "TU", "WE", "TH", "FR", "SA", "SU")]


def test_a_voice_campaign_by_the_documented_calls(client: Client):
    how = block("done", "Callsheet.SetDisposition", way(None, default=True), disposition="Told")
    flow = document(block("hello", "MobilePrimitives.Message", way("done", default=True), prompt="Hello"), how)
    flow["flows"][0]["supported_modes"] = ["IVR"]
    client.flows.create("Client calls", document=flow)
    client.dnc_lists.create("Client calls never")
    client.compat.contact_lists.create("Client calls")
    client.compat.contact_lists.add("Client calls", [{"phoneNumber": "919876540001"}])
    body = {
        "name": "Client calls", "description": "Two words", "contactLists": ["Client calls"],
        "dncLists": {"name": "Client calls never"}, "priority": "5", "dialingMode": "Agentless",
        "dialingStrategy": {
            "callerId": {"phoneNumber": "+12025550177"},
            "callingHours": {"frequency": "WEEKLY", "timezone": "UTC", "days": DAYS},
            "dialingOrder": "FIFO", "maxAttemptsPerRecord": 1, "defaultRetryPeriod": 10, "maxRingTime": 30,
        },
        "experienceFlowName": "Client calls", "enableMachineDetect": "detect", "campaignType": "voice",
    }  # fmt: skip
    made = client.compat.campaigns.create(body, campaign_type="voice").data
    deadline = time.monotonic() + 60
    while client.compat.campaigns.status(made.id).data.status != "Ready":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    started = client.compat.campaigns.start(made.id)
    until_over(client, made.id)
    (result,) = client.compat.campaigns.contacts(made.id).data.results

    assert (made.status, made.dialing_mode, made.enable_machine_detect) == ("Preparing", "Agentless", True)
    assert (started.status, started.total_calls_completed) == ("Active", 0)
    assert (result.dialer_outcome, result.dialer_disposition, result.contact_status) == (
        "completed", "Connected", "answered",
    )  # fmt: skip
    assert result.agent_disposition_codes == ("Told",)
    assert client.conversations.get(result.bot_session_id).id == result.bot_session_id
    assert result.start_time < result.answer_time < result.end_time
    assert {row.said for row in client.runs.dispositions(started.campaign_instance_id).rows} == {"Told"}
