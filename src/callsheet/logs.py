"""Logs: events with fields, on standard error; one readable line each in a terminal, JSON elsewhere.

Nothing that is logged holds a phone number or a text. The last processor masks whatever looks like a phone number all
the same: libraries and stack traces quote what they were given. Other people's loggers speak from `warning` on only,
because at `debug` some of them write the values of their statements.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import Literal, TextIO

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

Level = Literal["debug", "info", "warning", "error"]
Form = Literal["auto", "console", "json"]

MASK = "[number]"

_NUMBER = re.compile(
    r"\+\d(?:[ ().\-]{0,2}\d){6,14}"  # +1 (212) 555-0100
    r"|(?<![\w-])\(?\d{3}\)?[ .\-]\d{3}[ .\-]\d{4}(?![\w-])"  # 212-555-0100
    r"|(?<![\w.+-])\d{8,15}(?![\w-]|\.\d)"  # 12125550100, but no part of an id or a decimal fraction
)
_LEAST_NUMBER, _MOST_NUMBER = 10**9, 10**15  # an integer of 10 to 15 digits


def set_up(level: Level, form: Form, stream: TextIO | None = None) -> None:
    """Send what the program and its libraries log to a stream, by default standard error."""
    stream = stream or sys.stderr
    readable = form == "console" or (form == "auto" and stream.isatty())
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before, processors=_ending(readable, stream))
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("callsheet").setLevel(level.upper())
    logging.captureWarnings(capture=True)


def _ending(readable: bool, stream: TextIO) -> list[Processor]:
    """Return the last steps: the trace becomes text first, so that it is masked as well."""
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(
            colors=stream.isatty(), timestamp_key="at", exception_formatter=structlog.dev.plain_traceback
        )
        if readable
        else structlog.processors.JSONRenderer()
    )
    return [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        mask_numbers,
        renderer,
    ]


def mask_numbers(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Mask what looks like a phone number, wherever it stands in an event."""
    return {key: value if key == "at" else _mask(value) for key, value in event.items()}


def _mask(value: object) -> object:
    if isinstance(value, dict):
        return {_mask(key): _mask(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_mask(part) for part in value]
    if isinstance(value, int) and _LEAST_NUMBER <= abs(value) < _MOST_NUMBER:
        return MASK
    if value is None or isinstance(value, int | float):
        return value
    # Whatever else it is, its repr is how the renderer would write it.
    return _NUMBER.sub(MASK, value if isinstance(value, str) else repr(value))
