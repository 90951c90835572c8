"""The contact of a conversation that a reply began: found, changed and forgotten with its list, on both databases."""

import msgspec

from callsheet.store.apps import App
from callsheet.store.lists import ContactList
from callsheet.store.store import Store
from conversing import ASK, LATER, document, exit_to, make_flow, question
from databases import change, rows
from factories import SENDER, StillClock, contact, make_list, number, trunk_of
from store.test_flow_sessions import endings, said, say, talk, talker_of

LEARNS = document(
    question(ASK, "how", "Dear @contact.first_name, where do you live?", exit_to(LATER, "said")),
    {
        **question(LATER, "more", "@contact.city?", exit_to(None, "said")),
        "config": {
            "prompt": "Really?",
            "set_contact_property": {"property_key": "City", "property_value": "@results.how.value"},
        },
    },
)


async def begun(store: Store, app: App, clock: StillClock) -> ContactList:
    """Let somebody of two lists begin a conversation, and return the newer list."""
    for name in ("Nobody", "Asha"):
        cells = msgspec.json.encode({"First Name": name}).decode()
        found = await make_list(store, app, clock, [contact(store, app, number(0), attributes=cells)])
        clock.advance(1)
    made = await make_flow(store, app, LEARNS)
    (flow,) = await rows(store, "select id from flow where no = :no", no=made.no)
    await store.senders.put(app.no, SENDER, (await trunk_of(store, app)).no, {"flow_id": flow.id}, clock.now())
    await say(store, app, clock, "hello")
    await talk(talker_of(store, clock))
    return found


async def test_it_is_read_and_written_where_the_person_was_listed_last(store: Store, app: App, clock: StillClock):
    newer = await begun(store, app, clock)
    # What comes meanwhile is another list's.
    clock.advance(1)
    await make_list(store, app, clock, 1)
    for text in ("Pune", "yes"):
        await say(store, app, clock, text)
        await talk(talker_of(store, clock))

    assert await said(store, app) == ["Dear Asha, where do you live?", "Really?"]
    kept = await rows(store, "select list_no from contact where attributes like '%Pune%'")
    known = await rows(store, "select no, columns from contact_list where columns like '%City%'")
    assert ([row.list_no for row in kept], [row.no for row in known]) == ([newer.no], [newer.no])


async def test_a_deleted_list_ends_it(store: Store, app: App, clock: StillClock):
    newer = await begun(store, app, clock)
    await change(store, "insert into list_erasure values (:app, :no, 0, 100)", app=app.no, no=newer.no)
    while await store.erasing.erase(100, clock.now()):
        pass

    assert await endings(store) == ["closed"]
