"""However many fields of a campaign are wrong, one answer names them all: no fault hides another."""

from typing import Any

import pytest

from api.callers import ALWAYS, SENDER, campaign_body, fields

FIVE_WRONG = {
    "name": "n" * 60,
    "contactLists": [7],
    "priority": 9,
    "schedule": {"isSchedulingEnabled": "perhaps"},
    "dialingStrategy": {"callerId": {"phoneNumber": SENDER}, "callingHours": {**ALWAYS, "timezone": "Nowhere"}},
}
FIVE_NAMED = [
    "schedule.isSchedulingEnabled",
    "dialingStrategy.callingHours.timezone",
    "name",
    "contactLists[0]",
    "priority",
]
WITHOUT_TEMPLATE: dict[str, Any] = {"message": {"message": 7}, **FIVE_WRONG}
WITH_TEMPLATE: dict[str, Any] = {"message": {"template_name": 7}, **FIVE_WRONG}
ADVANCED: dict[str, Any] = {"message": None, "format": "advanced", "experienceFlowName": 7, **FIVE_WRONG}


@pytest.mark.parametrize(
    ("wrong", "speech"),
    [
        (WITHOUT_TEMPLATE, "message.message"),
        (WITH_TEMPLATE, "message.template_name"),
        (ADVANCED, "experienceFlowName"),
    ],
)
@pytest.mark.parametrize("kind", [None, "web", 5, "sms"])
async def test_no_fault_hides_another(shop, wrong, speech, kind):
    expected = sorted([*FIVE_NAMED, speech])
    campaign_id = await shop.make_campaign()
    body = campaign_body(**wrong, campaignType=kind)

    made = await shop.compat("POST", "/campaign", body)
    updated = await shop.compat("PUT", f"/campaign/{campaign_id}", body)

    assert (made.status_code, updated.status_code) == (400, 400)
    assert sorted(fields(made)) == sorted(expected if kind == "sms" else [*expected, "campaignType"])
    assert sorted(fields(updated)) == expected


async def test_a_voice_campaign_names_its_other_faults_and_wants_no_message(shop):
    answer = await shop.compat("POST", "/campaign", campaign_body(campaignType="voice", message=None, **FIVE_WRONG))

    strategy = ("dialingOrder", "maxAttemptsPerRecord", "defaultRetryPeriod", "maxRingTime")
    missing = ["dialingMode", "dncLists", *(f"dialingStrategy.{key}" for key in strategy)]
    assert sorted(fields(answer)) == sorted([*FIVE_NAMED, *missing])
