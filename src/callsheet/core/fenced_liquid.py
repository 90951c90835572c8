"""Liquid inside a fence: what a message may say beyond plain merge tags.

The language is that of python-liquid without what reaches outside a message: no other templates, no files, no
clock, no filter that grows text beyond measure, and the five resource limits set. Columns of a contact are
text, so comparisons are kinder than Liquid's: a blank cell counts as nothing, and text that reads as a number
compares as one. What a column contains is a value and is never parsed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from dateutil import parser as dates
from liquid import Environment, RenderContext
from liquid.ast import Node
from liquid.builtin.expressions.logical import (
    EqExpression,
    GeExpression,
    GtExpression,
    LeExpression,
    LtExpression,
    NeExpression,
)
from liquid.builtin.expressions.primitive import Blank, Empty
from liquid.exceptions import FilterArgumentError, LiquidError, OutputStreamLimitError, ResourceLimitError
from liquid.expression import Expression
from liquid.output import LimitedStringIO
from liquid.template import BoundTemplate

from callsheet.core.liquid_faults import explain

# The longest message that SMS can carry is 255 segments of 153 characters; four bytes each at the most.
OUTPUT_BYTES: Final = 160_000
# How deep brackets, and the words `and` and `or`, may lie in each other. The interpreter's own limit depends on who
# calls, and a text that is accepted must be accepted, and rendered, from everywhere.
EXPRESSION_LEVELS: Final = 50
TAGS_LEFT_OUT: Final = ("include", "render", "tablerow", "increment", "decrement")
FILTERS: Final = (
    "abs", "append", "at_least", "at_most", "capitalize", "ceil", "default", "divided_by", "downcase",
    "first", "floor", "last", "lstrip", "minus", "modulo", "plus", "prepend", "remove", "remove_first",
    "remove_last", "replace_first", "replace_last", "round", "rstrip", "size", "slice", "split", "squish",
    "strip", "times", "truncate", "truncatewords", "upcase", "url_decode", "url_encode",
)  # fmt: skip

_ANY_TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_TAGS_TRIED: Final = 30
_TOO_DEEP: Final = "this is nested too deeply"


class Refused(Exception):
    """The source is not written correctly; `at` is the offset in it, or None where that is unknown."""

    def __init__(self, message: str, at: int | None) -> None:
        super().__init__(message)
        self.message = message
        self.at = at


class NoClock(FilterArgumentError):
    """A message asked for the present moment; it is rendered again later, and must then read the same."""


@dataclass(frozen=True, slots=True)
class Program:
    """Liquid source, parsed: `paths` are the columns it reads, as it writes them, in the order of their first use."""

    paths: tuple[tuple[str, ...], ...]
    _template: BoundTemplate

    def render(self, columns: Mapping[str, object]) -> str:
        """Return the text for these columns; a missing one is nothing.

        Raises LiquidError where the template asks for the impossible (a division by zero, a loop without
        end).
        """
        context = RenderContext(self._template, globals=columns)
        buffer = LimitedStringIO(OUTPUT_BYTES, newline="")
        for node in self._template.nodes:
            node.render(context, buffer)
        return buffer.getvalue()


def parse(source: str) -> Program:
    """Parse Liquid source.

    Raises Refused for what is not Liquid, and for tags and filters that are not inside the fence.
    """
    try:
        template = _ENVIRONMENT.from_string(source)
        _soften(template)
        analysis = template.analyze(include_partials=False)
    except (LiquidError, RecursionError) as error:
        raise Refused(_explain(_message(error)), _place(error, source)) from error
    for name, spans in analysis.filters.items():
        if name not in _ENVIRONMENT.filters:
            raise Refused(_explain(f"unknown filter '{name}'"), spans[0].index)
    used = sorted(
        (variable.span.index, tuple(part for part in variable.segments if isinstance(part, str)))
        for variables in analysis.globals.values()
        for variable in variables
    )
    program = Program(tuple(dict.fromkeys(path for _, path in used)), template)
    _rehearse(program)
    return program


def is_expression(said: str) -> bool:
    """Tell whether this can stand between two braces."""
    try:
        _ENVIRONMENT.from_string(f"{{{{ {said} }}}}")
    except (LiquidError, RecursionError):
        return False
    return True


def _rehearse(program: Program) -> None:
    """Render for a contact without a single column, and refuse what no contact could mend."""
    try:
        program.render(defaultdict(lambda: None))
    except (ResourceLimitError, NoClock) as error:
        token = error.token
        said = str(error.message) if isinstance(error, NoClock) else _explain(_message(error))
        raise Refused(said, None if token is None else token.start_index) from error
    except Exception:  # noqa: BLE001, S110 - a value that is missing here may be there for every contact
        pass


def _explain(complaint: str) -> str:
    return explain(complaint, _ENVIRONMENT.filters, TAGS_LEFT_OUT)


def _message(error: Exception) -> str:
    """Return the parser's complaint; it wraps what the interpreter refuses."""
    if isinstance(error, LiquidError) and not isinstance(error.__cause__, RecursionError):
        return str(error.message)
    return _TOO_DEEP


def _place(error: Exception, source: str) -> int | None:
    """Return the offset of an error. Where Liquid gives none, it is the tag with which the same complaint begins."""
    token = getattr(error, "token", None)
    if token is not None and token.start_index >= 0:
        return int(token.start_index)
    for tag in list(_ANY_TAG.finditer(source))[:_TAGS_TRIED]:
        try:
            _ENVIRONMENT.from_string(source[: tag.end()])
        except LiquidError as earlier:
            if earlier.message == _message(error):
                return tag.start()
    return None


