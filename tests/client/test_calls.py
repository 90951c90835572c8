"""What programs do with the client, against a real server, in both of its kinds."""

import io
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from callsheet.client import ApiError, AsyncClient, Client, Kind, Unavailable
from client.sink import Sink
from client.wire import answer
from e2e.running import always_open, callsheet, campaign

ALWAYS = {
    "timezone": "UTC",
    "windows": [{"days": ["MO", "TU", "WE", "TH", "FR", "SA", "SU"], "start": "00:00", "end": "24:00"}],
}

DAILY = {
    "startDateTime": "2099-01-01 09:00:00",
    "endDateTime": "2099-02-01 09:00:00",
    "recurrenceObject": {"recurType": "Daily", "dailyDetails": {"onceEveryNdays": 1}},
}

IDLE_SECONDS = 5
"""So long uvicorn keeps a connection on which nothing comes."""


def until_over(client: Client, campaign_id: str) -> None:
    deadline = time.monotonic() + 60
    while client.compat.campaigns.status(campaign_id).data.status != "Completed":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_campaign_from_a_file_to_its_report_by_our_own_calls(client, csv, tmp_path):
    listed = client.contact_lists.create("Journey", description="From a file")
    started = client.imports.start(Kind.contact_lists, listed.id, csv)
    while not (done := client.imports.get(Kind.contact_lists, listed.id, started.id)).is_over:
        time.sleep(0.02)
    rejects = io.BytesIO()
    client.imports.save_rejects(Kind.contact_lists, listed.id, started.id, rejects)
    never = client.dnc_lists.create("Journey never")
    client.dnc_lists.add(never.id, ["+12125550124"])
    template = client.templates.create("Journey", "Hello {{ first_name }}")
    made = client.campaigns.create(
        name="Journey",
        channel="sms",
        contact_list_ids=[listed.id],
        dnc_list_ids=[never.id],
        sender="+12025550100",
        calling_hours=ALWAYS,
        message={"template_id": template.id},
    )
    running = client.campaigns.start(made.id)
    until_over(client, made.id)
    run = client.runs.get(running.run.id)
    outcomes = tmp_path / "outcomes.csv"
    client.runs.save_outcomes(run.id, outcomes)

    assert (done.file, done.accepted, done.rejected) == ("people.csv", 2, 1)
    assert b"not_a_number" in rejects.getvalue()
    assert run.outcome.suppressed == {"dnc": 1}
    assert [one.number for one in client.runs.attempts(run.id)] == ["+12125550123"]
    assert [one.reason for one in client.runs.suppressions(run.id)] == ["dnc"]
    assert [one.text for one in client.sandbox.outbox(campaign_id=made.id)] == ["Hello Ada"]
    assert len(outcomes.read_text().splitlines()) == 3
    assert client.runs.dispositions(run.id).contacts == 1
    assert client.runs.timeline(run.id, step="minute").points
    assert client.campaigns.totals(made.id).runs == 1
    assert client.campaigns.get(made.id).findings == ()
    assert [one.id for one in client.runs.list(campaign_id=made.id)] == [run.id]


async def test_a_campaign_by_the_documented_calls(process):
    async with AsyncClient(**process.known) as client:
        documented = client.compat
        listed = (await documented.contact_lists.create("Documented")).data
        await client.senders.create("+12025550155", segments_per_second=0.5)
        eves = [{"phoneNumber": f"1212555013{i}", "first_name": "Eve"} for i in range(10)]
        await documented.contact_lists.add("Documented", eves)
        body = campaign("Documented", ["Documented"])
        body["dialingStrategy"]["callerId"]["phoneNumber"] = "+12025550155"
        made = (await documented.campaigns.create(body)).data
        updated = (await documented.campaigns.update(made.id, {**body, "description": "Changed"})).data
        scheduled = await documented.campaigns.schedule("Documented", DAILY)
        freed = await documented.campaigns.schedule("Documented", None)
        started = await documented.campaigns.start(made.id)
        stopped = await documented.campaigns.stop(made.id)
        contacts = (await documented.campaigns.contacts(made.id)).data
        callbacks = await documented.campaigns.call_contacts_at(
            started.campaign_instance_id,
            [{"campaignDialingListId": "cdl-none", "timeToContact": "2099-01-01T00:00:00Z"}],
        )
        page = (await documented.campaigns.list(filters={"status": ["Stopped"]}, sort_by={"name": "asc"})).data
        again = (await documented.contact_lists.update(listed.id, description="Again")).data
        people = (await documented.contact_lists.contacts(listed.id)).data
        everything = (await documented.contact_lists.list()).data
        await documented.campaigns.delete(made.id)
        await documented.contact_lists.delete(listed.id)

        assert (made.status, updated.description, started.status, stopped.status) == (
            "Ready",
            "Changed",
            "Active",
            "Stopped",
        )
        assert made.dialing_strategy["callingHours"]["timezone"] == always_open()["timezone"]
        assert (scheduled["status"], freed["status"]) == ("success", "success")
        assert contacts.total_results == len(contacts.results)
        assert [(one.status, one.reason) for one in callbacks.data] == [("failed", "not_found")]
        assert made.id in [one.id for one in page.results]
        assert (again.contact_list_id, people.results[0]["first_name"]) == (listed.id, "Eve")
        assert listed.id in [one.id for one in everything]
        with pytest.raises(ApiError) as gone:
            await documented.campaigns.get(made.id)
        assert gone.value.status == 404


