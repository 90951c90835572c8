"""The other ends stand up and answer: a broken one would make every test of a carrier say the wrong thing."""

import pytest
import smpp34

from e2e.running import until


async def test_an_smsc_of_others_answers_a_client_of_others_and_sends_the_receipt(node_smpp):
    smsc = node_smpp(record=True, answer_ids="hex")

    client = smpp34.Client("127.0.0.1", smsc.port, "us", "secret", bind_type="TRX")
    session = await client.connect()
    answer = await session.submit_sm("447700900001", b"Hi", source_addr="123", registered_delivery=1)
    receipt = await session.next()
    await session.unbind()

    assert int(answer.message_id, 16) == 1000000001
    assert b"id:1000000001 " in receipt.short_message
    assert smsc.destinations() == {"447700900001": 1}
    assert [one["text"] for one in smsc.submits()] == ["Hi"]
    assert smsc.counters()["taken"] == smsc.counters()["answered"] == 1


async def test_an_smsc_of_others_keeps_what_nobody_was_there_to_take(node_smpp):
    smsc = node_smpp(answer_first=0, withhold=1, drop_after_withheld=True, receipt_delay_ms=100)
    client = smpp34.Client("127.0.0.1", smsc.port, "us", "secret", bind_type="TRX")
    session = await client.connect()
    with pytest.raises(smpp34.SmppError):
        await session.submit_sm("447700900001", b"Hi", registered_delivery=1)
    until(lambda: smsc.counters()["receipts_kept"], "the receipt to be kept")

    again = await smpp34.Client("127.0.0.1", smsc.port, "us", "secret", bind_type="TRX").connect()
    receipt = await again.next()

    assert receipt.source_addr == "447700900001"
    assert smsc.counters()["duplicates"] == 0


def test_twilio_as_others_play_it_takes_a_message_and_lists_it(emulate_twilio):
    twilio = emulate_twilio()

    sent = twilio.send(To="+447700900001", From=twilio.number, Body="Hi")
    twilio.advance(sent["sid"], "delivered")

    assert [(one["to"], one["status"]) for one in twilio.messages()] == [("+447700900001", "delivered")]


def test_kannel_binds_to_an_smsc_of_others_and_texts_through_it(node_smpp, kannel_bearerbox):
    smsc = node_smpp()
    gateway = kannel_bearerbox(smsc.port)
    # The SMSC knows of the bind before Kannel does, which queues what comes meanwhile.
    until(lambda: "online" in gateway.status(), "the bind")

    assert "0: Accepted" in gateway.send("123", "447700900001", "Hi")

    assert until(smsc.destinations, "the message") == {"447700900001": 1}
