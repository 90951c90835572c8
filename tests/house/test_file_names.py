"""A room is divided by the things in it.

`utils`, `helpers`, `common` and their kin name nothing, so anything ends up there.
"""

from house.tree import ROOT

NOTHINGS = {
    "base_utils", "common", "commons", "helper", "helpers", "manager", "managers", "misc", "miscellaneous",
    "stuff", "tools", "util", "utils", "utilities",
}  # fmt: skip
FOLDERS = ("src/callsheet", "tests", "bench")


def test_no_file_or_folder_is_named_after_nothing():
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts]
    named_after_nothing = [
        str(path.relative_to(ROOT)) for path in paths if NOTHINGS & {path.stem, *path.stem.rsplit("_", 1)[1:]}
    ]

    assert not named_after_nothing
