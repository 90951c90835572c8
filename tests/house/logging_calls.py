"""Where the code logs: every call on a logger, found by the names that loggers have in this house."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from house.tree import Module, dotted, modules_that_say, origins

LOGGERS = {"log", "logger", "_log", "_logger"}
LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}
BINDERS = {"bind", "new", "try_unbind", "unbind"}
MAKERS = {"structlog.get_logger", "structlog.stdlib.get_logger", "logging.getLogger"}
CONTEXT = {"structlog.contextvars.bind_contextvars", "structlog.contextvars.bound_contextvars"}


@dataclass(frozen=True, slots=True)
class LoggingCall:
    """One call that logs, or that binds fields to what will be logged."""

    module: Module
    node: ast.Call
    binds: bool

    @property
    def place(self) -> str:
        return f"{self.module.path}:{self.node.lineno}"


def _last_name(node: ast.expr) -> str | None:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(attr=name):
            return name
        case ast.Call(func=ast.Attribute(value=value, attr=attr)) if attr in BINDERS:
            return _last_name(value)
        case _:
            return None


def _is_on_a_logger(call: ast.Call) -> bool:
    match call.func:
        case ast.Attribute(value=value, attr=attr):
            return _last_name(value) in LOGGERS and attr in LEVELS | BINDERS
        case _:
            return False


def modules_that_log() -> list[Module]:
    """Return the modules that may have a logging call."""
    return modules_that_say(rf"\b({'|'.join(sorted(LOGGERS))})\b|contextvars")


@cache
def logging_calls(module: Module) -> tuple[LoggingCall, ...]:
    """Return every logging call of a module."""
    return tuple(_logging_calls(module))


def _logging_calls(module: Module) -> Iterator[LoggingCall]:
    names = origins(module)
    for node in module.nodes:
        if not isinstance(node, ast.Call):
            continue
        if dotted(node.func, names) in CONTEXT:
            yield LoggingCall(module, node, binds=True)
        elif _is_on_a_logger(node):
            yield LoggingCall(module, node, binds=node.func.attr in BINDERS)


def oddly_named_loggers(module: Module) -> list[str]:
    """Return loggers that are not called `log`, so that no rule would see what they log."""
    names = origins(module)
    return [
        f"{module.path}:{node.lineno}: a logger is named log"
        for node in module.nodes
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and isinstance(node.value, ast.Call)
        and dotted(node.value.func, names) in MAKERS
        and _last_name(node.targets[0] if isinstance(node, ast.Assign) else node.target) not in LOGGERS
    ]
