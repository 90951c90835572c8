"""What is wrong with Liquid, said to the writer of a message: what stands there, and what to write instead.

The parser's own complaints are for programmers (`expected a primitive expression, found pipe`). Each of them that a
message can provoke has a sentence here; what has none is passed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_NO_FILTER = re.compile(r"unknown filter '(.+)'")
_NO_TAG = re.compile(r"unexpected tag '(\w+)'")
_BLOCKS: Final = ("if", "unless", "case", "for", "capture", "comment", "raw", "ifchanged")
_INNER: Final = ("else", "elsif", "when")
_OTHER_TAGS: Final = ("assign", "cycle", "break", "continue")
_MEANT: Final = {"elseif": "elsif", "elif": "elsif", "end": "endif", "set": "assign"}

_TOO_MUCH: Final = (
    "This cannot follow here. A filter begins with | and its argument with a colon; in a tag, a column whose name is"
    ' more than one word is written contact["First Name"].'
)
_SENTENCES: Final = tuple(
    (re.compile(complaint), sentence)
    for complaint, sentence in (
        (r"expected tag (end(\w+)), found .*", r"{% \2 %} is never closed: write {% \1 %} where it ends."),
        (r"(\w+) tag was never closed", r"{% \1 %} is never closed: write {% end\1 %} where it ends."),
        (r"unexpected tag 'end of expression'", "This tag is never closed: write {% endcase %} where it ends."),
        (r"expected end of expression, found '='", "To compare, write == in the place of =."),
        (r"expected end of expression, found .*", _TOO_MUCH),
        (r"expected '='.*", "Write {% assign name = value %}."),
        (r"expected in\b.*", "Write {% for part in parts %}."),
        (r"expected word, found .*", "The name of a filter is missing after the |, as in {{ city | upcase }}."),
        (
            r"(expected a primitive expression|missing expression).*",
            "Something is missing here, such as a column's name.",
        ),
        (r"missing tag name.*", "The name of the tag is missing, as in {% if city %}."),
        (r"missing or unexpected path segment", 'What stands in brackets is a name in quotes: contact["First Name"].'),
        (r"unexpected '[“”„\u2018\u2019]'", "Write straight quotation marks: \" or '."),
        (r"""unexpected '["']'|unexpected "'".*""", "This quotation mark is never closed."),
        (r"unexpected '[{}]'", "There is a brace too many: a placeholder has two on each side."),
        (r"unexpected '&'", "Write the words and, or, in the place of signs."),
        (r"unexpected '(.+)'", r"The sign \1 cannot stand here."),
        (
            r"(block nesting|context depth) limit reached|.*nested too deeply.*",
            "Tags or brackets lie too deep in each other here.",
        ),
        (r"loop iteration limit reached", "The loops of a message make at most 1,000 turns."),
        (r"output stream limit reached", "The message would be longer than any SMS can be."),
        (r"local namespace limit reached", "The message keeps too much in its variables."),
    )
)


def explain(complaint: str, filters: Iterable[str], tags_left_out: Iterable[str]) -> str:
    """Return the sentence for a complaint of the parser."""
    if found := _NO_FILTER.fullmatch(complaint):
        return f"There is no filter {found[1]}. There are: {', '.join(sorted(filters))}."
    if found := _NO_TAG.fullmatch(complaint):
        return _explain_tag(found[1], tags_left_out)
    for pattern, sentence in _SENTENCES:
        if found := pattern.fullmatch(complaint):
            return found.expand(sentence)
    return f"This cannot be read: {complaint}."


def _explain_tag(name: str, tags_left_out: Iterable[str]) -> str:
    if name in tags_left_out:
        return f"A message cannot use {{% {name} %}}."
    if name in _MEANT:
        return f"Write {{% {_MEANT[name]} %}} in the place of {{% {name} %}}."
    if name in _INNER or name.removeprefix("end") in _BLOCKS:
        if name in _BLOCKS:
            return f"{{% {name} %}} is never closed: write {{% end{name} %}} where it ends."
        return f"{{% {name} %}} belongs to no tag that is open here."
    return f"There is no tag {{% {name} %}}. There are: {', '.join((*_BLOCKS, *_OTHER_TAGS))}."
