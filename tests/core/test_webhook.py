"""A delivery signed wrong is thrown away by its receiver; one that comes too often, or never again, is worse."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from callsheet.core.webhook import (
    JITTER,
    LONGEST_RETRY_AFTER,
    PATIENCE,
    PAUSES,
    Disable,
    Done,
    GiveUp,
    Retry,
    after,
    make_secret,
    read_retry_after,
    sign,
)

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
OLD, NEW = make_secret(bytes(32)), make_secret(bytes(range(32)))


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200))
def test_what_we_sign_a_strangers_library_verifies(random32, body):
    secret = make_secret(random32)
    text = b'{"x":"' + body.hex().encode() + b'"}'

    headers = sign([secret], "dl-1", datetime.now(UTC), text)

    Webhook(secret).verify(text, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(text + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(text, headers | {"webhook-id": "dl-2"})


def test_while_a_secret_is_rotated_either_one_verifies():
    headers = sign([NEW, OLD], "dl-1", datetime.now(UTC), b"{}")

    for secret in (OLD, NEW):
        Webhook(secret).verify(b"{}", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(make_secret(b"x" * 32)).verify(b"{}", headers)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_a_success_is_the_end(status):
    assert after(status, 1, now=NOW, jitter=0.5) == Done()


@pytest.mark.parametrize("status", [None, 301, 302, 400, 401, 404, 429, 500, 503])
def test_whatever_else_comes_again_by_the_plan(status):
    waits = []
    for tries in range(1, len(PAUSES) + 1):
        verdict = after(status, tries, now=NOW, jitter=0.0)
        assert isinstance(verdict, Retry)
        waits.append(verdict.at - NOW)

    assert waits == list(PAUSES)
    assert [wait.total_seconds() for wait in waits[:3]] == [5, 300, 1800]
    assert after(status, len(PAUSES) + 1, now=NOW, jitter=0.0) == GiveUp()


@given(st.integers(1, len(PAUSES)), st.floats(0, 1, exclude_max=True))
def test_a_pause_is_spread_and_never_shorter_than_planned(tries, jitter):
    verdict = after(500, tries, now=NOW, jitter=jitter)

    assert isinstance(verdict, Retry)
    assert PAUSES[tries - 1] <= verdict.at - NOW <= PAUSES[tries - 1] * (1 + JITTER)


def test_gone_means_never_again():
    assert isinstance(after(410, 1, now=NOW, jitter=0.0), Disable)


def test_a_webhook_that_fails_for_days_is_disabled_but_not_by_one_slip_long_after_another():
    since = NOW - PATIENCE

    assert isinstance(after(500, 4, now=NOW, jitter=0.0, failing_since=since), Disable)
    assert isinstance(after(500, 1, now=NOW, jitter=0.0, failing_since=since), Retry)
    assert isinstance(after(500, 4, now=NOW, jitter=0.0, failing_since=since + timedelta(seconds=1)), Retry)
    assert after(200, 4, now=NOW, jitter=0.0, failing_since=since) == Done()


def test_a_receiver_may_ask_for_more_time_but_not_for_ever_nor_for_haste():
    def wait(seconds: float) -> timedelta:
        verdict = after(429, 1, now=NOW, jitter=0.0, retry_after=timedelta(seconds=seconds))
        assert isinstance(verdict, Retry)
        return verdict.at - NOW

    assert wait(120) == timedelta(seconds=120)
    assert wait(0) == PAUSES[0]
    assert wait(10**9) == LONGEST_RETRY_AFTER


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("9" * 5000, LONGEST_RETRY_AFTER.total_seconds()),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0),
        *((text, None) for text in (None, "", "soon", "-5", "1.5", "²", "Mon, 99 Zzz 2026 12:00:00 GMT", "\0")),
    ],
)
def test_retry_after_is_read_and_nonsense_counts_for_nothing(text, seconds):
    read = read_retry_after(text, NOW)

    assert (None if read is None else read.total_seconds()) == seconds
