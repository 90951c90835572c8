"""The flows that come with the package: each is whole, and every way through it is right in each language and mode."""

import pytest

from callsheet.core.flow.check import check
from callsheet.core.flow.effects import AwaitBeep, CallWebhook, Dispose, EndCall, HandOver, Say, SetProperty
from callsheet.core.flow.reading import read
from callsheet.core.flow.session import Ending, Mode
from callsheet.core.opting_out import OPTS_OUT, read_reply
from callsheet.core.segments import measure
from callsheet.engine.starters import all_starters, find_starter, starter_called
from engine.conversing import ASHA, CLOSED, MACHINE, NO_ANSWER, SILENCE, answered, document_of, examples, talk

NAMES = ["appointment", "appointment-call", "help-desk", "order-status", "payment-reminder", "sms-support", "survey"]
MOST_SEGMENTS = 3
FOUND = answered(200, {"status": "shipped"})
LANGUAGES = ("eng", "hin")

# starter -> conversations: what is given, the disposition, and how it ends.
ORDERS = [
    (["123", FOUND], "status_told", Ending.done),
    (["123", answered(404, {}), CLOSED], "", Ending.done),
    (["123", answered(200, {"other": 1}), CLOSED], "", Ending.done),
    (["123", answered(500, "oops"), CLOSED], "", Ending.done),
    (["123", NO_ANSWER, CLOSED], "", Ending.done),
    (["", CLOSED], "", Ending.done),
    ([SILENCE], "", Ending.silent),
]
CONVERSATIONS = {
    "payment-reminder": [
        (["1"], "paid", Ending.done),
        (["१"], "paid", Ending.done),
        (["2", CLOSED], "call_me", Ending.done),
        (["maybe", "2", CLOSED], "call_me", Ending.done),
        (["7", " 1. "], "paid", Ending.done),
        (["what?", "who?", CLOSED], "", Ending.done),
        ([SILENCE], "", Ending.silent),
        (["what?", SILENCE], "", Ending.silent),
    ],
    "appointment": [
        (["1"], "confirmed", Ending.done),
        (["२", "Friday", CLOSED], "to_move", Ending.done),
        (["3"], "cancelled", Ending.done),
        (["?", "1"], "confirmed", Ending.done),
        (["?", "2", "", CLOSED], "to_move", Ending.done),
        (["?", "3"], "cancelled", Ending.done),
        (["?", "?", CLOSED], "", Ending.done),
        ([SILENCE, "1"], "confirmed", Ending.done),
        ([SILENCE, "2", SILENCE, CLOSED], "to_move", Ending.done),
        ([SILENCE, "3"], "cancelled", Ending.done),
        ([SILENCE, "?", CLOSED], "", Ending.done),
        ([SILENCE, SILENCE], "", Ending.silent),
        (["2", SILENCE, "३"], "cancelled", Ending.done),
    ],
    "appointment-call": [
        (["1"], "confirmed", Ending.done),
        (["२", "rec-1"], "to_move", Ending.done),
        (["2", SILENCE], "to_move", Ending.done),
        (["3"], "cancelled", Ending.done),
        (["7", "1"], "confirmed", Ending.done),
        (["7", "2", "rec-1"], "to_move", Ending.done),
        ([SILENCE, "3"], "cancelled", Ending.done),
        (["7", "8"], "unclear", Ending.done),
        ([SILENCE, "4"], "unclear", Ending.done),
        ([SILENCE, SILENCE], "", Ending.silent),
        ([MACHINE], "voicemail", Ending.done),
    ],
    "order-status": ORDERS,
    "survey": [
        (["1", "Everything"], "answered", Ending.done),
        (["५", "Nothing"], "answered", Ending.done),
        (["6", "3", ""], "", Ending.done),
        (["0", "much"], "", Ending.done),
        (["4", SILENCE], "", Ending.silent),
    ],
    "help-desk": [
        (["1", "Where is it?", CLOSED], "", Ending.done),
        (["२", "", CLOSED], "", Ending.done),
        (["x", "3", "Hello", CLOSED], "", Ending.done),
        (["x", "y", CLOSED], "", Ending.done),
        ([SILENCE], "", Ending.silent),
    ],
    "sms-support": [
        *((["1", *given], disposition, ending) for given, disposition, ending in ORDERS),
        (["२", "It is broken"], "ticket", Ending.done),
        (["2", "", CLOSED], "", Ending.done),
        (["3", CLOSED], "", Ending.done),
        (["x", "1", "123", FOUND], "status_told", Ending.done),
        (["x", "2", "It is broken"], "ticket", Ending.done),
        (["x", "3", CLOSED], "", Ending.done),
        (["x", "y", CLOSED], "", Ending.done),
        ([SILENCE], "", Ending.silent),
    ],
}
IN_CALLS = {
    "payment-reminder": {6: ([SILENCE, SILENCE], "", Ending.silent), 7: (["7", SILENCE, CLOSED], "", Ending.done)},
    "appointment": {12: (["2", SILENCE, CLOSED], "to_move", Ending.done)},
    "order-status": {6: ([SILENCE, CLOSED], "", Ending.done)},
    "survey": {4: (["4", SILENCE], "", Ending.done)},
    "help-desk": {
        0: (["1", CLOSED], "", Ending.done),
        1: (["२", CLOSED], "", Ending.done),
        2: (["x", "3", CLOSED], "", Ending.done),
        4: ([SILENCE, SILENCE], "", Ending.silent),
    },
    "sms-support": {
        6: (["1", SILENCE, CLOSED], "", Ending.done),
        14: ([SILENCE, SILENCE], "", Ending.silent),
    },
}
"""What goes another way in a call: a silence is a wrong key there, and the help desk asks for no question."""


