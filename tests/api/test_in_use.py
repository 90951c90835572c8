"""What is used is not deleted, and whoever wants to is told by whom: by name for himself, by id for his program."""

from api.callers import campaign_body, unique
from callsheet.store.usage import MOST_USERS, User, told
from phone_numbers import numbers


async def test_the_campaigns_that_use_a_thing_are_told_alike_whatever_it_is(shop):
    name = await shop.make_list(*numbers("IN", 2))
    made = {
        kind: (await shop.v1("POST", f"/{kind}", {"name": unique("Thing"), **more})).json()
        for kind, more in (("dnc-lists", {}), ("templates", {"body": "Hello"}))
    }
    made["contact-lists"] = (await shop.compat("GET", f"/campaign/contactList/{name}")).json()["data"]
    message = {"template_name": made["templates"]["name"], "template_id": made["templates"]["id"]}
    used = campaign_body(name, message=message, dncLists={"id": made["dnc-lists"]["id"]})
    users = [
        f"{one['name']} ({one['id']})"
        for body in (used, {**used, "name": unique("Campaign")})
        for one in [(await shop.compat("POST", "/campaign", body)).json()["data"]]
    ]

    refused = {kind: await shop.v1("DELETE", f"/{kind}/{thing['id']}") for kind, thing in made.items()}

    assert {answer.status_code for answer in refused.values()} == {409}
    told = {kind: answer.json()["detail"].partition(": ") for kind, answer in refused.items()}
    assert {rest for _, _, rest in told.values()} == {f"{', '.join(users)}."}
    said = told["contact-lists"][0], told["dnc-lists"][0], told["templates"][0]
    assert said == (
        f"The contact list {name} cannot be deleted while campaigns use it",
        f"The DNC list {made['dnc-lists']['name']} cannot be deleted while campaigns use it",
        "Campaigns use this",
    )


def test_many_are_told_as_a_few_and_more():
    users = [User(f"c-{number}", "Spring") for number in range(MOST_USERS)]

    assert told(users).endswith(f"Spring (c-{MOST_USERS - 2}) and more")
    assert told(users[:1]) == "Spring (c-0)"
