"""Users are made and changed by admins of their app, no hash is ever shown, and an app is never without an admin."""

import pytest

from api.callers import unique
from api.people import OURS, PASSWORD, hash_cheaply, make_person


@pytest.fixture(autouse=True)
def cheap(shop):
    hash_cheaply(shop)


async def make(caller, role="viewer", **changes):
    body = {"login": unique("user"), "password": PASSWORD, "role": role, **changes}
    made = await caller.v1("POST", "/users", body)
    assert made.status_code == 201, made.text
    return made.json()


async def test_a_user_is_made_shown_and_listed_without_a_password(shop):
    made = await make(shop, "operator", name="Ada")

    shown = await shop.v1("GET", f"/users/{made['id']}")
    listed = await shop.v1("GET", "/users")

    assert shown.json() == made
    assert (made["name"], made["role"], made["disabled"]) == ("Ada", "operator", False)
    assert listed.json()["items"] == [made]
    assert not any(word in listed.text + shown.text for word in ("argon2", "password", PASSWORD))


async def test_users_come_in_pages_oldest_first(shop, stranger):
    made = [(await make(shop))["id"] for _ in range(3)]
    theirs = (await make(stranger))["id"]

    assert [one["id"] async for one in shop.pages("/users", limit=2)] == made
    assert (await shop.v1("GET", "/users", params={"after": theirs})).status_code == 400


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"password": "elevenchars"}, "password"),
        ({"password": "x" * 1025}, "password"),
        ({"login": "Lovelace.Ada", "password": "lovelace.ada"}, "password"),
        ({"login": " "}, "login"),
        ({"login": "a\nb"}, "login"),
        ({"role": "owner"}, "role"),
        ({"scopes": []}, "scopes"),
    ],
)
async def test_a_wrong_user_is_refused_with_the_wrong_field(shop, changes, wrong):
    body = {"login": "Ada", "password": PASSWORD, "role": "viewer", **changes}

    answer = await shop.v1("POST", "/users", body)

    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, [wrong])
    assert (await shop.v1("GET", "/users")).json()["items"] == []


async def test_a_login_is_taken_whatever_its_case(shop, stranger):
    made = await make(shop)

    again = await shop.v1("POST", "/users", {"login": made["login"].upper(), "password": PASSWORD, "role": "viewer"})

    assert (again.status_code, again.json()["code"]) == (409, "name_taken")
    await make(stranger, login=made["login"])


async def test_the_last_enabled_admin_is_neither_removed_demoted_nor_disabled(shop):
    last = (await make(shop, "admin"))["id"]
    await make(shop, "operator")

    answers = [
        await shop.v1("PATCH", f"/users/{last}", {"role": "operator"}),
        await shop.v1("PATCH", f"/users/{last}", {"disabled": True}),
        await shop.v1("PUT", f"/users/{last}/role", {"role": "agent"}),
        await shop.v1("DELETE", f"/users/{last}"),
    ]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(409, "last_admin")}
    await make(shop, "admin")
    assert (await shop.v1("DELETE", f"/users/{last}")).status_code == 204


async def test_a_change_of_role_holds_from_the_next_call_on(shop):
    person = await make_person(shop, "operator")
    body = {"name": unique("T"), "body": "x"}
    assert (await person.call("POST", "/templates", body)).status_code == 201

    await shop.v1("PATCH", f"/users/{person.id}", {"role": "viewer"})

    assert (await person.call("POST", "/templates", {**body, "name": "other"})).status_code == 403
    assert (await person.call("GET", "/templates")).status_code == 200


@pytest.mark.parametrize("how", ["disable", "delete", "password"])
async def test_who_is_disabled_deleted_or_given_a_new_password_is_signed_out(shop, how):
    person = await make_person(shop, "viewer", address="192.0.2.20")

    if how == "disable":
        answer = await shop.v1("PATCH", f"/users/{person.id}", {"disabled": True})
    elif how == "delete":
        answer = await shop.v1("DELETE", f"/users/{person.id}")
    else:
        answer = await shop.v1("PUT", f"/users/{person.id}/password", {"password": "another long one"})

    assert answer.status_code in (200, 204)
    assert (await person.send("GET", "/v1/sessions/current")).status_code == 401
    assert (await person.sign_in()).status_code == 401
    assert (await person.sign_in("another long one")).status_code == (201 if how == "password" else 401)


async def test_who_is_enabled_again_signs_in_again(shop):
    person = await make_person(shop, "viewer", address="192.0.2.21")
    await shop.v1("PATCH", f"/users/{person.id}", {"disabled": True})

    await shop.v1("PATCH", f"/users/{person.id}", {"disabled": False, "name": "Back"})

    assert (await person.sign_in()).json()["name"] == "Back"


async def test_the_users_of_another_account_are_not_there(shop, stranger):
    theirs = (await make(stranger, "admin"))["id"]

    answers = [
        await shop.v1("GET", f"/users/{theirs}"),
        await shop.v1("PATCH", f"/users/{theirs}", {"name": "x"}),
        await shop.v1("PUT", f"/users/{theirs}/role", {"role": "admin"}),
        await shop.v1("PUT", f"/users/{theirs}/password", {"password": PASSWORD}),
        await shop.v1("DELETE", f"/users/{theirs}"),
    ]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "user_not_found")}


async def test_an_admin_of_one_app_does_not_take_over_who_is_admin_in_another(shop):
    owner = await make_person(shop, "admin")
    second = (await owner.send("POST", "/v1/apps", {"name": "Second"}, **OURS)).json()["id"]
    helper = await make_person(shop, "admin")
    path, body = f"/users/{owner.id}/password", {"password": "taken over by me"}

    for answer in (await helper.call("PUT", path, body), await shop.v1("PUT", path, body)):
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    shared = await owner.call("PUT", f"/users/{helper.id}/role", {"role": "admin"}, app_id=second)
    assert (shared.status_code, shared.json()["role"]) == (200, "admin")
    assert (await helper.call("PUT", path, body)).status_code == 204
