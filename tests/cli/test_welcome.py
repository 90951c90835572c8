"""The sign-in link lets in whoever has it, so it is good once, and not for long; and its page tells no secret."""

import re
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from callsheet.console.first_campaign import first_campaign
from callsheet.console.welcome import Welcome
from callsheet.engine.invitation import VALID_FOR, Invitation
from factories import StillClock

STEPS = first_campaign("http://127.0.0.1:8030", "st-1", "ab12", "callsheet token")


@pytest.fixture
def welcome(clock: StillClock) -> Welcome:
    return Welcome(Invitation(clock))


@pytest.fixture
def browser(welcome: Welcome) -> TestClient:
    return TestClient(welcome, headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})


def test_the_link_shows_the_page_once(welcome, browser):
    link = welcome.invite([("App id", "st-1")], STEPS)

    assert "st-1" in browser.get(link).text
    again = browser.get(link)
    assert again.status_code == 404
    assert "callsheet serve" in again.text
    assert "st-1" not in again.text


def test_a_preview_of_the_link_does_not_use_it_up(welcome, browser):
    link = welcome.invite([], STEPS)

    assert browser.head(link).status_code == 200
    assert browser.get(link).status_code == 200


def test_the_link_is_over_after_half_an_hour(welcome, browser, clock):
    link = welcome.invite([], STEPS)
    clock.advance(VALID_FOR / timedelta(seconds=1))

    assert browser.get(link).status_code == 404


def test_a_new_link_ends_the_one_before(welcome, browser):
    old, new = welcome.invite([], STEPS), welcome.invite([], STEPS)

    assert (browser.get(old).status_code, browser.get(new).status_code) == (404, 200)


@pytest.mark.parametrize("path", ["/welcome/", "/welcome/x", "/welcome/é", "/elsewhere"])
def test_without_an_invitation_nothing_is_shown(welcome, browser, path):
    assert browser.get(path).status_code == 404
    welcome.invite([], STEPS)
    assert browser.get(path).status_code == 404
    assert browser.post(path).status_code == 404


def test_the_page_is_one_piece_and_nobody_keeps_it(welcome, browser):
    answer = browser.get(welcome.invite([("<App>", "<script>alert(1)</script>")], STEPS))

    assert not re.search(r"<(script|link|img|iframe)|\bon\w+=|src=", answer.text)
    assert "&lt;script&gt;" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_the_address_itself_answers(browser):
    assert browser.get("/").status_code == 200
