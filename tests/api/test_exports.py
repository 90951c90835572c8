"""CSV files hold what the lists hold, whatever their size, and nothing that a spreadsheet would run."""

import csv
import io
import json

import pytest

from callsheet.api.v1 import run_exports
from phone_numbers import numbers

FILES = ("attempts", "suppressions", "outcomes")


async def a_run(shop, monkeypatch) -> tuple[str, dict[str, str]]:
    """Run a campaign of which some are delivered, some not, and one is on a DNC list; files come in small blocks."""
    monkeypatch.setattr(run_exports, "_BLOCK", 3)
    good, bad, never = numbers("IN", 7, ending="1111"), numbers("IN", 2, ending="9905"), numbers("IN", 4, ending="2222")
    dnc = (await shop.v1("POST", "/dnc-lists", {"name": "Exported"})).json()
    await shop.v1("POST", f"/dnc-lists/{dnc['id']}/numbers", {"numbers": never})
    people = {
        **dict.fromkeys(good, "delivered"),
        **dict.fromkeys(bad, "rejected"),
        **dict.fromkeys(never, "suppressed"),
    }
    name = await shop.make_list(*people, **{"First Name": "=HYPERLINK(1)"})
    campaign_id = await shop.make_campaign(contactLists=[name], dncLists={"id": dnc["id"]})
    run_id = (await shop.trigger(campaign_id, "play")).json()["campaignInstanceId"]
    await shop.until_status(campaign_id, "Completed")
    return run_id, people


async def read(shop, path: str, **query) -> list[dict[str, str]]:
    answer = await shop.v1("GET", path, params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.text)))


async def test_the_files_of_a_run_hold_everyone_once(shop, monkeypatch):
    run_id, people = await a_run(shop, monkeypatch)

    outcomes = await read(shop, f"/runs/{run_id}/outcomes.csv")
    attempts = await read(shop, f"/runs/{run_id}/attempts.csv")
    suppressions = await read(shop, f"/runs/{run_id}/suppressions.csv")
    listed = [one async for one in shop.pages(f"/runs/{run_id}/attempts")]

    assert len(outcomes) == len(people)
    assert {row["number"] for row in outcomes} == set(people)
    assert {row["number"] for row in suppressions} == {to for to, state in people.items() if state == "suppressed"}
    assert {row["reason"] for row in suppressions} == {"dnc"}
    assert [row["id"] for row in attempts] == [one["id"] for one in listed]
    assert {row["number"]: row["state"] for row in attempts if row["state"] == "rejected"} == {
        to: state for to, state in people.items() if state == "rejected"
    }
    assert all(row["at"].endswith("Z") for row in (*attempts, *suppressions))
    columns = json.loads(outcomes[0]["columns"])
    assert columns["First Name"] == "=HYPERLINK(1)"
    assert "phoneNumber" not in columns, "the number has a cell of its own"


async def test_a_file_is_filtered_as_its_list_is(shop, monkeypatch):
    run_id, _ = await a_run(shop, monkeypatch)
    (rejected, *_) = await read(shop, f"/runs/{run_id}/attempts.csv", state="rejected")

    for query in (
        {"state": "rejected"},
        {"code": rejected["code"]},
        {"since": rejected["at"]},
        {"until": rejected["at"]},
        {"since": "2100-01-01T00:00:00Z"},
        {"code": "no such code"},
    ):
        listed = [one["id"] async for one in shop.pages(f"/runs/{run_id}/attempts", **query)]
        assert [row["id"] for row in await read(shop, f"/runs/{run_id}/attempts.csv", **query)] == listed
    assert len(await read(shop, f"/runs/{run_id}/attempts.csv", code=rejected["code"])) == 2


async def test_a_code_that_a_carrier_said_is_no_formula(shop, monkeypatch):
    monkeypatch.setattr(run_exports, "_SUPPRESSIONS", ("contact_id", "=1+1", "@SUM(A1)", "\tat"))
    run_id, _ = await a_run(shop, monkeypatch)

    answer = await shop.v1("GET", f"/runs/{run_id}/suppressions.csv")

    assert next(csv.reader(io.StringIO(answer.text))) == ["contact_id", "'=1+1", "'@SUM(A1)", "'\tat"]


@pytest.mark.parametrize("file", FILES)
async def test_a_file_has_a_safe_name_and_a_mark_when_asked_for(shop, monkeypatch, file):
    run_id, _ = await a_run(shop, monkeypatch)

    plain = await shop.v1("GET", f"/runs/{run_id}/{file}.csv")
    marked = await shop.v1("GET", f"/runs/{run_id}/{file}.csv", params={"bom": "true"})

    assert plain.headers["content-disposition"] == f'attachment; filename="{run_id}-{file}.csv"'
    # The rows may have gone on meanwhile: late receipts.
    assert marked.content.splitlines()[0] == b"\xef\xbb\xbf" + plain.content.splitlines()[0]


@pytest.mark.parametrize("file", FILES)
async def test_a_file_of_another_app_is_not_there(shop, stranger, file):
    campaign_id = await stranger.make_campaign()
    run_id = (await stranger.trigger(campaign_id, "play")).json()["campaignInstanceId"]

    answer = await shop.v1("GET", f"/runs/{run_id}/{file}.csv")

    assert (answer.status_code, answer.json()["code"]) == (404, "run_not_found")
