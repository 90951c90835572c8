"""What a page's examples take from the shell, that page or the one on examples sets."""

import re

from house.tree import documents, page

_SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_USED = re.compile(r"\$\{?([A-Z][A-Z_]+)")
_SET = re.compile(r"(?:^|[ (])([A-Z][A-Z_]+)=", re.MULTILINE)
_OF_EVERY_SHELL = {"PATH", "PWD", "HOME"}


def unknown(text: str, known: set[str]) -> set[str]:
    """Return the variables that the shell examples of a page use and nobody sets."""
    examples = "\n".join(_SHELL.findall(text))
    return set(_USED.findall(examples)) - known - set(_SET.findall(examples))


def test_no_example_takes_a_variable_that_nobody_sets():
    known = _OF_EVERY_SHELL | set(_SET.findall(page("docs/index.md")))
    found = {path.name: names for path in documents() if (names := unknown(path.read_text("utf-8"), known))}

    assert {"BASE_URL", "APP_ID"} <= known
    assert not found


def test_the_rule_bites():
    assert unknown('```sh\nA_B=1\ncurl "$URL/$A_B" -H "auth: ${TOKEN}"\n```\n', set()) == {"URL", "TOKEN"}
