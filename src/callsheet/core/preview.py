"""Preview: what a text becomes for one contact, how many segments it takes, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from callsheet.core.contacts import columns_of
from callsheet.core.segments import Encoding, forcing_ucs, measure
from callsheet.core.template import PersonalMessage, compile_text


@dataclass(frozen=True, slots=True)
class Preview:
    """A text as it would leave."""

    text: str
    encoding: Encoding
    forcing: tuple[str, ...]
    """The characters that GSM-7 cannot write, each once: the reason for UCS-2, and for more segments."""
    characters: int
    segments: int
    missing: tuple[str, ...]
    """Columns that the text names without a default, and that the contact does not have."""


def preview(
    text: str,
    columns: Mapping[str, str] | None = None,
    number: str = "",
    message: PersonalMessage | None = None,
    zone: str = "",
) -> Preview:
    """Return a text for a contact of these columns and this number; without one, as it was written.

    `message`: what makes the text of a contact, where that is more than its placeholders. Without a number, the column
    that holds one stands for it. `zone`: of a contact whose columns say none. Raises BadTemplate, and Unrenderable or
    EmptyMessage where nothing can be sent to the contact.
    """
    message = message or compile_text(text)
    if columns is None:
        said, missing = text, message.missing(())
    else:
        number = number or columns.get(columns_of(tuple(columns)).phone_number, "")
        said, missing = message.render(columns, number, zone=zone), message.missing(tuple(columns))
    size = measure(said)
    return Preview(said, size.encoding, forcing_ucs(said), len(said), size.count, missing)


def cost_of(segments: int, segment_cost: str) -> str:
    """Return what segments cost, as a decimal text without needless zeros."""
    cost = (Decimal(segment_cost) * segments).normalize()
    return f"{cost:f}"
