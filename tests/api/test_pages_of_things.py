"""Everything that an app has can be listed, page by page, and nothing of others is among it."""

import pytest

from api.callers import campaign_body, unique

THINGS = [
    ("/templates", {"body": "Hello"}),
    ("/flows", {}),
    ("/contact-lists", {}),
    ("/dnc-lists", {}),
]


@pytest.mark.parametrize(("path", "rest"), THINGS)
async def test_what_an_app_has_comes_in_pages_oldest_first(shop, stranger, path, rest):
    made = [(await shop.v1("POST", path, {"name": unique("Mine"), **rest})).json() for _ in range(5)]
    await stranger.v1("POST", path, {"name": unique("Theirs"), **rest})

    found = [one async for one in shop.pages(path, limit=2)]

    assert [(one["id"], one["name"]) for one in found] == [(one["id"], one["name"]) for one in made]
    assert not any("body" in one or "document" in one for one in found)


@pytest.mark.parametrize(("path", "rest"), THINGS)
async def test_the_cursor_of_another_app_is_none(shop, stranger, path, rest):
    theirs = (await stranger.v1("POST", path, {"name": unique("Theirs"), **rest})).json()["id"]

    for after in ("nothing", theirs):
        answer = await shop.v1("GET", path, params={"after": after})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "after")


async def test_senders_come_in_pages_oldest_first(shop, stranger):
    made = [(await shop.v1("POST", "/senders", {"number": f"+1212555017{i}"})).json() for i in range(5)]
    theirs = (await stranger.v1("POST", "/senders", {"number": "+12125550170"})).json()["id"]

    pages = [(await shop.v1("GET", "/senders", params={"limit": 2})).json()]
    while pages[-1]["next"] is not None:
        pages.append((await shop.v1("GET", "/senders", params={"limit": 2, "after": pages[-1]["next"]})).json())
    astray = await shop.v1("GET", "/senders", params={"after": theirs})

    assert [page["items"] for page in pages] == [made[:2], made[2:4], made[4:]]
    assert (astray.status_code, astray.json()["errors"][0]["field"]) == (400, "after")


async def test_each_contact_list_tells_which_campaigns_use_it(shop):
    both, one, none = await shop.make_list(), await shop.make_list(), await shop.make_list()
    ids = []
    for lists in ((both, one), (both,)):
        made = await shop.compat("POST", "/campaign", campaign_body(*lists))
        ids.append(made.json()["data"]["_id"])

    found = {listed["name"]: listed async for listed in shop.pages("/contact-lists")}

    assert [[campaign["id"] for campaign in found[name]["campaigns"]] for name in (both, one, none)] == [
        ids,
        ids[:1],
        [],
    ]
    assert not any(listed["in_use"] for listed in found.values())
