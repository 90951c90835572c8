"""A REST provider as a carrier."""

from __future__ import annotations

from functools import partial

from callsheet.carriers.callback import Acknowledgement, Ears
from callsheet.carriers.http.account import HttpAccount
from callsheet.carriers.http.callbacks import read_callback
from callsheet.carriers.http.presets import Preset
from callsheet.carriers.http.wording import HttpWording
from callsheet.carriers.one_by_one import OneByOne
from callsheet.carriers.web import WebCarrier, WebGiven


def make_http(account: HttpAccount, given: WebGiven) -> OneByOne:
    """Make a carrier of an account."""
    wording = HttpWording(account, given.doors)
    tries = 2 if account.repeats_are_safe else 1
    return OneByOne(WebCarrier(wording, given.ask, given.clock, window=account.window, tries=tries))


def hear_http(account: HttpAccount) -> Ears:
    """Return how the callbacks of an account are understood."""
    return Ears(partial(read_callback, account), Acknowledgement("text/plain", account.callback_answer.encode()))


def make_preset(account: Preset, given: WebGiven) -> OneByOne:
    """Make a carrier of what a user fills in for a provider that we know."""
    return make_http(account.expand(), given)


def hear_preset(account: Preset) -> Ears:
    """Return how the callbacks of such an account are understood."""
    return hear_http(account.expand())
