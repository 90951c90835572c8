"""The key of voice nodes: who knows it may carry calls. It goes over no wire, and into no file of an Asterisk."""

from __future__ import annotations

import hashlib
import hmac


def secret_of(key: str, name: str) -> str:
    """Return what a node of a name proves itself with: of use for this name only."""
    return hmac.new(key.encode(), f"callsheet voice node {name}".encode(), hashlib.sha256).hexdigest()
