"""Recordings of whole calls: how one stands."""

from __future__ import annotations

from enum import StrEnum


class Recorded(StrEnum):
    """How the recording of a whole call stands."""

    off = "off"
    """It was, and is, not recorded."""
    on = "on"
    """It is recorded now."""
    kept = "kept"
    """It was recorded, and that is kept."""
    failed = "failed"
    """It should have been recorded, and all or a part of that was lost: the disk was full, or what carried it died."""
