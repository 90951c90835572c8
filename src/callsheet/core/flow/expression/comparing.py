"""Which of two values is less, or whether they are the same: as a reader of both would say."""

from __future__ import annotations

from datetime import tzinfo

from callsheet.core.flow.expression.casting import find_number, to_text


def compare(one: object, other: object, zone: tzinfo) -> int | None:  # noqa: ARG001 (dates come next)
    """Return -1, 0 or 1 as one value is less than, the same as, or more than another; None: nobody can tell.

    Two that are numbers, or texts of numbers, compare as numbers; else as texts, where case does not count. Null and
    an empty text are the same, and neither less nor more than anything.
    """
    if isinstance(one, str) and isinstance(other, str) and one == other:
        return 0
    first = find_number(one)
    if first is not None:
        second = find_number(other)
        if second is not None:
            return (first > second) - (first < second)
        return None if not isinstance(one, str) or not isinstance(other, str) else _texts(one, other)
    return _texts(to_text(one), to_text(other))


def _texts(one: str, other: str) -> int | None:
    first, second = one.casefold(), other.casefold()
    if first == second:
        return 0
    return ((first > second) - (first < second)) if first and second else None
