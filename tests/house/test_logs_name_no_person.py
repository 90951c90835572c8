"""A log never holds a phone number, a text or a secret: logs are copied to places that nobody erases.

This rule reads the code. What a run really writes is searched for planted numbers and texts by the journey
tests.
"""

import ast

import pytest

from house.logging_calls import LoggingCall, logging_calls, modules_that_log, oddly_named_loggers
from house.tree import modules_that_say, planted

PERSONAL = {
    "address", "attributes", "body", "caption", "content", "destination", "e164", "email", "first_name",
    "last_name", "message", "messages", "msisdn", "number", "numbers", "payload", "person_name", "phone",
    "phone_number", "phones", "raw", "recipient", "rendered", "row", "text", "texts", "to",
}  # fmt: skip
SECRET = {"authorization", "cookie", "key", "jwt", "password", "secret", "token", "client_secret"}


def leaks(call: LoggingCall) -> list[str]:
    """Return what in a call stands for a person, what was said, or a secret: as a field or as its value."""
    used = {keyword.arg for keyword in call.node.keywords if keyword.arg}
    for part in (*call.node.args, *(keyword.value for keyword in call.node.keywords)):
        for node in ast.walk(part):
            if isinstance(node, ast.Name):
                used.add(node.id)
            elif isinstance(node, ast.Attribute):
                used.add(node.attr)
    return [f"{call.place}: {name} does not belong in a log" for name in sorted(used & (PERSONAL | SECRET))]


def test_no_number_no_text_and_no_secret_is_logged():
    assert not [leak for module in modules_that_log() for call in logging_calls(module) for leak in leaks(call)]


def test_every_logger_bears_the_name_that_this_rule_looks_for():
    assert not [odd for module in modules_that_say("get_logger|getLogger") for odd in oddly_named_loggers(module)]


@pytest.mark.parametrize(
    "text",
    [
        "log.info('attempt.handed', number=attempt)",
        "log.info('attempt.handed', attempt=outbound.to)",
        "self._log.warning('receipt.unknown', text=repr(body))",
        "log.bind(phone=x).info('x.y')",
        "logger.info('x.y', length=len(outbound.text))",
        "from structlog.contextvars import bind_contextvars\nbind_contextvars(token=1)",
    ],
)
def test_the_rule_sees_a_leak(text):
    assert [leak for call in logging_calls(planted(text)) for leak in leaks(call)]


def test_the_rule_sees_a_logger_under_another_name():
    assert oddly_named_loggers(planted("import structlog\nnoise = structlog.get_logger()"))


def test_the_rule_lets_plain_facts_be():
    text = "log.info('attempt.settled', attempt=attempt.id, disposition=disposition, took_ms=4)"

    assert not [leak for call in logging_calls(planted(text)) for leak in leaks(call)]
