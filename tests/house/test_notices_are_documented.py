"""Receivers are written by the page: a kind that is not on it is never handled, one that never comes is awaited."""

from callsheet.core.notice import NoticeKind
from house.tree import first_column


def test_every_kind_of_notice_is_on_the_page_and_the_page_lists_no_other():
    listed = first_column("docs/reference/webhooks.md", r"[a-z_]+\.[a-z_]+")

    assert sorted(listed) == sorted(kind.value for kind in NoticeKind)
