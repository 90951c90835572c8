"""The body of a create or update call, read into what the client wishes for.

Every field is read by itself, and what is wrong is collected in the wish: one answer then names every wrong field and
every name that does not exist. Where the pages contradict each other, every reading that one of them shows is taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from callsheet.api.compat.dialing import Dialing, read_dialing, read_voice
from callsheet.api.compat.fields import Fields
from callsheet.api.compat.references import read_contact_lists, read_dnc_lists, read_flow, read_template
from callsheet.api.compat.schedules import read_block
from callsheet.core.campaign import (
    HIGHEST_PRIORITY,
    LOWEST_PRIORITY,
    MAX_DESCRIPTION_CHARACTERS,
    MAX_NAME_CHARACTERS,
    Channel,
    Mode,
)
from callsheet.core.errors import Invalid
from callsheet.core.hours import CallingHours, Frequency, parse_hours
from callsheet.core.message import to_send
from callsheet.core.wish import Reference, VoiceWish, Wish

SIMPLE, ADVANCED = "simple", "advanced"

_LONGEST_SENDER = 64
_LONGEST_MESSAGE = 65_536
"""As received, encoded and with its HTML; what is left to send has a limit of its own."""
_WANTS_DNC_LIST = 2
"""The generation."""
_NO_HOURS = CallingHours(Frequency.weekly, "UTC", ())
_HOURS_KEYS = ("frequency", "timezone", "days")
_DAY_KEYS = ("day", "start", "end")

_SAY_KIND = "Say which kind of campaign this is: sms or voice."
_WRONG_KIND = "This must be sms or voice. Web campaigns have no API."

Document = Mapping[str, Any]


def read_new_wish(document: Document, in_query: str, generation: int) -> Wish:
    """Read the body of a campaign to be; `in_query` is the kind that the query names."""
    fields = Fields(document, [])
    return _read(fields, _read_channel(fields, in_query), generation)


def read_wish(document: Document, channel: Channel, generation: int) -> Wish:
    """Read the body of a campaign that is there, of this kind."""
    return _read(Fields(document, []), channel, generation)


def _read_channel(fields: Fields, in_query: str) -> Channel:
    """Find out what kind of campaign is to be created: the body decides, and only its silence leaves it to the query.

    Pages of voice calls say `sms` in their query. Where nobody says it, the rest is read as for SMS.
    """
    said = fields.get("campaignType")
    if said is None:
        said = Channel.voice if fields.get("dialingMode") is not None else in_query
    try:
        return Channel(str(said).strip().lower())
    except ValueError:
        missing = said in (None, "")
        fields.blame("campaignType", _SAY_KIND if missing else _WRONG_KIND)
        return Channel.sms


def _read(fields: Fields, channel: Channel, generation: int) -> Wish:
    sender, hours, hours_document = _read_strategy(fields)
    voice = read_voice(fields) if channel is Channel.voice else None
    said = _read_message(fields) if channel is Channel.sms else _read_calls(fields, voice)
    dialing = (
        read_dialing(fields.inside("dialingStrategy"), channel) if fields.has_object("dialingStrategy") else Dialing()
    )
    return Wish(
        name=fields.name("name", longest=MAX_NAME_CHARACTERS),
        description=fields.text("description", longest=MAX_DESCRIPTION_CHARACTERS),
        channel=channel,
        contact_lists=read_contact_lists(fields),
        # One generation of the pages makes a list mandatory for calls.
        dnc_lists=read_dnc_lists(fields, required=channel is Channel.voice and generation == _WANTS_DNC_LIST),
        priority=fields.whole("priority", least=LOWEST_PRIORITY, most=HIGHEST_PRIORITY, default=HIGHEST_PRIORITY),
        sender=sender,
        hours=hours,
        hours_document=hours_document,
        format=said.format,
        message=said.text,
        template=said.template,
        flow=said.flow,
        order=dialing.order,
        max_attempts=dialing.max_attempts,
        retry_minutes=dialing.retry_minutes,
        ring_seconds=dialing.ring_seconds,
        voice=voice,
        schedule=read_block(fields),
        faults=tuple(fields.wrong),
    )


# -- sender and calling hours ----------------------------------------------------------------------------------------


def _read_strategy(fields: Fields) -> tuple[str, CallingHours, Document]:
    strategy = fields.inside("dialingStrategy", required=True)
    if not fields.has_object("dialingStrategy"):
        return "", _NO_HOURS, {}
    sender = ""
    caller = strategy.inside("callerId", required=True)
    if strategy.has_object("callerId"):
        sender = caller.text("phoneNumber", longest=_LONGEST_SENDER, required=True).strip()
        if not sender.isprintable():
            caller.blame("phoneNumber", "A caller ID has no control characters.")
            sender = ""
    document = strategy.get("callingHours")
    try:
        hours = parse_hours(document, strategy.at("callingHours"))
    except Invalid as error:
        fields.wrong.extend(error.fields)
        return sender, _NO_HOURS, {}
    return sender, hours, _documented(document)


def _documented(hours: Document) -> Document:
    """Return the calling hours as received, in their order, without keys that mean nothing."""
    kept = {key: value for key, value in hours.items() if key in _HOURS_KEYS}
    kept["days"] = [{key: value for key, value in day.items() if key in _DAY_KEYS} for day in hours["days"]]
    return kept


# -- the message -----------------------------------------------------------------------------------------------------


class _Said(NamedTuple):
    """What a body says about its message."""

    format: str
    text: str | None
    template: Reference | None
    flow: Reference | None


def _read_calls(fields: Fields, voice: VoiceWish | None) -> _Said:
    """Read what a call says: a flow where nobody of ours is on the line; else an agent speaks."""
    if voice is None or voice.mode is not Mode.agentless:
        return _Said(SIMPLE, None, None, None)
    blamed = len(fields.wrong)
    flow = read_flow(fields)
    if flow is None and len(fields.wrong) == blamed:
        fields.blame("experienceFlowName", "An Agentless campaign needs an experience flow.")
    return _Said(SIMPLE, None, None, flow)


def _read_message(fields: Fields) -> _Said:
    """Read message, format and flow of an SMS campaign, which must have something to say.

    A flow without a message is advanced, whatever the format says (one page writes `simple` there); otherwise the
    format decides. `advanced` without a flow is plain text, as another page allows.
    """
    message = fields.inside("message")
    text = message.text("message", longest=_LONGEST_MESSAGE) or None
    template = read_template(message)
    flow = read_flow(fields)
    said = _read_format(fields)
    if flow is not None and (said != SIMPLE or (text is None and template is None)):
        return _Said(ADVANCED, text, None, flow)
    if template is None:
        _check_text(fields, message, text, said)
    return _Said(said or SIMPLE, text, template, None)


def _check_text(fields: Fields, message: Fields, text: str | None, said: str) -> None:
    """Say what is missing where there is nothing to send; not twice where a wrong field was named already."""
    if any(fault.path.startswith(("message", "experienceFlow")) for fault in fields.wrong):
        return
    if text is None and said == ADVANCED:
        fields.blame("experienceFlowName", "An advanced campaign needs an experience flow.")
    elif text is None:
        message.blame("message", "Give the text to send, or a template.")
    elif not to_send(text).strip():
        message.blame("message", "There is nothing in the text to send.")


def _read_format(fields: Fields) -> str:
    """Return `simple` or `advanced`; empty where the body does not say."""
    said = fields.text("format", longest=_LONGEST_SENDER).strip().lower()
    if said and said not in (SIMPLE, ADVANCED):
        fields.blame("format", "The format is simple or advanced.")
        return ""
    return said
