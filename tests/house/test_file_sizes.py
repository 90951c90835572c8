"""A file is one noun and fits in a head: 400 lines at most.

In the codebases that are a pleasure to read, the medians are no better than elsewhere; the tails are.
"""

from house.tree import modules, unexcused

MOST_LINES = 400
# path -> why this file may be longer.
EXCUSES: dict[str, str] = {}


def test_no_file_is_longer_than_400_lines():
    found = {}
    for module in (*modules(), *modules("tests"), *modules("bench")):
        lines = module.text.count("\n")
        if lines > MOST_LINES:
            found[module.path] = f"{module.path}: {lines} lines; is it still one noun?"

    assert not unexcused(found, EXCUSES)