def modes_of(name: str) -> list[Mode]:
    """Return by what a starter speaks."""
    (flow, *_) = find_starter(name).document["flows"]
    return [mode for mode in (Mode.sms, Mode.ivr) if mode.value in flow["supported_modes"]]


def conversations(name: str, mode: Mode) -> list:
    """Return what is given to a starter, and what comes of it."""
    instead = IN_CALLS.get(name, {}) if mode is Mode.ivr else {}
    return [instead.get(number, one) for number, one in enumerate(CONVERSATIONS[name])]


CHANGES_OF_LANGUAGE = (["9"], ["7", "9"])

CASES = [
    pytest.param(name, language, mode, *one, id=f"{language}-{mode.value}-{name}-{number}")
    for name in CONVERSATIONS
    for mode in modes_of(name)
    for language in LANGUAGES
    for number, one in enumerate(conversations(name, mode), 1)
]
EVERYWHERE = [(name, language, mode) for name in NAMES for language in LANGUAGES for mode in modes_of(name)]


def test_these_starters_come_with_the_package():
    assert list(all_starters()) == NAMES == sorted(CONVERSATIONS)
    for starter in all_starters().values():
        assert starter.languages == ("eng", "hin")
        assert starter.title
        assert starter.description
    assert starter_called(" sms support FLOW ") is find_starter("sms-support")
    # What wants something to be said first is never installed because a campaign names it.
    assert [one.name for one in all_starters().values() if one.wants_nothing] == ["sms-support"]
    assert starter_called("Survey") is None


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_wrong_with_a_starter(name):
    starter = find_starter(name)
    least = {one.name: one.example for one in starter.parameters if one.is_required}

    for said in (examples(starter), least):
        document = document_of(name, said)
        assert list(check(document)) == []
        assert "{{" not in str(document)


@pytest.mark.parametrize(("name", "language", "mode", "given", "disposition", "ending"), CASES)
def test_a_conversation_goes_its_way(name, language, mode, given, disposition, ending):
    talked = talk(name, *given, language=language, mode=mode)

    assert talked.session.ending is ending, talked.visits
    assert talked.session.disposition == disposition
    assert talked.session.language == language
    for text in talked.turns:
        assert "@" not in text
        assert mode is Mode.ivr or measure(text).count <= MOST_SEGMENTS, text
        if text:
            has_hindi = any("\u0900" <= char <= "\u097f" for char in text)
            assert has_hindi is (language == "hin"), text
        if language == "eng":
            assert measure(text).encoding == "GSM-7"


@pytest.mark.parametrize("name", NAMES)
def test_these_conversations_take_every_exit(name):
    taken = {
        way
        for mode in modes_of(name)
        for given in [*(given for given, *_ in conversations(name, mode)), *CHANGES_OF_LANGUAGE]
        for way in talk(name, *given, mode=mode).way
    }

    (flow,) = read(document_of(name)).flows.values()
    assert taken >= {(block.name, way.name) for block in flow.blocks.values() for way in block.exits}


@pytest.mark.parametrize(("name", "language", "mode"), EVERYWHERE)
def test_columns_that_are_missing_leave_whole_sentences(name, language, mode):
    (first, *_) = talk(name, language=language, mode=mode, contact={}).turns

    assert first
    assert "Asha" not in first
    assert "  " not in first
    assert " ," not in first
    assert " ." not in first


