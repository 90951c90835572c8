"""Receipts that nobody knows are shown to the app whose trunk heard them, and to nobody else."""

from callsheet.carriers.base import Receipt
from callsheet.core.attempt import Kind
from phone_numbers import numbers


async def test_a_receipt_that_nobody_knows_is_shown_without_the_number_and_pages_go_on(shop, stranger):
    runtime, person = shop.server.runtime, numbers("IN", 1)[0]
    (trunk,) = await runtime.store.apps.trunks(shop.client.app.no)
    told = [
        Receipt("", f"{i:X}", Kind.undelivered, runtime.clock.now(), "UNDELIV", (), person.removeprefix("+"))
        for i in range(0xA1, 0xA4)
    ]

    await runtime.conductor.hearing(trunk).hear(told)

    listed = [one async for one in shop.pages("/parked-receipts", limit=2)]
    assert [(one["carrier_id"], one["trunk_id"], one["kind"], one["code"]) for one in listed] == [
        (carrier_id, trunk.id, "undelivered", "UNDELIV") for carrier_id in ("A1", "A2", "A3")
    ]
    assert person.removeprefix("+") not in str(listed)
    assert [one async for one in stranger.pages("/parked-receipts")] == []
    assert (await shop.v1("GET", "/parked-receipts?after=x")).status_code == 400
