"""Which machines a tree can be fetched for, and what differs between them."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Architecture:
    """A kind of processor, as Debian knows it."""

    debian: str
    """Its name in Debian's package lists."""
    libraries: str
    """The folder of its libraries below `usr/lib`."""
    loader: str
    """The program that starts programs, in that folder."""


ARCHITECTURES: Final[Mapping[str, Architecture]] = MappingProxyType(
    {
        "x86_64": Architecture("amd64", "x86_64-linux-gnu", "ld-linux-x86-64.so.2"),
        "aarch64": Architecture("arm64", "aarch64-linux-gnu", "ld-linux-aarch64.so.1"),
    }
)
"""By the name that the kernel gives a machine."""


def this_architecture() -> Architecture | None:
    """Return that of this machine; None: Asterisk cannot be fetched for it."""
    return ARCHITECTURES.get(platform.machine()) if platform.system() == "Linux" else None
