"""What expressions can see of a session, as the specification names it ("Context")."""

import pytest

from callsheet.core.flow.reading import read
from callsheet.core.flow.session import LONGEST_KEPT
from callsheet.store.flow_states import read_state, write_state
from core.flow.documents import MESSAGE, OPEN, block, container, converse, flow, other, said, start

LANGUAGES = [{"id": "e1", "iso_639_3": "eng", "label": "English", "bcp_47": "en-GB"}]


def says(text: str) -> str:
    inner = flow("inner", block("deep", OPEN, other(), prompt="?"), languages=LANGUAGES)
    runs = block("run", "Core.RunFlow", other("says"), flow_id="inner")
    outer = flow("outer", runs, block("says", MESSAGE, other("end"), prompt=text), languages=LANGUAGES)
    outer["blocks"].append(block("end", MESSAGE, other(), prompt=""))
    return said(converse(container(outer, inner), "Yes", contact={"City": "Pune", "Phone Number": "1"})[-1]).strip()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("@contact.properties.city", "Pune"),
        ("@contact.properties.city.value", "Pune"),
        ('@(contact.properties.city = "pune")', "TRUE"),
        ("@contact.properties.nowhere.value.", "."),
        ("@run.language @flow.language", "e1 e1"),
        ("@run.language.id @run.language.iso_639_3 @run.language.label", "e1 eng English"),
        ("@child.results.deep @child.results.deep.block.name", "Yes deep"),
        ("@child.results.Deep.block.name", "deep"),
        ("@child.flow.name", "inner"),
    ],
)
def test_names_of_the_specification_lead_somewhere(text: str, wanted: str) -> None:
    assert says(text) == wanted


def test_a_session_does_not_grow_with_the_length_of_replies() -> None:
    asks = [block(f"q{n}", OPEN, other(f"q{n + 1}"), prompt="?") for n in range(10)]
    document = container(flow("f", *asks, block("q10", OPEN, other(), prompt="?")))
    *_, last = converse(document, *["x" * 10_000] * 10)
    kept = last.session.frames[0].results["q3"]
    assert (kept.value, kept.response) == ("x" * LONGEST_KEPT,) * 2
    assert last.visits[0].response == "x" * 10_000
    assert len(write_state(last.session)) < 10 * 2 * LONGEST_KEPT + 10_000


def test_a_session_that_an_earlier_release_stored_is_read() -> None:
    session = start(read(container(flow("f", block("q", OPEN, other(), prompt="?"))))).session
    stored = write_state(session)
    assert read_state(stored.replace(b',"child_flow":""', b"")) == session
    assert b"child_flow" in stored
