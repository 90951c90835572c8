"""No path of somebody's machine stands in the program or in its pages: it works nowhere else."""

import re

from house.tree import ROOT, documents

PATHS = re.compile(r"(?<![\w.])/(?:work|root|tmp|home|Users)/")
PAPERS = ("Makefile", "pyproject.toml", "mkdocs.yml", "requirements/install.sh", ".ci/run")


def test_no_path_of_a_machine_is_written_down():
    sources = [path for path in (ROOT / "src").rglob("*") if path.suffix in {".py", ".sql", ".mako", ".toml", ".ini"}]
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in (*sources, *documents(), *(ROOT / name for name in PAPERS))
        for line in path.read_text("utf-8").splitlines()
        if PATHS.search(line)
    ]

    assert not found
