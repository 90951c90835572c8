"""A connection breaks, and nobody knows whether the call arrived: the same answer comes, and the thing exists once."""

import io
import signal
from contextlib import ExitStack

import pytest

from callsheet.client import ApiError, AsyncClient, Client, Kind, Unavailable
from callsheet.client.retrying import LONGEST_ASKED_SECONDS, LONGEST_SECONDS, is_passing, wait_seconds
from client.flow import FLOW
from client.wire import Wire, answer
from e2e.running import server


def test_a_post_whose_answer_was_lost_is_answered_as_if_it_had_come_once(client, far, wire):
    dnc_list = client.dnc_lists.create("Lost answers")
    wire.answers_to_swallow = 2

    assert far.dnc_lists.add(dnc_list.id, ["+12125550177"]).added == 1
    assert (wire.requests, client.dnc_lists.get(dnc_list.id).size) == (3, 1)


async def test_contacts_whose_answer_was_lost_are_added_once_where_a_list_would_take_them_twice(process, client, wire):
    listed = client.contact_lists.create("Twice", allow_duplicates=True)
    wire.answers_to_swallow = 1
    async with AsyncClient(**{**process.known, "base_url": wire.base_url}) as far:
        added = await far.contact_lists.add(listed.id, [{"phoneNumber": "+12125550178"}])

    assert added.added == 1
    assert (wire.requests, client.contact_lists.get(listed.id).size) == (2, 1)


def test_a_put_whose_answer_was_lost_makes_one_version(client, far, wire):
    document = client.flows.create("Lost put", document=FLOW)
    before = client.flows.get(document.id).version
    wire.answers_to_swallow = 1

    assert far.flows.put(document.id, FLOW).version == before + 1
    assert client.flows.get(document.id).version == before + 1


def test_what_a_lost_delete_has_deleted_counts_as_deleted(client, far, wire):
    template = client.templates.create("To be deleted", "Hello")
    wire.answers_to_swallow = 1
    far.templates.delete(template.id)

    with pytest.raises(ApiError) as missing:
        far.templates.delete(template.id)
    assert missing.value.status == 404


def test_a_documented_call_is_repeated_as_safely(client, far, wire):
    wire.answers_to_swallow = 1
    made = far.compat.contact_lists.create("Lost and found").data

    assert client.compat.contact_lists.get("Lost and found").data.id == made.id


def test_a_file_is_sent_again_from_its_beginning_and_imported_once(client, far, wire, csv):
    listed = client.contact_lists.create("Lost file")
    wire.answers_to_swallow = 1
    started = far.imports.start(Kind.contact_lists, listed.id, csv)
    while not (done := client.imports.get(Kind.contact_lists, listed.id, started.id)).is_over:
        pass

    assert (done.accepted, done.rejected, wire.answers_to_swallow) == (2, 1, 0)
    assert client.contact_lists.get(listed.id).size == 2


def test_what_can_be_read_once_only_is_not_sent_again(client, far, wire):
    listed = client.contact_lists.create("Lost pipe")
    wire.answers_to_swallow = 1

    with pytest.raises(Unavailable):
        far.imports.start(Kind.contact_lists, listed.id, iter([b"phone\n", b"+12125550123\n"]))
    assert wire.answers_to_swallow == 0
    assert wire.connections == 1


def test_a_server_that_was_killed_after_it_had_done_it_gives_the_same_answer_when_it_is_back(tmp_path):
    with ExitStack() as stack:
        process = stack.enter_context(server(tmp_path / "var"))
        wire = stack.enter_context(Wire(process.known["base_url"]))

        def kill() -> None:
            process.stop(signal.SIGKILL)
            wire.to = stack.enter_context(server(tmp_path / "var")).known["base_url"]

        client = stack.enter_context(Client(**{**process.known, "base_url": wire.base_url}, tries=60))
        dnc_list = client.dnc_lists.create("Survivors")
        wire.answers_to_swallow, wire.when_swallowed = 1, kill

        assert client.dnc_lists.add(dnc_list.id, ["+12125550179"]).added == 1
        assert process.popen.poll() == -signal.SIGKILL
        assert client.dnc_lists.get(dnc_list.id).size == 1


@pytest.mark.parametrize("status", ["503 Service Unavailable", "429 Too Many Requests", "502 Bad Gateway"])
def test_a_server_that_is_busy_is_asked_again(far, wire, status):
    wire.instead = [answer(status, Retry_After="0"), answer(status, b"<html>", Retry_After="0")]

    assert far.settings.get().dnc_for_sms
    assert wire.requests == 3


def test_a_server_that_stays_busy_is_asked_so_often_and_no_more(process, wire):
    wire.instead = [answer("503 Service Unavailable", Retry_After="0")] * 9
    with (
        Client(**{**process.known, "base_url": wire.base_url}, tries=3) as far,
        pytest.raises(ApiError) as busy,
    ):
        far.templates.create("Never", "x")

    assert (busy.value.status, wire.requests) == (503, 3)


def test_what_is_refused_is_not_asked_again(far, wire):
    with pytest.raises(ApiError):
        far.templates.get("cmt-none")
    assert wire.requests == 1


def test_an_own_key_holds_over_two_programs(client, process):
    calls = []
    for _ in range(2):
        with Client(**process.known) as program:
            calls.append(
                program.call(
                    "post",
                    "/v1/apps/{app}/templates",
                    json={"name": "Mine", "body": "x"},
                    idempotency_key="order-17",
                )
            )

    assert calls[0] == calls[1]
    assert [one.name for one in client.templates.list(search="Mine")] == ["Mine"]


def test_a_file_that_broke_off_is_written_from_its_beginning_or_left_as_it_was(process, client, far, wire, tmp_path):
    listed = client.contact_lists.create("To be saved")
    client.contact_lists.add(listed.id, [{"phoneNumber": "+12125550180"}])
    there, whole = tmp_path / "people.csv", io.BytesIO()
    there.write_text("old")
    client.contact_lists.save(listed.id, whole)
    broken = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 900\r\n\r\nphone\r\n"

    wire.instead = [broken] * 2
    with Client(**{**process.known, "base_url": wire.base_url}, tries=1) as impatient, pytest.raises(Unavailable):
        impatient.contact_lists.save(listed.id, there)
    assert there.read_text() == "old"
    far.contact_lists.save(listed.id, there)
    assert there.read_bytes() == whole.getvalue()
    assert [path.name for path in tmp_path.iterdir()] == ["people.csv"]


def test_waits_grow_and_the_server_may_ask_for_more_but_not_for_ever():
    lost = Unavailable()
    waits = [wait_seconds(lost, tried) for tried in range(1, 9)]

    assert waits == sorted(waits)
    assert waits[0] > 0
    assert waits[-1] == LONGEST_SECONDS
    assert wait_seconds(ApiError(503, "", "", retry_seconds=30), 1) == 30
    assert wait_seconds(ApiError(503, "", "", retry_seconds=LONGEST_ASKED_SECONDS + 1), 1) is None
    assert not is_passing(ApiError(409, "name_taken", ""))
    assert is_passing(ApiError(409, "idempotency_key_in_use", ""))
