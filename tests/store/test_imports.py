"""An import adds each row once, tells why the others were left out, and goes on exactly where it was killed."""

import asyncio
from collections.abc import Sequence

import pytest

from callsheet.store.apps import App
from callsheet.store.imports import ImportJob
from callsheet.store.lists import ContactList
from callsheet.store.protocol import Appended, NewEntry, Step
from callsheet.store.store import Store
from databases import Place, rows
from factories import Node, StillClock, contact, make_campaign, make_list, number, person_of, start


async def make_job(store: Store, app: App, clock: StillClock, list_no: int, target: str = "contact_list") -> ImportJob:
    return await store.imports.create(
        app.no, list_no=list_no, target=target, file="people.csv", bytes_total=1000, now=clock.now()
    )


async def append(store: Store, app: App, to: ContactList, serials: Sequence[int], step: Step | None = None) -> Appended:
    return await store.hot.append(app.no, to.no, [contact(store, app, number(i)) for i in serials], step=step)


async def numbers(store: Store, app: App, contact_list: ContactList) -> list[str]:
    found = await store.contacts.page(contact_list, after=0, limit=10_000)
    return [one.number for one in found]


async def test_contacts_lie_in_the_list_as_they_came(store: Store, app: App, clock: StillClock):
    contact_list = await make_list(store, app, clock)

    assert await append(store, app, contact_list, range(5)) == Appended(5, 0)
    assert await append(store, app, contact_list, range(5, 7)) == Appended(2, 0)

    assert await numbers(store, app, contact_list) == [number(i) for i in range(7)]
    second_page = await store.contacts.page(contact_list, after=2, limit=3)
    assert [one.number for one in second_page] == [number(i) for i in (2, 3, 4)]
    found = await store.lists.find(app.no, list_id=contact_list.id)
    assert found is not None
    assert found.size == 7
    assert {one.created_at for one in second_page} == {clock.now()}
    assert dict(second_page[0].attributes) == {"first_name": "Ada"}


@pytest.mark.parametrize("allow", [False, True])
async def test_a_person_is_in_a_list_once_unless_it_allows_more(store: Store, app: App, clock: StillClock, allow: bool):
    contact_list = await make_list(store, app, clock, allow_duplicates=allow)

    first = await append(store, app, contact_list, [0, 1, 0])
    second = await append(store, app, contact_list, [2, 1, 2])

    assert (first, second) == ((Appended(3, 0), Appended(3, 0)) if allow else (Appended(2, 1), Appended(1, 2)))
    assert await numbers(store, app, contact_list) == [number(i) for i in ([0, 1, 0, 2, 1, 2] if allow else [0, 1, 2])]


async def test_an_import_that_was_killed_goes_on_where_it_was(place: Place, store: Store, app: App, clock: StillClock):
    contact_list = await make_list(store, app, clock)
    job = await make_job(store, app, clock, contact_list.no)
    assert [one.id for one in await store.imports.unfinished()] == [job.id]

    rejects = [(2, "invalid_number", "Row 2: this is no phone number."), (3, "no_number", "Row 3: no number.")]
    await append(store, app, contact_list, [0, 1, 0], Step(job.no, 5, 400, rejects))
    store = await place.reopen(store)

    (unfinished,) = await store.imports.unfinished()
    assert (unfinished.state, unfinished.rows, unfinished.bytes_done, unfinished.file) == (
        "running",
        5,
        400,
        "people.csv",
    )
    assert (unfinished.accepted, unfinished.duplicates, unfinished.rejected) == (2, 1, 2)
    await append(store, app, contact_list, [2], Step(job.no, 7, 1000, [(7, "no_number", "Row 7.")], done=True))
    done = await store.imports.find(app.no, job.id)
    assert done is not None
    assert (done.state, done.rows, done.bytes_done) == ("done", 7, 1000)
    assert (done.accepted, done.duplicates, done.rejected) == (3, 1, 3)
    assert done.rows == done.accepted + done.duplicates + done.rejected
    assert await store.imports.unfinished() == []


@pytest.mark.parametrize("allow", [False, True])
async def test_a_step_whose_answer_was_lost_changes_nothing_the_second_time(
    store: Store, app: App, clock: StillClock, allow: bool
):
    contact_list = await make_list(store, app, clock, allow_duplicates=allow)
    job = await make_job(store, app, clock, contact_list.no)
    await append(store, app, contact_list, [9], Step(job.no, 1, 10))
    step = Step(job.no, 5, 400, [(2, "no_number", "Row 2.")], done=True)

    await append(store, app, contact_list, [0, 1, 0], step)
    before = await store.imports.find(app.no, job.id)
    again = await append(store, app, contact_list, [0, 1, 0], step)

    assert again == Appended(0, 0)
    assert await store.imports.find(app.no, job.id) == before
    assert len(await numbers(store, app, contact_list)) == (4 if allow else 3)


async def test_a_step_that_only_says_that_the_file_has_ended(store: Store, app: App, clock: StillClock):
    contact_list = await make_list(store, app, clock)
    job = await make_job(store, app, clock, contact_list.no)

    assert await append(store, app, contact_list, [], Step(job.no, 0, 0, done=True)) == Appended(0, 0)

    done = await store.imports.find(app.no, job.id)
    assert done is not None
    assert (done.state, done.rows) == ("done", 0)


