"""Flows in calls, on both databases: what is said is durable before, and what is pressed leads on."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from calling import BEEPS, HANGS_UP, SPEAKS, Phone, heard, noted, stranger_of
from callsheet.core.campaign import Channel
from callsheet.core.flow.given import Closed, NoAnswer, WebhookAnswered
from callsheet.engine.failpoints import Failpoint
from callsheet.store.apps import App
from callsheet.store.store import Store
from conversing import ASK, LATER, QUESTION, THANKS, block, exit_to, message, question
from conversing import document as document_of_texts
from databases import rows
from factories import Node, StillClock

NUMERIC = "MobilePrimitives.NumericResponse"


def document(*blocks: Any, **more: Any) -> dict[str, Any]:
    """Return a flow for calls."""
    made = document_of_texts(*blocks, **more)
    made["flows"][0]["supported_modes"] = ["IVR"]
    return made


def asked(uuid: str, text: str, digits: int, *exits: Any) -> dict[str, Any]:
    return block(uuid, "paid", NUMERIC, {"prompt": text, "IVR": {"max_digits": digits}}, *exits)


PAYMENT = document(
    asked(ASK, QUESTION, 1, exit_to(THANKS, "yes", "block.value = 1"), exit_to(LATER, "other")),
    message(THANKS, "thanks", "Thank you"),
    message(LATER, "later", "Good bye"),
)
OPEN = document(
    question(ASK, "why", "Why?", exit_to(THANKS, "said", "block.value <> ''"), exit_to(LATER, "nothing")),
    message(THANKS, "thanks", "Thank you"),
    message(LATER, "later", "Good bye"),
)
ASKING = document(
    message(ASK, "wait", "One moment", LATER),
    block(
        LATER, "look", "Callsheet.Webhook", {"url": "https://shop.example/orders"},
        exit_to(THANKS, "told", "block.status = 200"), exit_to(None, "none"),
    ),
    message(THANKS, "thanks", "Thank you"),
)  # fmt: skip


@pytest.fixture
def phone(store: Store, app: App, clock: StillClock, tmp_path: Path) -> Phone:
    return Phone(store, app, clock, tmp_path)


async def ended(store: Store) -> list[tuple[str, str]]:
    return [(row.ending, row.why) for row in await rows(store, "select ending, why from flow_session order by no")]


async def values(store: Store, app: App, what: str = "response") -> list[Any]:
    """Return what questions collected, as results show it."""
    key = store.vault.app(app.no)
    assert key is not None
    query = "select v.said_sealed, s.person from flow_visit v join flow_session s on s.no = v.session_no"
    found = await rows(store, f"{query} where v.is_question = 1 and v.has_left = 1 order by v.session_no, v.no")
    return [msgspec.json.decode(key.seal.open(row.said_sealed, row.person))[what] for row in found]


async def test_what_is_pressed_leads_on_and_is_a_result(store: Store, app: App, node: Node, phone: Phone):
    live = await phone.call(node, PAYMENT, {QUESTION: [(0, "1")]})
    await phone.talk.lead(live, "human")

    assert heard(live) == [QUESTION, "Thank you"]
    assert await ended(store) == [("done", "")]
    assert await values(store, app) == ["1"]
    (session,) = await rows(store, "select no, channel, wakes_at from flow_session")
    assert (live.session_no, session.channel, session.wakes_at) == (session.no, "voice", 0)
    assert [facts["text"] for facts in noted(live, "said")] == [QUESTION, "Thank you"]
    assert [facts["digit"] for facts in noted(live, "pressed")] == ["1"]
    assert await rows(store, "select 1 from reply") == [], "nothing is written to anybody"
    assert not stranger_of(live).is_over, "whoever led the call until here hangs up"


async def test_a_key_stops_the_prompt_and_counts(store: Store, app: App, node: Node, phone: Phone):
    phone.prompts.seconds = 3600
    live = await phone.call(node, PAYMENT, {QUESTION: [(0, "1")], "Thank you": [(0, HANGS_UP)]})
    await phone.talk.lead(live, "human")

    assert heard(live) == [QUESTION, "Thank you"]
    assert await values(store, app) == ["1"]


async def test_who_knows_the_menu_presses_before_it_speaks(store: Store, app: App, node: Node, phone: Phone):
    live = await phone.call(node, PAYMENT)
    stranger_of(live).do("1")
    first = await phone.call(node, PAYMENT, {QUESTION: [(0, "21")]})
    for each in (live, first):
        await phone.talk.lead(each, "human")

    assert heard(live) == [QUESTION, "Thank you"]
    assert heard(first) == [QUESTION, "Good bye"], "what is left over is nobody's answer"
    assert await values(store, app) == ["1", "2"]


async def test_who_hangs_up_ends_the_conversation_and_nothing_else(store: Store, app: App, node: Node, phone: Phone):
    live = await phone.call(node, PAYMENT, {QUESTION: [(0, HANGS_UP)]})
    await phone.talk.lead(live, "human")

    assert await ended(store) == [("hung_up", "The contact hung up.")]
    assert await rows(store, "select 1 from open_session") == []
    assert await values(store, app) == []


async def test_a_call_that_is_over_before_it_is_led_ends_its_conversation(
    store: Store, app: App, node: Node, phone: Phone
):
    live = await phone.call(node, PAYMENT)
    stranger_of(live).do(HANGS_UP)
    await live.hear()
    await phone.talk.lead(live, "human")

    assert await ended(store) == [("hung_up", "The contact hung up.")]
    assert heard(live) == []


async def test_what_is_spoken_is_kept_and_its_id_is_the_answer(store: Store, app: App, node: Node, phone: Phone):
    live = await phone.call(node, OPEN, {"(recorded)": [(0, SPEAKS), (0, "#")]})
    await phone.talk.lead(live, "human")

    assert heard(live) == ["Why?", "Thank you"]
    (kept,) = await rows(store, "select id, purpose, milliseconds from recording")
    assert await values(store, app, "value") == [kept.id]
    assert (kept.purpose, kept.milliseconds) == ("answer", 2000)
    found = await store.recordings.find(app.no, kept.id, phone.clock.now())
    assert found is not None
    assert found[1].startswith(b"RIFF")
    assert found[0].attempt_id == live.call.id
    assert list(phone.folder.glob("*.wav")) == []


async def test_who_hangs_up_after_speaking_has_answered(store: Store, app: App, node: Node, phone: Phone):
    live = await phone.call(node, OPEN, {"(recorded)": [(0, SPEAKS), (0, HANGS_UP)]})
    await phone.talk.lead(live, "human")

    assert len(await values(store, app, "value")) == 1
    assert heard(live) == ["Why?"]


async def test_who_says_nothing_has_not_answered(store: Store, app: App, node: Node, phone: Phone):
    live = await phone.call(node, OPEN, {"(recorded)": [(0, "#")]})
    await phone.talk.lead(live, "human")

    assert heard(live) == ["Why?", "Good bye"]
    assert await rows(store, "select 1 from recording") == []


async def test_a_prompt_that_cannot_be_spoken_is_left_out(store: Store, app: App, node: Node, phone: Phone):
    flow = document(message(ASK, "a", "(broken)", THANKS), message(THANKS, "thanks", "Thank you"))
    live = await phone.call(node, flow)
    await phone.talk.lead(live, "human")

    assert heard(live) == ["Thank you"]
    assert noted(live, "not_said") == [{"block": ASK, "why": "What speaks texts is broken."}]


async def test_what_a_webhook_answers_is_heard_in_the_call(store: Store, app: App, node: Node, phone: Phone):
    live = await phone.call(node, ASKING)
    answers: list[bool] = []

    def ask() -> None:
        asyncio.get_running_loop().create_task(answer())

    async def answer() -> None:
        (errand,) = await rows(store, "select session_no, id, node_no from errand")
        assert errand.node_no == 1, "this node alone asks it"
        told = WebhookAnswered(200, {"state": "sent"}, phone.clock.now())
        answers.append(await phone.talk.give(app.no, errand.session_no, told, "er-another"))
        answers.append(await phone.talk.give(app.no, errand.session_no, told, errand.id))
        answers.append(await phone.talk.give(app.no, errand.session_no, told, errand.id))

    phone.talk.on_errands = ask
    await phone.talk.lead(live, "human")
    while len(answers) < 3:
        await asyncio.sleep(0)

    assert answers == [False, True, False]
    assert heard(live) == ["One moment", "Thank you"]
    assert await rows(store, "select 1 from errand") == []


async def test_no_answer_of_a_webhook_is_the_default_exit(store: Store, app: App, node: Node, phone: Phone):
    live = await phone.call(node, ASKING)

    async def answer() -> None:
        (errand,) = await rows(store, "select session_no, id from errand")
        await phone.talk.give(app.no, errand.session_no, NoAnswer("No.", phone.clock.now()), errand.id)

    tasks = []
    phone.talk.on_errands = lambda: tasks.append(asyncio.get_running_loop().create_task(answer()))
    await phone.talk.lead(live, "human")

    assert heard(live) == ["One moment"]
    assert await ended(store) == [("done", "")]


async def test_who_hangs_up_while_a_webhook_is_asked_is_not_told(store: Store, app: App, node: Node, phone: Phone):
    live = await phone.call(node, ASKING, {"One moment": [(0, HANGS_UP)]})
    await phone.talk.lead(live, "human")

    assert [ending for ending, _ in await ended(store)] == ["hung_up"]
    assert await rows(store, "select 1 from errand") == []


async def test_a_voicemail_is_left_after_the_beep(store: Store, app: App, node: Node, phone: Phone):
    flow = document(
        block(
            ASK,
            "mail",
            "Callsheet.LeaveVoicemail",
            {"prompt": "Call us", "longest_wait_seconds": 60},
            exit_to(None, "no"),
        )
    )
    live = await phone.call(node, flow, {"(listened to)": [(0, "1"), (0, BEEPS)]})
    await phone.talk.lead(live, "machine")

    assert heard(live) == ["Call us"]
    assert [what for _, what, _ in live.timeline] == ["dialed", "pressed", "beep", "said"]
    assert await ended(store) == [("done", "")]


async def test_a_flow_sees_who_answered(store: Store, app: App, node: Node, phone: Phone):
    branch = block(
        ASK, "who", "Core.Case", {}, exit_to(THANKS, "one", "call.answered_by = 'machine'"), exit_to(LATER, "other")
    )
    flow = document(branch, message(THANKS, "thanks", "Machine"), message(LATER, "later", "Person"))
    first, second = await phone.calls(node, flow, [{}, {}])
    await phone.talk.lead(first, "machine")
    await phone.talk.lead(second, "unsure")

    assert (heard(first), heard(second)) == (["Machine"], ["Person"])


async def test_one_who_is_handed_over_hears_so_and_waits_in_the_queue(store: Store, app: App, node: Node, phone: Phone):
    handed = block(
        ASK,
        "help",
        "Callsheet.HandOver",
        {"prompt": "We call you back", "when_nobody": "inbox"},
        exit_to(THANKS, "closed"),
    )
    live = await phone.call(node, document(handed, asked(THANKS, QUESTION, 1, exit_to(None, "said"))))
    await phone.talk.lead(live, "human")
    assert heard(live) == ["We call you back"]
    assert await ended(store) == [("", "")]

    (session,) = await rows(store, "select no, awaits from flow_session")
    assert session.awaits == "person"
    assert await phone.talk.give(app.no, session.no, Closed("solved", phone.clock.now()))
    assert await ended(store) == [("hung_up", "The contact hung up.")], "nobody is there who could answer"
    (session,) = await rows(store, "select disposition from flow_session")
    assert session.disposition == "solved"


async def test_a_conversation_that_somebody_else_ends_is_hung_up(store: Store, app: App, node: Node, phone: Phone):
    live = await phone.call(node, PAYMENT, {QUESTION: [(0, "1")]})
    await store.opt_outs.add(app.no, Channel.voice, "api", {live.key.person}, phone.clock.now())
    await phone.talk.lead(live, "human")

    assert heard(live) == []
    assert await ended(store) == [("opted_out", "")]


class Died(BaseException):
    """The process died."""


@pytest.mark.parametrize("where", ["before_turn", "after_turn"])
@pytest.mark.parametrize("nth", [1, 2])
async def test_who_takes_a_call_over_asks_its_question_again_and_no_turn_is_made_twice(
    store: Store, app: App, node: Node, phone: Phone, where: Failpoint, nth: int
):
    live = await phone.call(node, PAYMENT, {QUESTION: [(0, "1")]})
    phone.failpoints.raise_at(where, Died(), nth=nth)
    with pytest.raises(Died):
        await phone.talk.lead(live, "human")

    phone.renew()
    stranger_of(live).heard.clear()
    await phone.talk.lead(live, "human")
    assert await values(store, app) == ["1"]
    thanked = heard(live)[-1:] == ["Thank you"]
    # Who died after the last turn was written has ended the conversation: what it says is said at most once.
    assert thanked is not ((where, nth) == ("after_turn", 2))
    assert await ended(store) == [("done", "")]
