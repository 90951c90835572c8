"""A parameter that a call of ours does not have is a slip of the pen: it is named, and nothing is done or listed."""

from api.callers import fields
from api.everything import example, fill, operations, own_everything
from phone_numbers import numbers


async def test_a_misspelled_filter_does_not_list_everything(shop):
    answer = await shop.v1("GET", "/campaigns", params={"stauts": "Active", "Limit": 3})

    assert (answer.status_code, fields(answer)) == (400, ["stauts", "Limit"])
    told = {error["message"] for error in answer.json()["errors"]}
    assert told == {"There is no such parameter. Known here: channel, status, search, after, limit."}


async def test_it_hides_no_other_fault(shop):
    listed = await shop.v1("GET", "/campaigns", params={"stauts": "Active", "limit": 0})
    made = await shop.v1("POST", "/templates", {"name": "", "body": "Hello"}, params={"dry_run": "true"})

    assert [sorted(fields(one)) for one in (listed, made)] == [["limit", "stauts"], ["dry_run", "name"]]
    assert (await shop.v1("GET", "/templates")).json()["items"] == []


async def test_parameters_of_what_routes_share_are_known(shop):
    known = await shop.v1("GET", "/runs", params={"campaign_id": await shop.make_campaign(*numbers("IN", 1))})
    assert (known.status_code, known.json()["items"]) == (200, [])


async def test_no_call_of_ours_takes_a_strange_parameter(shop):
    mine = await own_everything(shop)
    taken = []
    for operation in operations():
        if operation.path.startswith("/v1/"):
            body = example(operation)
            more = {"content": body} if isinstance(body, bytes) else {"json": body}
            path = fill(operation, shop, mine)
            answer = await shop.server.http.request(
                operation.method, path, headers=shop.headers, params={"strange": ""}, **more
            )
            if answer.status_code != 401 and "strange" not in fields(answer):
                taken.append(f"{operation} {answer.status_code}")
    assert taken == []


async def test_the_documented_wire_stays_tolerant(shop):
    answer = await shop.compat("GET", "/campaign/contactList/getAllListDetails", params={"strange": "yes"})
    assert answer.status_code == 200, answer.text
