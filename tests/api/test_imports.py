"""Files of contacts and of numbers, sent as the body of a call."""

import pytest

from api.callers import Caller, campaign_body, unique, until
from callsheet.api.json_body import MOST_BYTES
from phone_numbers import numbers

PEOPLE = numbers("IN", 5)
CSV = (
    "First Name,phoneNumber,timezone\r\n"
    f'"Asha, the first",{PEOPLE[0]},Asia/Kolkata\r\n'
    f"Bela,{PEOPLE[1]},\r\n"
    "Nobody,12,\r\n"
    f"Chand,{PEOPLE[2]},Mars/Base\r\n"
    f"Bela again,{PEOPLE[1]},\r\n"
    f"Divya,{PEOPLE[3]},\r\n"
).encode()


async def make_list(shop: Caller) -> str:
    return str((await shop.v1("POST", "/contact-lists", {"name": unique("Imported")})).json()["id"])


async def finished(shop: Caller, path: str) -> dict:
    async def ended() -> bool:
        return (await shop.v1("GET", path)).json()["state"] in ("done", "failed")

    await until(ended)
    return (await shop.v1("GET", path)).json()


async def test_a_file_whose_columns_the_list_has_no_room_for_says_so(shop):
    path = f"/contact-lists/{await make_list(shop)}/imports"
    full = ",".join(["phoneNumber", *(f"column {serial}" for serial in range(149))])

    first = await shop.v1("POST", path, content=f"{full}\n{PEOPLE[0]}\n".encode())
    assert (await finished(shop, f"{path}/{first.json()['id']}"))["state"] == "done"
    second = await shop.v1("POST", path, content=f"phoneNumber,one more\n{PEOPLE[1]}\n".encode())
    job = await finished(shop, f"{path}/{second.json()['id']}")

    assert (job["state"], job["accepted"]) == ("failed", 0)
    assert "150 columns" in job["problem"]


async def test_a_file_becomes_contacts_and_tells_of_every_row(shop):
    list_id = await make_list(shop)
    path = f"/contact-lists/{list_id}/imports"

    started = await shop.v1("POST", path, content=CSV, params={"filename": "march.csv"})
    job = await finished(shop, f"{path}/{started.json()['id']}")
    rejects = await shop.v1("GET", f"{path}/{started.json()['id']}/rejects")
    contact_list = (await shop.v1("GET", f"/contact-lists/{list_id}")).json()

    assert started.status_code == 202
    assert started.json() == {"id": job["id"]}
    assert started.headers["location"] == f"/v1/apps/{shop.app_id}{path}/{job['id']}"
    assert job == {
        "id": job["id"],
        "state": "done",
        "file": "march.csv",
        "rows": 6,
        "accepted": 3,
        "rejected": 2,
        "duplicates": 1,
        "bytes_done": len(CSV),
        "bytes_total": len(CSV),
        "problem": "",
    }
    assert rejects.headers["content-type"].startswith("text/csv")
    lines = rejects.text.splitlines()
    assert lines[0] == "row,reason,message"
    assert [line.split(",")[1] for line in lines[1:]] == ["no_region", "unknown_time_zone"]
    assert (contact_list["size"], contact_list["in_use"], contact_list["campaigns"]) == (3, False, [])


async def test_an_imported_list_can_be_run(shop):
    name = unique("Imported")
    list_id = (await shop.v1("POST", "/contact-lists", {"name": name})).json()["id"]
    path = f"/contact-lists/{list_id}/imports"
    started = await shop.v1("POST", path, content=CSV)
    await finished(shop, f"{path}/{started.json()['id']}")
    made = await shop.compat("POST", "/campaign", campaign_body(name, message={"message": "Hello <First Name>"}))

    await shop.trigger(made.json()["data"]["_id"], "play")
    await shop.until_status(made.json()["data"]["_id"], "Completed")

    texts = {message["to"]: message["text"] for message in await shop.outbox()}
    assert texts == {PEOPLE[0]: "Hello Asha, the first", PEOPLE[1]: "Hello Bela", PEOPLE[3]: "Hello Divya"}


async def test_a_file_of_numbers_goes_onto_a_dnc_list(shop):
    dnc_list = (await shop.v1("POST", "/dnc-lists", {"name": unique("DNC")})).json()
    path = f"/dnc-lists/{dnc_list['id']}/imports"

    started = await shop.v1("POST", path, content="phone\n" + "\n".join(PEOPLE))
    job = await finished(shop, f"{path}/{started.json()['id']}")
    shown = (await shop.v1("GET", f"/dnc-lists/{dnc_list['id']}")).json()

    assert (job["state"], job["accepted"], shown["size"]) == ("done", 5, 5)


async def test_a_file_without_a_phone_column_fails_and_says_why(shop):
    path = f"/contact-lists/{await make_list(shop)}/imports"

    started = await shop.v1("POST", path, content=b"name,city\nAsha,Pune\n")
    job = await finished(shop, f"{path}/{started.json()['id']}")

    assert (job["state"], job["accepted"]) == ("failed", 0)
    assert "phone" in job["problem"].lower()


async def test_a_file_larger_than_any_other_body_is_taken(shop):
    path = f"/contact-lists/{await make_list(shop)}/imports"

    people = numbers("IN", 4000)

    async def chunks():
        yield b"phoneNumber,note\n"
        for person in people:
            yield f"{person},{'x' * 300}\n".encode()

    started = await shop.v1("POST", path, content=chunks())
    job = await finished(shop, f"{path}/{started.json()['id']}")

    assert (job["state"], job["accepted"]) == ("done", 4000)
    assert job["bytes_total"] > MOST_BYTES


@pytest.mark.parametrize(
    ("content", "headers", "word"),
    [
        (b"", {}, "empty"),
        (CSV, {"content-type": "multipart/form-data; boundary=x"}, "--data-binary"),
    ],
)
async def test_what_is_no_file_is_refused(shop, content, headers, word):
    answer = await shop.v1("POST", f"/contact-lists/{await make_list(shop)}/imports", content=content, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")
    assert word in answer.json()["detail"]


async def test_an_import_is_found_only_at_its_own_list(shop):
    first, second = await make_list(shop), await make_list(shop)
    dnc_list = (await shop.v1("POST", "/dnc-lists", {"name": unique("DNC")})).json()
    started = (await shop.v1("POST", f"/contact-lists/{first}/imports", content=CSV)).json()["id"]

    for path in (f"/contact-lists/{second}", f"/dnc-lists/{dnc_list['id']}"):
        for rest in ("", "/rejects"):
            answer = await shop.v1("GET", f"{path}/imports/{started}{rest}")
            assert (answer.status_code, answer.json()["code"]) == (404, "import_not_found")


@pytest.mark.parametrize(
    ("kind", "code"), [("contact-lists", "contact_list_not_found"), ("dnc-lists", "dnc_list_not_found")]
)
async def test_a_file_for_a_list_that_is_not_there_is_refused(shop, kind, code):
    answer = await shop.v1("POST", f"/{kind}/cl-nothing/imports", content=CSV)

    assert (answer.status_code, answer.json()["code"]) == (404, code)
