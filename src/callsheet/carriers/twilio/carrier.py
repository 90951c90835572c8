"""Twilio as a carrier."""

from __future__ import annotations

from functools import partial
from typing import Final

from callsheet.carriers.callback import Acknowledgement, Ears
from callsheet.carriers.one_by_one import OneByOne
from callsheet.carriers.twilio.account import TwilioAccount
from callsheet.carriers.twilio.callbacks import read_callback
from callsheet.carriers.twilio.wording import TwilioWording
from callsheet.carriers.web import WebCarrier, WebGiven

NOTHING_TO_SAY: Final = Acknowledgement("text/xml", b"<Response/>")
"""An empty TwiML document: to a reply too we answer with a message of its own, or not at all."""


def make_twilio(account: TwilioAccount, given: WebGiven) -> OneByOne:
    """Make a carrier of an account with Twilio."""
    wording = TwilioWording(account, given.doors)
    return OneByOne(WebCarrier(wording, given.ask, given.clock, window=account.window))


def hear_twilio(account: TwilioAccount) -> Ears:
    """Return how the callbacks of an account are understood."""
    return Ears(partial(read_callback, account), NOTHING_TO_SAY)
