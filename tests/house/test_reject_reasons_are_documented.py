"""Why a row is rejected is a closed list, and whoever has a rejected row finds its reason explained."""

from callsheet.core.contacts import RowReason
from house.tree import first_column


def test_every_reason_is_documented_and_every_documented_one_exists():
    listed = first_column("docs/reference/imports.md", "[a-z_]+")

    assert len(listed) == len(set(listed))
    assert set(listed) == set(RowReason)