def test_a_payment_reminder_says_what_is_owed():
    paid = talk("payment-reminder", "1")
    bare = talk("payment-reminder", "2", contact={"first_name": "", "amount": ""})

    assert paid.turns == [
        (
            "Hello Asha, this is Lotus Electricals. Your payment of 500 is due on 5 December."
            " Reply 1 if you have paid, 2 if you want us to call you."
        ),
        "Thank you. We have noted that you paid.",
    ]
    assert paid.did(SetProperty) == [SetProperty("payment_status", "paid")]
    assert bare.turns[0].startswith("Hello, this is Lotus Electricals. Your payment is due soon.")
    assert [one.queue for one in bare.did(HandOver)] == ["Default Queue"]
    assert bare.did(Dispose) == [Dispose("call_me")]


def test_a_payment_reminder_in_hindi():
    assert talk("payment-reminder", "कल", "१", language="hi").turns == [
        (
            "नमस्ते Asha जी, Lotus Electricals की ओर से: आपका 500 का भुगतान 5 December तक देय है।"
            " भुगतान कर चुके हों तो 1, हमारी कॉल चाहिए तो 2 भेजें।"
        ),
        "क्षमा करें, हम समझ नहीं पाए। भुगतान कर चुके हों तो 1, हमारी कॉल चाहिए तो 2 भेजें।",
        "धन्यवाद। हमने नोट कर लिया है कि आपने भुगतान कर दिया है।",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_no_message_of_a_starter_invites_a_word_that_opts_out(name):
    values = [value for resource in document_of(name)["resources"] for value in resource["values"]]
    words = {word.strip(".,:?()") for one in values if "SMS" in one["modes"] for word in one["value"].split()}

    assert [word for word in sorted(words | {one["value"] for one in values}) if read_reply(word) in OPTS_OUT] == []


def test_an_appointment_reminds_once():
    talked = talk("appointment", SILENCE, "2", "On Friday, please")
    (handed,) = talked.did(HandOver)

    assert talked.turns[1].startswith("We have not heard from you yet: your appointment with Lotus Electricals is on 5")
    assert {"appointment_status": "to_move", "appointment_wish": "On Friday, please"}.items() <= (
        talked.session.contact.items()
    )
    assert handed.note == "Wants to move an appointment that is on 5 December at 10:00. Wish: On Friday, please"


@pytest.mark.parametrize("mode", [Mode.sms, Mode.ivr])
def test_an_order_is_looked_up_in_plain_digits(mode):
    talked = talk("order-status", "००१२३", FOUND, mode=mode)
    (call,) = talked.did(CallWebhook)

    assert (call.method, call.url) == ("POST", "https://shop.example.com/order-status")
    assert call.body == {"order_number": "00123", "phone_number": "+919860700001", "language": "eng"}
    assert talked.turns[-1].endswith("shipped")
    assert talk("order-status", " A-१२ ").did(CallWebhook)[0].body["order_number"] == "A-12"


def test_where_no_webhook_is_known_a_person_looks_the_order_up():
    container = read(document_of("sms-support", {}))
    talked = talk(container, "1", "4711")

    assert not talked.did(CallWebhook)
    assert [(one.queue, one.note) for one in talked.did(HandOver)] == [
        ("", "Wants to know the status of an order. Number: 4711")
    ]
    assert "@" not in str(talked.turns)


def test_a_ticket_is_among_the_results_and_in_the_columns():
    talked = talk("sms-support", "2", "My lamp is broken: @contact.phone")

    assert talked.did(SetProperty) == [
        SetProperty("ticket", "My lamp is broken: @contact.phone"),
        SetProperty("ticket_status", "open"),
    ]
    assert [one.value for one in talked.visits if one.name == "ticket"] == ["My lamp is broken: @contact.phone"]


def test_what_is_said_at_installation_is_no_expression():
    starter = find_starter("survey")
    container = read(document_of("survey", {"business": "shop@contact.first_name {{queue}}"}))

    assert "with shop@contact.first_name {{queue}}?" in talk(container).turns[0]
    assert starter.document["name"] == "Survey"


def test_the_contact_is_greeted_by_its_name_however_the_column_is_called():
    assert talk("survey", contact={"First Name": ASHA["first_name"]}).turns[0].startswith("Hello Asha, how satisfied")


def test_a_call_changes_its_language_by_a_key():
    talked = talk("appointment-call", "9", "9", mode=Mode.ivr)
    hindi = [any("\u0900" <= char <= "\u097f" for char in text) for text in talked.turns]

    assert hindi == [False, True, False]
    assert talked.session.contact["language"] == "eng"


def test_a_machine_hears_the_appointment_after_its_beep():
    talked = talk("appointment-call", MACHINE, mode=Mode.ivr)

    assert [type(effect) for effect in talked.effects] == [Dispose, AwaitBeep, Say, EndCall]
    assert "Your appointment is on 5 December at 10:00." in talked.turns[0]