def test_what_is_small_is_made_changed_listed_and_deleted(client):
    queue = client.queues.create("Sales", skills=["english"])
    hook = client.webhooks.create("https://example.com/hook", kinds=["run.completed"])
    sender = client.senders.create("+12025550177", segments_per_second=5)
    flow = client.flows.create("Later")
    model = client.ai_endpoints.create("House", "http://127.0.0.1:1/v1", "small", api_key="sk-1", prices={"input": 2})
    stopped = client.sending.stop_all("A test")
    client.opt_outs.add(["+12125550188"])

    assert client.queues.change(queue.id, priority=2).priority == 2
    assert not client.webhooks.change(hook.id, enabled=False).enabled
    assert client.senders.change(sender.id, segments_per_second=None).segments_per_second is None
    assert client.flows.change(flow.id, name="Now").name == "Now"
    assert client.flows.webhook_secret(flow.id).secret.startswith("whsec_")
    assert client.ai_endpoints.change(model.id, model="large", api_key="").has_api_key is False
    assert [(one.model, one.prices.input) for one in client.ai_endpoints.list()] == [("large", 2.0)]
    assert (stopped.stopped, client.sending.allow().stopped, client.sending.get().stopped) == (True, False, False)
    assert client.opt_outs.remove(["+12125550188"], "They asked for it").removed == 1
    assert client.settings.change(region="US", most_contacts=None).region == "US"
    assert client.templates.preview_text("Hi {{ name }}", contact={"name": "Ada"}).text == "Hi Ada"
    assert [sender.id] == [one.id for one in client.senders.list() if one.number == "+12025550177"]
    for resource, thing in (
        (client.queues, queue),
        (client.webhooks, hook),
        (client.senders, sender),
        (client.flows, flow),
        (client.ai_endpoints, model),
    ):
        resource.delete(thing.id)
        with pytest.raises(ApiError):
            resource.get(thing.id)


async def test_pages_are_asked_for_when_they_are_needed_and_hold_everything_once(process, wire):
    async with AsyncClient(**{**process.known, "base_url": wire.base_url}) as client:
        made = [(await client.templates.create(f"Page {i}", "x")).id for i in range(5)]
        before = wire.requests
        walked = [one.id async for one in client.templates.list(search="Page", limit=2)]
        asked = wire.requests - before
        async for _ in client.templates.list(search="Page", limit=2):
            break

        assert sorted(walked) == sorted(made)
        assert (asked, wire.requests - before) == (3, 4)


def test_pages_of_a_search_by_number_keep_their_body(client):
    listed = client.contact_lists.create("Found twice", allow_duplicates=True)
    client.contact_lists.add(listed.id, [{"phoneNumber": "+12125550126"}] * 3)

    assert len(list(client.contact_lists.find(listed.id, "+12125550126", limit=1))) == 3


@pytest.mark.parametrize("documented", [False, True])
def test_a_refusal_of_either_dialect_names_its_code_its_sentence_and_every_wrong_field(client, documented):
    wrong = client.compat.campaigns.create if documented else client.templates.preview_text
    with pytest.raises(ApiError) as refused:
        wrong({}) if documented else wrong("{{ broken")
    unknown = client.compat.contact_lists if documented else client.contact_lists
    with pytest.raises(ApiError) as missing:
        unknown.get("../cl-none")

    assert (refused.value.status, refused.value.code) == (400, "invalid")
    assert (
        {"name", "contactLists"} <= {one.field for one in refused.value.fields} if documented else refused.value.fields
    )
    assert all(one.message for one in refused.value.fields)
    assert (missing.value.status, missing.value.fields) == (404, ())
    assert str(missing.value).endswith(".")


