"""What each behaviour of a phone becomes: the cause, the SIP status, and what the core makes of both."""

import pytest

from callsheet.core.calling import Outcome
from callsheet.voice.base import Answered, HungUp, Ringing
from strangers.phones import PHONES
from voice.asterisk.calls import SENDER, dial_of, outcome_of, place, until
from voice.asterisk.voice_node import TRUNK

OUTCOMES = {
    "0002": Outcome.busy,
    "0003": Outcome.invalid_number,
    "0004": Outcome.rejected,
    "0005": Outcome.trunk_failed,
    "0012": Outcome.no_answer,
}


@pytest.mark.parametrize("ending", OUTCOMES)
async def test_a_call_that_is_not_answered_ends_with_the_cause_and_the_status_of_the_network(call, ending):
    told = await call(ending)

    end = await told.next(HungUp)

    assert end.cause == PHONES[ending].cause
    assert end.sip_status == PHONES[ending].sip_status
    assert not end.by_us
    assert outcome_of(told) is OUTCOMES[ending]


async def test_an_unanswered_call_frees_its_slot_whatever_its_state(call, engine):
    room = engine.room(TRUNK)
    told = await call("0006", ring_seconds=2)
    assert engine.room(TRUNK) == room - 1

    end = await told.next(HungUp)

    assert told.kinds() == [Ringing, HungUp]
    assert (end.cause, end.sip_status) == (19, 480)
    assert (end.at - told.events[0].at).total_seconds() < 2.5
    assert outcome_of(told, ring_ran_out=True) is Outcome.no_answer
    assert engine.room(TRUNK) == room
    assert not engine.living()


async def test_the_ring_time_runs_from_the_invite_through_an_announcement_that_never_ends(call):
    told = await call("0007", ring_seconds=2)

    end = await told.next(HungUp)

    assert told.kinds() == [Ringing, HungUp]
    assert told.events[0].has_early_media
    assert (end.at - told.events[0].at).total_seconds() < 2.5
    assert outcome_of(told, ring_ran_out=True) is Outcome.no_answer


async def test_a_phone_that_is_silent_does_not_ring_and_is_given_up(call):
    told = await call("0016", ring_seconds=2)

    end = await told.next(HungUp)

    assert told.kinds() == [HungUp]
    assert end.cause in (0, 18, 19)


async def test_an_answered_call_that_we_hang_up(call, phone_network):
    told = await call("0001")
    await told.next(Answered)

    await told.call.hang_up()
    end = await told.next(HungUp)

    assert told.kinds() == [Ringing, Answered, HungUp]
    assert end == HungUp(end.at, 16, 0, by_us=True)


async def test_an_answered_call_that_they_hang_up(call):
    told = await call("0011")

    end = await told.next(HungUp)

    assert told.kinds() == [Answered, HungUp]
    assert end == HungUp(end.at, 16, 0, by_us=False)


async def test_a_call_is_taken_back_while_it_rings(call, phone_network, engine):
    told = await call("0006")
    await told.next(Ringing)

    await told.call.hang_up()
    end = await told.next(HungUp)

    assert end.by_us
    assert outcome_of(told) is Outcome.cancelled


async def test_the_caller_id_arrives_as_from_and_as_asserted_identity(engine, phone_network):
    number = phone_network.number("0002")

    told = await place(engine, TRUNK, dial_of(number))
    await told.next(HungUp)

    (seen,) = phone_network.await_calls(number, ended=1)
    assert f"sip:{SENDER}@" in seen.caller
    assert f"sip:{SENDER}@" in seen.asserted
    assert seen.number == number


async def test_a_call_ends_after_its_longest_time_whoever_forgot_it(call):
    told = await call("0013", ring_seconds=1, longest_seconds=2)
    await told.next(Answered)

    end = await told.next(HungUp)

    assert end.by_us
    assert 1.5 < (end.at - told.events[0].at).total_seconds() < 4


async def test_a_call_of_an_attempt_that_goes_on_is_not_placed_again(engine, phone_network):
    number = phone_network.number("0013")
    dial = dial_of(number)
    told = await place(engine, TRUNK, dial)
    await told.next(Answered)

    with pytest.raises(Exception, match="goes on already") as refused:
        await place(engine, TRUNK, dial)

    assert refused.value.kind == "uncertain"
    assert len(phone_network.calls(number)) == 1
    await until(lambda: engine.living() == [dial.reference])