async def test_each_rejected_row_keeps_its_reason(store: Store, app: App, clock: StillClock):
    contact_list = await make_list(store, app, clock)
    job = await make_job(store, app, clock, contact_list.no)
    for row_no in range(1, 8):
        await append(store, app, contact_list, [], Step(job.no, row_no, row_no, [(row_no, "no_number", f"{row_no}")]))

    first = await store.imports.rejects(job, after=0, limit=4)
    second = await store.imports.rejects(job, after=4, limit=4)

    assert [row["row_no"] for row in (*first, *second)] == list(range(1, 8))
    assert dict(first[0]) == {"row_no": 1, "reason": "no_number", "message": "1"}


async def test_an_import_that_cannot_go_on_says_why(store: Store, app: App, clock: StillClock):
    job = await make_job(store, app, clock, (await make_list(store, app, clock)).no)

    await store.imports.fail(job, "The file has no column with a phone number.", clock.now())

    failed = await store.imports.find(app.no, job.id)
    assert failed is not None
    assert (failed.state, failed.problem) == ("failed", "The file has no column with a phone number.")
    assert await store.imports.unfinished() == []


async def test_numbers_go_on_a_dnc_list_once(store: Store, app: App, clock: StillClock):
    dnc = await store.dnc_lists.create(app.no, "Ours", clock.now())
    job = await make_job(store, app, clock, dnc.no, "dnc_list")

    def entries(*serials: int) -> list[NewEntry]:
        return [NewEntry(person_of(store, app, number(i)), b"sealed") for i in serials]

    first = await store.hot.forbid(
        app.no, dnc.no, entries(0, 1, 0), source="import", step=Step(job.no, 3, 100, [(4, "no_number", "Row 4.")])
    )
    second = await store.hot.forbid(app.no, dnc.no, entries(1, 2), source="api")

    assert (first, second) == (Appended(2, 1), Appended(1, 1))
    found = await store.dnc_lists.find(app.no, list_id=dnc.id)
    assert found is not None
    assert found.size == 3
    now = await store.imports.find(app.no, job.id)
    assert now is not None
    assert (now.accepted, now.duplicates, now.rejected, now.state) == (2, 1, 1, "running")
    sources = await rows(store, "select source, count(*) from dnc_entry group by source order by source")
    assert list(map(tuple, sources)) == [("api", 1), ("import", 2)]


async def test_importers_of_one_list_do_not_get_into_each_others_way(store: Store, app: App, clock: StillClock):
    contact_list = await make_list(store, app, clock)

    blocks = [range(start, start + 12) for start in range(0, 100, 10)]
    added = await asyncio.gather(*(append(store, app, contact_list, block) for block in blocks))

    assert sum(one.added for one in added) == 102
    assert sum(one.duplicates for one in added) == 18
    places = await rows(store, "select pos, group_no from contact order by pos")
    assert [tuple(place) for place in places] == [(pos, 0) for pos in range(102)]
    assert len(set(await numbers(store, app, contact_list))) == 102


async def test_a_list_that_grows_at_the_moment_of_the_start_loses_nobody(
    store: Store, app: App, clock: StillClock, node: Node
):
    contact_list = await make_list(store, app, clock, 5)
    campaign = await make_campaign(store, app, clock, [contact_list])

    zoned = [contact(store, app, number(i), zone="Asia/Kolkata") for i in range(100, 120)]
    _, run, *_ = await asyncio.gather(
        append(store, app, contact_list, range(5, 20)),
        start(store, app, clock, campaign),
        store.hot.append(app.no, contact_list.no, zoned),
        append(store, app, contact_list, range(20, 40)),
    )

    intents = await node.walk_all(run, size=7)
    assert sorted(intent.pos for intent in intents) == list(range(60))
    assert len({intent.number for intent in intents}) == 60


async def test_a_list_that_grows_while_it_is_walked_is_walked_to_its_end(
    store: Store, app: App, clock: StillClock, node: Node
):
    contact_list = await make_list(store, app, clock, 5)
    run = await start(store, app, clock, await make_campaign(store, app, clock, [contact_list]))
    other = await Node.enter(store, clock)

    async def grow() -> None:
        for first in range(5, 65, 6):
            people = [contact(store, app, number(i), zone=["", "Asia/Kolkata"][i % 2]) for i in range(first, first + 6)]
            await store.hot.append(app.no, contact_list.no, people)

    mine, theirs, _ = await asyncio.gather(node.walk_all(run, 4, 3), other.walk_all(run, 4, 3), grow())
    rest = await node.walk_all(run)

    assert sorted(intent.pos for intent in (*mine, *theirs, *rest)) == list(range(65))


async def test_columns_of_a_list_are_remembered_in_the_order_they_came(store: Store, app: App, clock: StillClock):
    contact_list = await make_list(store, app, clock)

    await store.lists.add_columns(app.no, contact_list.no, ["phone", "first_name"])
    await store.lists.add_columns(app.no, contact_list.no, ["first_name", "order"])

    found = await store.lists.find(app.no, list_id=contact_list.id)
    assert found is not None
    assert found.columns == ("phone", "first_name", "order")