def test_what_stands_between_may_answer_in_no_dialect(far, wire):
    wire.instead = [answer("403 Forbidden", b"<html>no</html>"), answer("302 Found", Location="http://127.0.0.1:1/")]
    for status in (403, 302):
        with pytest.raises(ApiError) as refused:
            far.settings.get()
        assert (refused.value.status, refused.value.code, refused.value.message) == (status, "", f"HTTP {status}")


def test_a_name_that_is_no_name_reaches_no_other_resource(client):
    for name in ("", ".", "..", "../templates", "a/b", "%2e%2e", "ü"):
        with pytest.raises((ApiError, ValueError)) as refused:
            client.contact_lists.delete(name)
        assert isinstance(refused.value, ValueError) == (not name)


def test_a_ready_token_serves_and_is_asked_anew_before_every_call(process):
    token = callsheet("token", data=process.data).stdout.strip()
    tokens = iter([token, "wrong"])
    with Client(process.known["base_url"], process.known["app_id"], token=lambda: next(tokens)) as client:
        client.settings.get()
        with pytest.raises(ApiError) as refused:
            client.settings.get()

    assert refused.value.status == 401
    assert process.known["client_secret"] not in repr(client.__dict__)
    with pytest.raises(ValueError, match="token"):
        Client(process.known["base_url"], process.known["app_id"])


def test_threads_share_a_client_and_its_connections(process, wire):
    began = time.monotonic()
    with Client(**{**process.known, "base_url": wire.base_url}) as client:
        for _ in range(10):
            client.settings.get()
        alone = wire.connections
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda i: client.templates.create(f"Thread {i}", "x").id, range(40)))

    assert len(set(made)) == 40
    # One, and one for each thread; once more for each time that the machine may have stood still for so long.
    times = 1 + (time.monotonic() - began) // IDLE_SECONDS
    assert 1 <= alone <= times
    assert wire.connections <= 9 * times


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(process):
    with (
        Sink(silent=True) as sink,
        Client(**{**process.known, "base_url": sink.base_url}, tries=2, read_seconds=0.2) as client,
    ):
        with pytest.raises(Unavailable):
            client.settings.get()
        # Who was given up may be noticed by the other end only then.
        deadline = time.monotonic() + 60
        while sink.requests < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert sink.requests == 2


def test_a_closed_client_says_so_and_leaves_no_thread(process):
    client = Client(**process.known)
    client.settings.get()
    client.close()
    client.close()

    with pytest.raises(RuntimeError, match="closed"):
        client.settings.get()
    assert "callsheet-client" not in {thread.name for thread in threading.enumerate() if not thread.is_alive()}


MEGABYTE = 1024 * 1024


@pytest.mark.parametrize("kind", ["path", "file", "chunks"])
def test_a_large_file_is_sent_in_constant_memory(process, tmp_path, kind):
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(64 * MEGABYTE)
    with (
        Sink(b'{"id": "im-1"}') as sink,
        Client(**{**process.known, "base_url": sink.base_url}) as client,
        large.open("rb") as file,
    ):
        sources = {"path": large, "file": file, "chunks": (bytes(MEGABYTE) for _ in range(64))}
        tracemalloc.start()
        client.imports.start(Kind.contact_lists, "cl-1", sources[kind])
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert sink.taken_bytes == 64 * MEGABYTE
    assert most < 16 * MEGABYTE


def test_a_large_answer_is_written_in_constant_memory(process, tmp_path):
    with Sink(bytes(64 * MEGABYTE)) as sink, Client(**{**process.known, "base_url": sink.base_url}) as client:
        tracemalloc.start()
        client.contact_lists.save("cl-1", tmp_path / "large.csv")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert (tmp_path / "large.csv").stat().st_size == 64 * MEGABYTE
    assert most < 16 * MEGABYTE


def test_a_file_that_is_not_there_is_no_fault_of_the_server(client, tmp_path):
    listed = client.contact_lists.create("No file")
    with pytest.raises(FileNotFoundError):
        client.imports.start(Kind.contact_lists, listed.id, Path(tmp_path / "none.csv"))
    with pytest.raises(FileNotFoundError):
        client.contact_lists.save(listed.id, tmp_path / "none" / "people.csv")
