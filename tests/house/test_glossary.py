"""The glossary speaks of things that are there: each name in its code columns stands somewhere in the program.

One word for one thing holds only as long as the list of words and the program agree.
"""

import re

from house.tree import modules, page


def names_in_code() -> list[str]:
    """Return the code-quoted names in each table's column `in code`."""
    found = []
    column = None
    for line in page("docs/glossary.md").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            column = None
        elif "in code" in cells:
            column = cells.index("in code")
        elif column is not None and len(cells) > column:
            found += re.findall(r"`([^`]+)`", cells[column])
    return found


def test_every_name_of_the_glossary_stands_in_the_program():
    program = "\n".join(module.text for module in modules())
    words = set(re.findall(r"\w+", program))
    names = names_in_code()

    assert names
    assert not [name for name in names if name not in words and not re.search(rf"\b{name}\b", program)]
