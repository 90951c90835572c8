"""Documents as deep as JSON can be: refused, and never more than that."""

from typing import Any

import pytest

from callsheet.core.flow.amiss import BadExpression
from callsheet.core.flow.check import check
from callsheet.core.flow.document import MOST_DEPTH
from callsheet.core.flow.reading import read
from core.flow.documents import MESSAGE, block, container, flow, other


def deep(levels: int) -> Any:
    said: Any = "x"
    for level in range(levels):
        said = {"a": said} if level % 2 else [said]
    return said


@pytest.mark.parametrize("levels", [MOST_DEPTH, 100_000])
@pytest.mark.parametrize("key", ["body", "tools", "prompt", "set_contact_property", "vendor"])
def test_whatever_is_too_deep_is_a_finding(levels: int, key: str) -> None:
    kind = {"body": "Callsheet.Webhook", "tools": "Callsheet.AiAgent"}.get(key, MESSAGE)
    said = [{"name": "x", "description": "x", "parameters": {"a": deep(levels)}}] if key == "tools" else deep(levels)
    document = container(flow("f", block("a", kind, other(), **{key: said})))
    assert [one.path for one in check(document)] == ["document"]
    with pytest.raises(BadExpression, match="At most 100"):
        read(document)


def test_as_deep_as_is_allowed_is_read() -> None:
    # The container, its flows, the flow, its blocks, the block and its config stand around it.
    document = container(flow("f", block("a", MESSAGE, other(), prompt="Hi", vendor=deep(MOST_DEPTH - 6))))
    assert check(document) == ()
    assert read(document).first == "f"
    document = container(flow("f", block("a", MESSAGE, other(), prompt="Hi", vendor=deep(MOST_DEPTH - 5))))
    assert [one.path for one in check(document)] == ["document"]
