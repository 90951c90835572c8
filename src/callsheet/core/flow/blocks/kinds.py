"""The kinds of blocks that flows can have, by their types."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from callsheet.core.flow.blocks.case import Case
from callsheet.core.flow.blocks.kind import Kind
from callsheet.core.flow.blocks.message import Message
from callsheet.core.flow.blocks.select_one import SelectOne

KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "Core.Case": Case(),
        "MobilePrimitives.Message": Message(),
        "MobilePrimitives.SelectOneResponse": SelectOne(),
    }
)
