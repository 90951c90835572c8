"""How a call that nobody answered ended: what each Q.850 cause and each SIP status says of it.

The causes are those of ITU-T Q.850 (05/2018), the statuses those of RFC 3261 and of the registry that it began. Which
cause goes with which status follows RFC 3398, and what was measured on Asterisk 22: it makes a cause of the status
where the trunk gives none (`Reason`, RFC 3326), and the cause that it makes of 401 and 403 is the one of 603.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final, NamedTuple

from callsheet.core.outcome import Outcome


class Sureness(IntEnum):
    """How much a cause or a status says: the surer of the two decides, and of equal ones the status."""

    nothing = 0
    vague = 1
    """It is given for many reasons, or stands where nothing better was known."""
    broad = 2
    """It says whose fault it was, not why."""
    plain = 3
    """It has one reason."""


class Meaning(NamedTuple):
    """What a cause or a status says of a call that nobody answered."""

    outcome: Outcome
    sureness: Sureness
    words: str
    """The same for people."""


UNKNOWN: Final = Meaning(Outcome.no_answer, Sureness.nothing, "Not known")
"""It may have rung, so the contact is not called again before the retry period is over."""

STATUSES: Final[Mapping[int, Meaning]] = {
    300: Meaning(Outcome.no_answer, Sureness.vague, "Several places to try instead, and none was tried"),
    301: Meaning(Outcome.no_answer, Sureness.vague, "Moved for good, and the new place was not tried"),
    302: Meaning(Outcome.no_answer, Sureness.vague, "Forwarded, and the new place was not tried"),
    305: Meaning(Outcome.no_answer, Sureness.vague, "To be asked through a proxy that was not tried"),
    380: Meaning(Outcome.no_answer, Sureness.vague, "Another service is offered instead"),
    400: Meaning(Outcome.trunk_failed, Sureness.broad, "The request is not understood"),
    401: Meaning(Outcome.trunk_failed, Sureness.plain, "Our account is not let in"),
    402: Meaning(Outcome.trunk_failed, Sureness.plain, "Our account has no credit"),
    403: Meaning(Outcome.trunk_failed, Sureness.broad, "Our account may not place this call"),
    404: Meaning(Outcome.invalid_number, Sureness.plain, "There is no such number"),
    405: Meaning(Outcome.trunk_failed, Sureness.broad, "The method is not taken"),
    406: Meaning(Outcome.trunk_failed, Sureness.plain, "Nothing that we accept is offered"),
    407: Meaning(Outcome.trunk_failed, Sureness.plain, "Our account is not let in by the proxy"),
    # Made by Asterisk itself where a provider says nothing at all; one that lets a phone ring first is another case.
    408: Meaning(Outcome.trunk_failed, Sureness.plain, "Nobody reacted in time"),
    409: Meaning(Outcome.trunk_failed, Sureness.broad, "A conflict"),
    410: Meaning(Outcome.invalid_number, Sureness.plain, "The number is gone"),
    411: Meaning(Outcome.trunk_failed, Sureness.broad, "The length is missing"),
    412: Meaning(Outcome.trunk_failed, Sureness.broad, "A condition of the request does not hold"),
    413: Meaning(Outcome.trunk_failed, Sureness.broad, "The request is too long"),
    414: Meaning(Outcome.trunk_failed, Sureness.broad, "The address is too long"),
    415: Meaning(Outcome.trunk_failed, Sureness.plain, "What we offer as media is not known"),
    416: Meaning(Outcome.trunk_failed, Sureness.broad, "The kind of address is not known"),
    417: Meaning(Outcome.trunk_failed, Sureness.broad, "The priority of the request is not known"),
    420: Meaning(Outcome.trunk_failed, Sureness.broad, "An extension is not known"),
    421: Meaning(Outcome.trunk_failed, Sureness.broad, "An extension is asked for that we lack"),
    422: Meaning(Outcome.trunk_failed, Sureness.broad, "The session is refreshed too often"),
    423: Meaning(Outcome.trunk_failed, Sureness.broad, "The registration is too short"),
    424: Meaning(Outcome.trunk_failed, Sureness.broad, "The place that we name is not understood"),
    425: Meaning(Outcome.trunk_failed, Sureness.broad, "The alert is not understood"),
    428: Meaning(Outcome.trunk_failed, Sureness.plain, "A signed caller ID is asked for"),
    429: Meaning(Outcome.trunk_failed, Sureness.broad, "The referrer is not named"),
    430: Meaning(Outcome.trunk_failed, Sureness.broad, "The way to the proxy is broken"),
    433: Meaning(Outcome.rejected, Sureness.plain, "Who hides the caller ID is not let through"),
    436: Meaning(Outcome.trunk_failed, Sureness.plain, "The signature of the caller ID cannot be fetched"),
    437: Meaning(Outcome.trunk_failed, Sureness.plain, "The certificate of the caller ID is not believed"),
    438: Meaning(Outcome.trunk_failed, Sureness.plain, "The signature of the caller ID is wrong"),
    439: Meaning(Outcome.trunk_failed, Sureness.broad, "The first proxy does not keep the way"),
    440: Meaning(Outcome.trunk_failed, Sureness.broad, "The call was spread too widely"),
    469: Meaning(Outcome.trunk_failed, Sureness.broad, "The package of information is not known"),
    470: Meaning(Outcome.rejected, Sureness.plain, "The callee has not agreed to be asked"),
    480: Meaning(Outcome.no_answer, Sureness.vague, "Nobody is there for now"),
    481: Meaning(Outcome.trunk_failed, Sureness.broad, "The call is not known there"),
    482: Meaning(Outcome.trunk_failed, Sureness.broad, "The call goes round in a loop"),
    483: Meaning(Outcome.trunk_failed, Sureness.broad, "The call passed through too many hands"),
    484: Meaning(Outcome.invalid_number, Sureness.plain, "The number is not complete"),
    485: Meaning(Outcome.invalid_number, Sureness.plain, "The number stands for several callees"),
    486: Meaning(Outcome.busy, Sureness.plain, "Busy"),
    487: Meaning(Outcome.no_answer, Sureness.vague, "Taken back"),
    488: Meaning(Outcome.trunk_failed, Sureness.plain, "None of our codecs is taken"),
    489: Meaning(Outcome.trunk_failed, Sureness.broad, "The event is not known"),
    491: Meaning(Outcome.trunk_failed, Sureness.broad, "Another request is pending"),
    493: Meaning(Outcome.trunk_failed, Sureness.broad, "The body cannot be deciphered"),
    494: Meaning(Outcome.trunk_failed, Sureness.broad, "A security agreement is asked for"),
    500: Meaning(Outcome.trunk_failed, Sureness.vague, "The server failed"),
    501: Meaning(Outcome.trunk_failed, Sureness.broad, "The server does not have this"),
    502: Meaning(Outcome.trunk_failed, Sureness.vague, "The gateway behind the server failed"),
    503: Meaning(Outcome.trunk_failed, Sureness.broad, "Out of service, or more than the trunk takes"),
    504: Meaning(Outcome.trunk_failed, Sureness.broad, "The server was not answered in time"),
    505: Meaning(Outcome.trunk_failed, Sureness.broad, "The version is not known"),
    513: Meaning(Outcome.trunk_failed, Sureness.broad, "The message is too large"),
    555: Meaning(Outcome.trunk_failed, Sureness.broad, "Push notices are not known"),
    580: Meaning(Outcome.trunk_failed, Sureness.broad, "What the call needs could not be reserved"),
    600: Meaning(Outcome.busy, Sureness.plain, "Busy everywhere"),
    603: Meaning(Outcome.rejected, Sureness.broad, "Declined"),
    604: Meaning(Outcome.invalid_number, Sureness.plain, "The number exists nowhere"),
    606: Meaning(Outcome.trunk_failed, Sureness.plain, "None of our codecs is taken anywhere"),
    607: Meaning(Outcome.rejected, Sureness.plain, "Unwanted, says the callee"),
    608: Meaning(Outcome.rejected, Sureness.plain, "Turned away by a filter on the way"),
}
"""By the final SIP status."""

CAUSES: Final[Mapping[int, Meaning]] = {
    1: Meaning(Outcome.invalid_number, Sureness.plain, "There is no such number"),
    2: Meaning(Outcome.trunk_failed, Sureness.broad, "No route to the network on the way"),
    3: Meaning(Outcome.trunk_failed, Sureness.vague, "No route to the number"),
    4: Meaning(Outcome.no_answer, Sureness.vague, "Not to be reached for a long time; a tone says so"),
    5: Meaning(Outcome.invalid_number, Sureness.plain, "The number begins with a wrong trunk prefix"),
    6: Meaning(Outcome.trunk_failed, Sureness.broad, "The line is not acceptable"),
    7: Meaning(Outcome.no_answer, Sureness.vague, "Given to a line that is up already"),
    8: Meaning(Outcome.trunk_failed, Sureness.broad, "A call of higher rank took the line"),
    9: Meaning(Outcome.trunk_failed, Sureness.broad, "A call of higher rank took the line, which is kept for it"),
    14: Meaning(Outcome.trunk_failed, Sureness.vague, "The number was ported, and the network asks for another route"),
    16: Meaning(Outcome.no_answer, Sureness.vague, "Ended in the ordinary way"),
    17: Meaning(Outcome.busy, Sureness.plain, "Busy"),
    18: Meaning(Outcome.no_answer, Sureness.broad, "No phone reacted"),
    19: Meaning(Outcome.no_answer, Sureness.vague, "The phone rang, and nobody answered"),
    20: Meaning(Outcome.no_answer, Sureness.plain, "The phone is off, or out of reach"),
    21: Meaning(Outcome.rejected, Sureness.vague, "Turned away"),
    22: Meaning(Outcome.invalid_number, Sureness.plain, "The number has changed"),
    23: Meaning(Outcome.no_answer, Sureness.vague, "Sent on to another place that was not tried"),
    24: Meaning(Outcome.rejected, Sureness.plain, "Turned away by a feature of the callee's line"),
    25: Meaning(Outcome.trunk_failed, Sureness.broad, "An exchange on the way made an error"),
    26: Meaning(Outcome.no_answer, Sureness.vague, "Somebody else took it"),
    27: Meaning(Outcome.no_answer, Sureness.vague, "The callee's line is out of order"),
    28: Meaning(Outcome.invalid_number, Sureness.plain, "The number is not complete, or is malformed"),
    29: Meaning(Outcome.trunk_failed, Sureness.broad, "The facility was refused"),
    30: Meaning(Outcome.no_answer, Sureness.vague, "An answer to a question about the state"),
    31: Meaning(Outcome.no_answer, Sureness.vague, "Ordinary, and nothing more is said"),
    34: Meaning(Outcome.trunk_failed, Sureness.broad, "No line is free"),
    38: Meaning(Outcome.trunk_failed, Sureness.broad, "The network is out of order"),
    39: Meaning(Outcome.trunk_failed, Sureness.broad, "The permanent connection is out of order"),
    40: Meaning(Outcome.trunk_failed, Sureness.broad, "The permanent connection works, and tells no more"),
    41: Meaning(Outcome.trunk_failed, Sureness.broad, "A failure that passes"),
    42: Meaning(Outcome.trunk_failed, Sureness.broad, "The exchange has too much to do"),
    43: Meaning(Outcome.trunk_failed, Sureness.broad, "Information was dropped on the way"),
    44: Meaning(Outcome.trunk_failed, Sureness.broad, "The line that was asked for is not there"),
    46: Meaning(Outcome.trunk_failed, Sureness.broad, "Blocked by calls of higher rank"),
    47: Meaning(Outcome.trunk_failed, Sureness.broad, "Something that the call needs is not there"),
    49: Meaning(Outcome.trunk_failed, Sureness.broad, "The quality is not to be had"),
    50: Meaning(Outcome.trunk_failed, Sureness.plain, "Our account has not subscribed to this"),
    52: Meaning(Outcome.trunk_failed, Sureness.plain, "Our account may not call out"),
    53: Meaning(Outcome.trunk_failed, Sureness.plain, "Our account may not call out of its closed group"),
    54: Meaning(Outcome.rejected, Sureness.plain, "The callee's line takes no calls"),
    55: Meaning(Outcome.rejected, Sureness.plain, "The callee's closed group takes no calls"),
    57: Meaning(Outcome.trunk_failed, Sureness.plain, "Our account may not use this kind of call"),
    58: Meaning(Outcome.trunk_failed, Sureness.plain, "This kind of call is not to be had now"),
    62: Meaning(Outcome.trunk_failed, Sureness.broad, "What was asked for contradicts itself"),
    63: Meaning(Outcome.trunk_failed, Sureness.broad, "The service is not to be had"),
    65: Meaning(Outcome.trunk_failed, Sureness.plain, "This kind of call is not known"),
    66: Meaning(Outcome.trunk_failed, Sureness.broad, "This kind of line is not known"),
    69: Meaning(Outcome.trunk_failed, Sureness.broad, "The facility is not known"),
    70: Meaning(Outcome.trunk_failed, Sureness.broad, "Only restricted digital calls are to be had"),
    79: Meaning(Outcome.trunk_failed, Sureness.broad, "The service is not known"),
    81: Meaning(Outcome.trunk_failed, Sureness.broad, "The call is not known there"),
    82: Meaning(Outcome.trunk_failed, Sureness.broad, "The line does not exist"),
    83: Meaning(Outcome.trunk_failed, Sureness.broad, "A suspended call exists, but not this one"),
    84: Meaning(Outcome.trunk_failed, Sureness.broad, "The name of the suspended call is in use"),
    85: Meaning(Outcome.trunk_failed, Sureness.broad, "No call is suspended"),
    86: Meaning(Outcome.trunk_failed, Sureness.broad, "The suspended call was ended"),
    87: Meaning(Outcome.rejected, Sureness.plain, "We are not in the callee's closed group"),
    88: Meaning(Outcome.trunk_failed, Sureness.broad, "The callee's line cannot take this kind of call"),
    90: Meaning(Outcome.trunk_failed, Sureness.broad, "The closed group does not exist"),
    91: Meaning(Outcome.trunk_failed, Sureness.broad, "The network on the way is not known"),
    95: Meaning(Outcome.trunk_failed, Sureness.broad, "The message is not valid"),
    96: Meaning(Outcome.trunk_failed, Sureness.broad, "Something that is needed is missing"),
    97: Meaning(Outcome.trunk_failed, Sureness.broad, "The kind of message is not known"),
    98: Meaning(Outcome.trunk_failed, Sureness.broad, "The message does not fit the state of the call"),
    99: Meaning(Outcome.trunk_failed, Sureness.broad, "A part of the message is not known"),
    100: Meaning(Outcome.trunk_failed, Sureness.broad, "A part of the message is not valid"),
    101: Meaning(Outcome.trunk_failed, Sureness.broad, "The message does not fit the state"),
    102: Meaning(Outcome.trunk_failed, Sureness.broad, "A timer ran out"),
    103: Meaning(Outcome.trunk_failed, Sureness.broad, "A parameter is not known, and was passed on"),
    110: Meaning(Outcome.trunk_failed, Sureness.broad, "A parameter is not known, and the message was dropped"),
    111: Meaning(Outcome.trunk_failed, Sureness.broad, "The protocol was broken"),
    127: Meaning(Outcome.no_answer, Sureness.vague, "Another network failed, and does not say why"),
}
"""By the Q.850 cause."""


def meaning_of(cause: int, sip_status: int) -> Meaning:
    """Return what a cause and a final status say together, whether they are known or not; 0: none was given."""
    by_status = STATUSES.get(sip_status, UNKNOWN)
    by_cause = CAUSES.get(cause, UNKNOWN)
    return by_cause if by_cause.sureness > by_status.sureness else by_status
