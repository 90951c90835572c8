"""The key of voice nodes: the server has it, and nobody else. Each node has one of its own, made of it and of its name.

So a host that somebody broke into can be no other node, and gets no other's trunks.
"""

from __future__ import annotations

import hashlib
import hmac


def secret_of(key: str, name: str) -> str:
    """Return the key of a node of a name: it is of use for this name only, and says nothing of the server's."""
    return hmac.new(key.encode(), f"callsheet voice node {name}".encode(), hashlib.sha256).hexdigest()
