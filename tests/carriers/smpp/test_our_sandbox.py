"""Our carrier against our simulator, which knows all the ways in which a carrier can disappoint."""

from pathlib import Path

from callsheet.carriers.base import Accepted, Inbound, InvalidNumber, NoAnswer, Receipt, Throttled
from carriers.simulating import simulator
from carriers.smpp.rig import bound, message, until


async def test_each_number_gets_what_its_ending_promises(tmp_path: Path):
    async with simulator(tmp_path) as it, bound(it.smpp_port) as rig:
        ends = {ending: await rig.send(message(ending)) for ending in (1, 9903, 9904, 9905, 9906, 9909)}

        assert {ending: type(end) for ending, end in ends.items()} == {
            1: Accepted,
            9903: Accepted,
            9904: Accepted,
            9905: InvalidNumber,
            9906: Throttled,
            9909: Accepted,
        }
        await until(lambda: len(rig.heard) == 5)
        receipts = {heard.number: heard for heard in rig.heard if isinstance(heard, Receipt)}
        assert receipts["+447700909904"].code == "UNDELIV:001"
        assert receipts["+447700900001"].carrier_id == ends[1].carrier_id
        assert [heard.text for heard in rig.heard if isinstance(heard, Inbound)] == ["STOP"]


async def test_a_number_that_is_never_answered_is_uncertain(tmp_path: Path):
    async with simulator(tmp_path) as it, bound(it.smpp_port, answer_seconds=1) as rig:
        assert isinstance(await rig.send(message(9907)), NoAnswer)


async def test_a_long_text_arrives_whole_whatever_it_is_written_in(tmp_path: Path):
    texts = ["A long text, with a € in it. " * 10, "Очень длинный текст. " * 10]
    async with simulator(tmp_path) as it:
        for at, way in enumerate(("udh", "sar", "payload")):
            async with bound(it.smpp_port, concatenation=way, reference_bits=16 if at == 1 else 8) as rig:
                for number, text in enumerate(texts, start=10 * at):
                    assert isinstance(await rig.send(message(number, text, segments=3)), Accepted)
        assert [item["text"] for item in (await it.get("/outbox"))["items"]] == texts * 3
