"""Frames: what we and a child process say to each other.

A frame is its length in four bytes, big-endian, and so many bytes. Each question is answered by one frame, in order;
the first byte of an answer says whether it is one.
"""

from __future__ import annotations

from typing import Final

LENGTH_BYTES: Final = 4
MOST_BYTES: Final = 64 * 1024 * 1024
"""No frame is larger."""
DONE: Final = b"\x00"
"""An answer follows."""
BROKE: Final = b"\x01"
"""What the child does broke in a way that nobody foresaw: its kind and place follow, and nothing that was asked."""


def pack(body: bytes) -> bytes:
    """Write a frame."""
    return len(body).to_bytes(LENGTH_BYTES, "big") + body
