"""Twilio as a carrier."""

from __future__ import annotations

from callsheet.carriers.callback import Doors
from callsheet.carriers.one_by_one import OneByOne
from callsheet.carriers.twilio.account import TwilioAccount
from callsheet.carriers.twilio.wording import TwilioWording
from callsheet.carriers.web import WebCarrier
from callsheet.clock import Clock
from callsheet.core.asking import Ask


def make_twilio(account: TwilioAccount, ask: Ask, clock: Clock, doors: Doors) -> OneByOne:
    """Make a carrier of an account with Twilio."""
    return OneByOne(WebCarrier(TwilioWording(account, doors), ask, clock, window=account.window))
