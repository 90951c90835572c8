"""Findings: what would cost money, reach nobody, or reach the wrong ones is seen before the campaign starts."""

from api.callers import campaign_body, unique, voice_body
from phone_numbers import numbers


async def findings(shop, *lists, **changes):
    made = await shop.compat("POST", "/campaign", campaign_body(*lists, **changes))
    answer = await shop.v1("GET", f"/campaigns/{made.json()['data']['_id']}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["id"] == made.json()["data"]["_id"]
    return [(finding["field"], finding["message"]) for finding in answer.json()["findings"]]


def blank(list_name, column):
    return (
        "message",
        f"The contact list {list_name} has no column {column}, and the placeholder has no default: it stays blank.",
    )


def nobody(list_name):
    return ("contactLists", f"Nobody is on the list {list_name}.")


async def test_a_placeholder_that_stays_blank_is_named_with_its_list(shop):
    first = await shop.make_list(*numbers("IN", 1), firstName="Asha", city="Pune")
    second = await shop.make_list(*numbers("IN", 1), forename="Ravi")
    empty = await shop.make_list()
    text = "<First Name> of {{City}}, {{nick | default: 'friend'}}: <Phone Number> {{fist_name}}"

    found = await findings(shop, first, second, empty, message={"message": text})

    assert found == [blank(first, "fist_name"), blank(second, "City"), blank(second, "fist_name"), nobody(empty)]


async def test_nothing_is_found_where_nothing_stays_blank(shop):
    name = await shop.make_list(*numbers("IN", 1), **{"2nd name": "Asha", "vip": ""})

    found = await findings(
        shop, name, message={"message": "{{ 2nd name }} {% if vip %}<Vip>{% endif %} {{a | upcase | default: 'x'}}"}
    )

    assert found == []


async def test_the_text_of_a_template_and_of_a_flow_is_looked_at_too(shop):
    name = await shop.make_list(*numbers("IN", 1), city="Pune")
    template = (await shop.v1("POST", "/templates", {"name": unique("T"), "body": "<p>Hi {{town}}</p>"})).json()
    flow = (await shop.v1("POST", "/flows", {"name": unique("F")})).json()

    of_template = await findings(shop, name, message={"templateId": template["id"]})
    of_flow = await findings(shop, name, message=None, format="advanced", experienceFlowName=flow["name"])

    assert of_template == [blank(name, "town")]
    assert of_flow == [
        (
            "message",
            "The experience flow of this campaign has no document with a message, so there is nothing to send.",
        )
    ]


async def test_a_text_of_many_segments_is_named_with_their_number(shop):
    name = await shop.make_list(*numbers("IN", 1))

    usual = await findings(shop, name, message={"message": "x" * 1_530})
    long = await findings(shop, name, message={"message": "x" * 1_531})

    assert usual == []
    assert long == [("message", "The text alone takes about 11 segments.")]


async def test_a_campaign_that_spares_nobody_is_named_where_the_app_has_lists_of_its_own(shop, server):
    name = await shop.make_list(*numbers("IN", 1), firstName="Asha")
    store, clock = server.runtime.store, server.runtime.clock
    await store.dnc_lists.create(shop.client.app.no, "Default Global DNC", clock.now(), is_global=True)

    with_the_global_one = await findings(shop, name)
    await shop.v1("POST", "/dnc-lists", {"name": "Never again"})
    forgotten = await findings(shop, name)
    linked = await findings(shop, name, dncLists={"name": "Never again"})

    assert with_the_global_one == linked == []
    assert forgotten == [("dncLists", "No DNC list is linked, although the app has some of its own.")]


async def test_the_campaign_of_nobody_is_not_found(shop):
    answer = await shop.v1("GET", "/campaigns/cd-nothing")

    assert (answer.status_code, answer.json()["code"]) == (404, "campaign_not_found")


async def test_that_nobody_can_be_called_is_seen_before_anybody_tries(shop):
    flow = (await shop.v1("POST", "/flows", {"name": unique("Flow")})).json()
    name = await shop.make_list(*numbers("IN", 1))
    dnc = (await shop.v1("POST", "/dnc-lists", {"name": unique("Never")})).json()
    body = voice_body(name, experienceFlowName=flow["name"], dncLists={"name": dnc["name"]})

    found = await findings(shop, **body)

    said = "The experience flow of this campaign has no document, so there is nothing to say."
    assert found == [("voice", said)]


async def test_a_sender_whose_texts_go_to_simulated_people_is_found_once_there_is_a_real_trunk(shop):
    people = await shop.make_list(*numbers("IN", 1), firstName="Asha")
    calls = {"name": unique("PBX"), "carrier": "sip", "settings": {"host": "127.0.0.1", "port": 1}}
    texts = {
        "name": unique("SMSC"),
        "carrier": "smpp",
        "settings": {"host": "127.0.0.1", "port": 1, "system_id": "shop"},
    }
    assert (await shop.v1("POST", "/trunks", calls)).status_code == 201
    rehearsed = await findings(shop, people, message={"message": "Hello"})
    assert (await shop.v1("POST", "/trunks", texts)).status_code == 201

    (found,) = await findings(shop, people, message={"message": "Hello"})

    assert rehearsed == []
    assert found[0] == "sender"
    assert "simulated people" in found[1]
    assert texts["name"] in found[1]
