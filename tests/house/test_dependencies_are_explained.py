"""Every dependency has a line that says why we carry it and what would replace it.

A dependency is somebody else's release calendar. One that nobody can explain is one that nobody will dare
to remove.
"""

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from house.tree import declared, first_column


def test_every_dependency_is_explained_and_nothing_else():
    wanted = {canonicalize_name(Requirement(text).name) for kind in ("build", "run", "dev") for text in declared(kind)}
    listed = [canonicalize_name(name) for name in first_column("docs/explanation/dependencies.md", r"[A-Za-z0-9_.-]+")]

    assert len(listed) == len(set(listed))
    assert set(listed) == wanted | {"uv"}
