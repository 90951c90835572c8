"""A webhook block: what it calls, what of its answer can be used, and what it never lets a contact choose."""

from __future__ import annotations

from typing import Any

import pytest

from callsheet.core.flow.effects import Step
from callsheet.core.flow.given import NoAnswer, Reply, WebhookAnswered
from callsheet.core.flow.reading import read
from callsheet.core.flow.session import Awaits, Ending, Mode
from callsheet.core.flow.step import begin, step
from flow_documents import NOON, block, called, document, said, say, way

ORDER = "https://shop.example/orders/@contact.order?who=@contact.name"


def order_flow(**config: Any) -> dict[str, Any]:
    hook = block(
        "order",
        "Callsheet.Webhook",
        way("sent", 'block.value.state = "sent"'),
        way("other", "block.ok"),
        way("amiss", default=True),
        **{"url": ORDER, **config},
    )
    return document(
        hook,
        say("sent", "Order @results.order.value.id is on its way."),
        say("other", "Order: @results.order.value.state"),
        say("amiss", "Sorry (@results.order.status)."),
    )


def begun(flow: dict[str, Any], **columns: str) -> Step:
    contact = {"order": "7", "name": "Asha", **columns}
    return begin(read(flow), contact=contact, number="+919845012345", mode=Mode.sms, at=NOON)


def answered(flow: dict[str, Any], status: int, body: Any) -> Step:
    made = begun(flow)
    return step(read(flow), made.session, WebhookAnswered(status, body, NOON))


def test_it_calls_and_waits():
    made = begun(order_flow(timeout_seconds=3, headers={"x-order": "@contact.order"}, method="put"))
    call = called(made)
    assert (call.method, call.url, call.seconds) == ("PUT", "https://shop.example/orders/7?who=Asha", 3.0)
    assert call.headers == {"x-order": "7"}
    assert made.session.awaits is Awaits.webhook


def test_the_usual_body_tells_of_contact_results_and_session():
    body: Any = called(begun(order_flow())).body
    assert body["contact"] == {"order": "7", "name": "Asha"}
    assert body["number"] == "+919845012345"
    assert body["results"] == {}
    assert body["session"] == {"flow": "f", "block": "order", "language": "eng", "mode": "SMS", "replies": 0}


def test_only_texts_of_a_body_are_templates():
    given = {"@contact.name": "@contact.name", "list": ["@(1 + 1)", 3, None, True, {"deep": "@@home"}]}
    assert called(begun(order_flow(body=given))).body == {
        "@contact.name": "Asha",
        "list": ["2", 3, None, True, {"deep": "@home"}],
    }


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (200, {"state": "sent", "id": 12}, "Order 12 is on its way."),
        (299, {"state": "packed"}, "Order: packed"),
        (200, "no JSON", "Sorry (200)."),
        (404, {"state": "sent", "id": 12}, "Sorry (404)."),
        (302, None, "Sorry (302)."),
        (500, None, "Sorry (500)."),
    ],
)
def test_its_answer_chooses_the_exit_and_can_be_said(status: int, body: Any, text: str):
    made = answered(order_flow(), status, body)
    if (status, body) == (200, "no JSON"):  # no name of it can be asked; whichever exit is left by, nothing breaks
        assert made.session.ending is Ending.done
        return
    assert said(made) == [text]


def test_no_answer_is_amiss_and_the_session_says_why():
    flow = order_flow()
    made = step(read(flow), begun(flow).session, NoAnswer("There was no answer within 3 seconds.", NOON))
    assert said(made) == ["Sorry (0)."]
    assert made.visits[0].why == "There was no answer within 3 seconds."


def test_an_answer_that_is_too_large_is_amiss_and_not_kept():
    made = answered(order_flow(), 200, {"state": "sent", "id": "x" * 20_000})
    assert said(made) == ["Sorry (200)."]
    assert "xxx" not in repr(made.session)


def test_a_reply_meanwhile_changes_nothing():
    flow = order_flow()
    before = begun(flow).session
    made = step(read(flow), before, Reply("hello?", NOON))
    assert made == Step(before, (), ())


@pytest.mark.parametrize(
    "evil", ["../admin", "a/b", "7?x=1", "7#", "7&who=me", "@evil.example/", "%2e%2e", "é\r\nx: y"]
)
def test_a_column_stays_the_piece_of_the_url_that_it_is(evil: str):
    url = called(begun(order_flow(), order=evil)).url
    path, _, query = url.removeprefix("https://shop.example/orders/").partition("?")
    assert not set(path) & set("/#&@ \r\n")
    assert query == "who=Asha"


@pytest.mark.parametrize("dots", [".", ".."])
def test_a_column_does_not_lead_out_of_the_path(dots: str):
    made = begun(order_flow(), order=dots)
    assert said(made) == ["Sorry (0)."]
    assert "leads out" in made.visits[0].why


def test_a_header_stays_one_line():
    made = begun(order_flow(headers={"x-name": "@contact.name"}), name="Asha\r\nhost: evil.example")
    assert said(made) == ["Sorry (0)."]


def test_a_body_has_an_end():
    made = begun(order_flow(), **{f"column {i}": "x" * 8_000 for i in range(10)})
    assert "64 KiB" in made.visits[0].why