class _Environment(Environment):
    context_depth_limit = 20
    loop_iteration_limit = 1_000
    local_namespace_limit = 64_000
    output_stream_limit = OUTPUT_BYTES
    block_nesting_limit = 20


def _environment() -> Environment:
    """Build the fence."""
    environment = _Environment()
    for name in TAGS_LEFT_OUT:
        del environment.tags[name]
    environment.filters = {name: environment.filters[name] for name in FILTERS}
    environment.add_filter("date", _date)
    environment.add_filter("replace", _replace)
    return environment


def _replace(value: object, old: object, new: object = "") -> str:
    """Replace, but never into a text longer than a message: a chain of these grows by powers."""
    text, sought, put = (_text(part) for part in (value, old, new))
    if len(text) + text.count(sought) * len(put) > OUTPUT_BYTES:
        raise OutputStreamLimitError("output stream limit reached", token=None)
    return text.replace(sought, put)


def _text(value: object) -> str:
    return "" if value is None else str(value)


# A date that lacks a part (`10:30`, `12 March`) would be filled from today's date; it is filled from each of
# these, and if that shows in the result, the text is left as it came.
_FILLERS: Final = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2001, 2, 2, 1, 1, 1, tzinfo=UTC))

# `%99999999d` is as many characters.
_WIDTH = re.compile(r"%[^A-Za-z%]*\d")


def _date(value: object, layout: object = "") -> str:
    """Write a date as strftime does; all digits are seconds since 1970 in UTC, and a zone in the text is not applied.

    Raises NoClock for `now` and `today`.
    """
    text = _text(value)
    form = _text(layout)
    if _WIDTH.search(form):
        raise FilterArgumentError("a date takes no widths", token=None)
    if text in ("now", "today"):
        raise NoClock(f"A message cannot ask for '{text}': write the date, or give it in a column.", token=None)
    try:
        if text.isdigit():
            moments = [datetime.fromtimestamp(int(text), tz=UTC)]
        else:
            moments = [dates.parse(text, default=filler, ignoretz=True) for filler in _FILLERS]
        written = {moment.strftime(form) for moment in moments}
    except (ValueError, OverflowError, OSError):
        return text
    return written.pop() if len(written) == 1 and form else text


# Comparisons. python-liquid builds these nodes by name, so they are exchanged for ours after parsing.


class _Eq(EqExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> object:
        return _is_same(self, context)


class _Ne(NeExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> object:
        return not _is_same(self, context)


class _Lt(LtExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> object:
        return (order := _order(self, context)) is not None and order < 0


class _Le(LeExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> object:
        return (order := _order(self, context)) is not None and order <= 0


class _Gt(GtExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> object:
        return (order := _order(self, context)) is not None and order > 0


class _Ge(GeExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> object:
        return (order := _order(self, context)) is not None and order >= 0


_OURS: Final[dict[type[Expression], type[Expression]]] = {
    kind.__mro__[1]: kind for kind in (_Eq, _Ne, _Lt, _Le, _Gt, _Ge)
}
_NUMBER = re.compile(r"\s*[+-]?\d{1,30}(?:\.\d{1,30})?\s*")


def _soften(template: BoundTemplate) -> None:
    """Exchange the comparisons of a parsed template for ours. Raises LiquidError where they lie too deep."""
    context = RenderContext(template)
    nodes: list[Node] = list(template.nodes)
    while nodes:
        node = nodes.pop()
        nodes.extend(node.children(context, include_partials=False))
        for expression in _inside(node.expressions()):
            ours = _OURS.get(type(expression))
            if ours is not None:
                expression.__class__ = ours


def _inside(expressions: Iterable[Expression]) -> Iterator[Expression]:
    level = list(expressions)
    for _ in range(EXPRESSION_LEVELS):
        yield from level
        level = [child for expression in level for child in expression.children()]
    if level:
        raise LiquidError(_TOO_DEEP, token=level[0].token)


def _is_same(comparison: Any, context: RenderContext) -> bool:
    left = comparison.left.evaluate(context)
    right = comparison.right.evaluate(context)
    if _is_nothing(left) or _is_nothing(right):
        return _is_nothing(left) and _is_nothing(right)
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    one, other = _number(left), _number(right)
    return one == other if one is not None and other is not None else bool(left == right)


def _order(comparison: Any, context: RenderContext) -> int | None:
    """Return which side is greater (-1, 0, 1), or None where the two cannot be compared."""
    left = comparison.left.evaluate(context)
    right = comparison.right.evaluate(context)
    one: Any = _number(left)
    other: Any = _number(right)
    if (one is None or other is None) and isinstance(left, str) and isinstance(right, str) and left and right:
        one, other = left, right
    return None if one is None or other is None else (one > other) - (one < other)


def _is_nothing(value: object) -> bool:
    """Say whether this is nil, a blank text, or one of the words `blank` and `empty`."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or isinstance(value, Blank | Empty) or value == []


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | Decimal):
        return Decimal(str(value))
    return Decimal(value.strip()) if isinstance(value, str) and _NUMBER.fullmatch(value) else None


_ENVIRONMENT: Final = _environment()
