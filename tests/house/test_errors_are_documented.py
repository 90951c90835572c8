"""The errors are a closed family: each has a code, a sentence for people, and a line in the reference.

Clients branch on the code. Two errors with one code, or a code that is on no page, cannot be handled by
anybody.
"""

import importlib
import inspect
import re
from collections import Counter
from collections.abc import Iterator

from callsheet.core import errors
from house.tree import first_column, modules


def family(
    root: type[errors.CallsheetError] = errors.CallsheetError,
) -> Iterator[type[errors.CallsheetError]]:
    yield root
    for child in root.__subclasses__():
        yield from family(child)


def members() -> list[type[errors.CallsheetError]]:
    """Return whoever has a code of its own; the core is imported whole, so that no cousin is missed."""
    for module in modules("src/callsheet/core"):
        importlib.import_module(module.path.removeprefix("src/").removesuffix(".py").replace("/", "."))
    ours = (error for error in family() if error.__module__.startswith("callsheet.core"))
    return [error for error in ours if "code" in vars(error)]


def test_every_error_says_a_whole_sentence():
    assert not [error.__name__ for error in members() if not (inspect.getdoc(error) or "").endswith(".")]
    assert not [error.__name__ for error in members() if error.__doc__ is None]


def test_every_error_has_a_code_of_its_own_and_a_status():
    codes = Counter(error.code for error in members())

    assert not [code for code, times in codes.items() if times > 1 or not re.fullmatch(r"[a-z][a-z0-9_]*", code)]
    assert not [error.__name__ for error in members() if error.status not in range(400, 600)]


def test_every_code_is_on_the_page_and_the_page_has_no_other():
    listed = first_column("docs/reference/errors.md", r"[a-z][a-z0-9_]*")

    assert sorted(listed) == sorted(error.code for error in members())
