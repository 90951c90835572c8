"""What a voice node may be called."""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")
NAME_FORM: Final = "Give 1 to 64 letters, digits, - and _; local is the server's own."


def is_node_name(name: str) -> bool:
    """Tell whether a node on another host may be called so."""
    return _NAME.fullmatch(name) is not None and name != "local"
