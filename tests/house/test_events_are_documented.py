"""A log line is an event with a name, and the names are a list: operators build alerts on them.

A name that is not on `docs/reference/events.md` is a surprise; a name on it that nothing logs is an alert
that will never ring. A line whose first argument is prose cannot be found again after the next rewording.
"""

import ast
import re

import pytest

from house.logging_calls import LoggingCall, logging_calls, modules_that_log
from house.tree import first_column, planted

NAME = r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+"


def event_name(call: LoggingCall) -> str | None:
    """Return the event's name, when the first argument is one."""
    match call.node.args:
        case [ast.Constant(value=str(name)), *_] if re.fullmatch(NAME, name):
            return name
        case _:
            return None


def logged() -> list[LoggingCall]:
    return [call for module in modules_that_log() for call in logging_calls(module) if not call.binds]


def test_every_log_line_is_an_event_with_a_name():
    assert not [f"{call.place}: log an event name, such as run.started" for call in logged() if not event_name(call)]


def test_every_event_name_is_documented_and_every_documented_one_is_logged():
    names = {name for call in logged() if (name := event_name(call))}
    listed = first_column("docs/reference/events.md", NAME)

    assert len(listed) == len(set(listed))
    assert set(listed) == names


@pytest.mark.parametrize("text", ["log.info('Started the run')", "log.info(f'run.{x}')", "log.error(name)"])
def test_the_rule_sees_prose(text):
    (call,) = logging_calls(planted(text))

    assert event_name(call) is None
