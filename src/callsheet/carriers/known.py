"""The carriers that this release knows: what an account with each is, and how one is made of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol

from callsheet.account import Account
from callsheet.carriers.base import Carrier, Probe
from callsheet.carriers.callback import Doors, Ears
from callsheet.carriers.http.account import HttpAccount
from callsheet.carriers.http.carrier import hear_http, hear_preset, make_http, make_preset
from callsheet.carriers.http.presets import PlivoAccount, VonageAccount
from callsheet.carriers.sandbox.account import SandboxAccount
from callsheet.carriers.sip.account import SipAccount
from callsheet.carriers.sip.probe import SipProber
from callsheet.carriers.smpp.account import SmppAccount
from callsheet.carriers.smpp.carrier import SmppCarrier
from callsheet.carriers.twilio.account import TwilioAccount
from callsheet.carriers.twilio.carrier import hear_twilio, make_twilio
from callsheet.clock import Clock
from callsheet.core.allowance import UNLIMITED, Allowance
from callsheet.core.asking import Ask
from callsheet.core.campaign import Channel
from callsheet.core.fence import Fence
from callsheet.core.sip import SipTrunk


@dataclass(frozen=True, slots=True)
class Given:
    """What a carrier is given besides its account."""

    trunk_id: str
    clock: Clock
    rng: random.Random
    fence: Fence
    """What may be called: judged by the address that a socket connects to."""
    sandbox: Callable[[], Carrier]
    """The handset simulator of this trunk."""
    ask: Ask
    """Asks over HTTP, behind that fence."""
    doors: Doors
    """Where the carrier calls us back."""


class Prober(Protocol):
    """What can try whether an account works: every carrier of texts can."""

    async def probe(self) -> Probe:
        """Try it; nobody is contacted."""


_TEXT: Final = frozenset({Channel.sms})
_CALLS: Final = frozenset({Channel.voice})


_FEW_CALLS: Final = Allowance(segments_per_second=5.0)
"""Providers sell 1 to 50 calls per second, small accounts few of them, and turn away, or lock out, who begins more."""


class Known(NamedTuple):
    """A carrier that this release knows."""

    account: type[Account]
    make: Callable[[Any, Given], Carrier] | None
    """Makes one, not opened yet, of an account (of that very type) and what it is given; None: no text goes there."""
    ears: Callable[[Any], Ears] | None = None
    """How the callbacks of such an account are understood; None: this carrier calls nobody back."""
    answers_stop: bool = False
    """It confirms a STOP itself, unless that was switched off there."""
    channels: frozenset[Channel] = _TEXT
    """What goes over it: texts, calls, or both."""
    sip: Callable[[Any, str], SipTrunk] | None = None
    """Makes what a voice engine has to know, of an account and its trunk's id; None: no call goes there by SIP."""
    allowance: Allowance = UNLIMITED
    """What a new trunk may send as long as nobody says otherwise."""
    is_simulated: bool = False
    """Nobody is reached over it: it has people of its own."""
    prober: Callable[[Any, Given], Prober] | None = None
    """Makes what tries an account out; None: what `make` makes does."""


def _probe_sip(account: SipAccount, given: Given) -> Prober:
    return SipProber(account, given.clock, given.fence.of_sip())


def _make_smpp(account: SmppAccount, given: Given) -> Carrier:
    return SmppCarrier(account, given.clock, given.rng, given.fence, trunk_id=given.trunk_id)


UNHEARD: Final = (
    "CALLSHEET_PUBLIC_URL is not set, so the carrier cannot call us: receipts and replies (STOP) reach nobody."
)

KNOWN: Final[Mapping[str, Known]] = MappingProxyType(
    {
        "sandbox": Known(
            SandboxAccount, lambda _, given: given.sandbox(), channels=frozenset(Channel), is_simulated=True
        ),
        "smpp": Known(SmppAccount, _make_smpp),
        "twilio": Known(TwilioAccount, make_twilio, hear_twilio, answers_stop=True),
        "http": Known(HttpAccount, make_http, hear_http),
        "vonage": Known(VonageAccount, make_preset, hear_preset),
        "plivo": Known(PlivoAccount, make_preset, hear_preset),
        "sip": Known(SipAccount, None, channels=_CALLS, sip=SipAccount.trunk, allowance=_FEW_CALLS, prober=_probe_sip),
    }
)
"""By the name that a trunk has for it."""


def channels_of(carrier: str) -> frozenset[Channel]:
    """Return what goes over a carrier of this name; of one that this release does not know: texts, which fail."""
    known = KNOWN.get(carrier)
    return known.channels if known is not None else _TEXT


def carries_text(carrier: str) -> bool:
    """Tell whether texts go over a carrier of this name."""
    return Channel.sms in channels_of(carrier)


def is_simulated(carrier: str) -> bool:
    """Tell whether a carrier of this name reaches nobody out there."""
    known = KNOWN.get(carrier)
    return known is not None and known.is_simulated


def unheard(carrier: str, settings: Mapping[str, Any], base: str) -> str:
    """Say that what a trunk's carrier tells reaches nobody; empty: it does, or it is not told by calling us.

    `settings` are the trunk's, without its secrets; `base` is the public URL, or what begins with it.
    """
    known = KNOWN.get(carrier)
    if base or known is None or known.ears is None:
        return ""
    # A REST provider calls us only where its account says how that is read.
    calls = known.account is not HttpAccount or settings.get("status") or settings.get("inbound")
    return UNHEARD if calls else ""
