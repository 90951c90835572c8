"""The report of conversations (`interactionDetails`, `calldetails`): every message of a period, the newest first."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from callsheet.api.compat.call import Call
from callsheet.api.compat.call_results import times_of
from callsheet.api.compat.fields import Fields
from callsheet.api.instants import write_instant
from callsheet.core.attempt import FINAL, Kind
from callsheet.core.call_words import words_of
from callsheet.core.campaign import Channel
from callsheet.core.contacts import columns_of
from callsheet.core.errors import Invalid
from callsheet.core.ids import Prefix, encode_dialing_entry
from callsheet.core.outcome import Outcome
from callsheet.store.conversations import Conversation, Source, Wanted

LONGEST_PERIOD = timedelta(days=7)
MOST_RESULTS = 100
LAST_PAGE = 10

_DIRECTIONS: Mapping[str, tuple[bool, bool]] = {
    "outbound": (True, False),
    "inbound": (False, True),
    "both": (True, True),
}
"""By the word of the body: whether attempts are meant, and whether replies."""
_MOST_NAMES = 1000
_LONGEST_NAME = 128
_MOST_MINUTES = 18 * 60
_SECOND = timedelta(seconds=1)
_PATTERNS = (("%Y-%m-%d", timedelta(days=1)), ("%Y-%m-%d %H:%M:%S", _SECOND))
"""The samples show a day alone where the table says that there is a time; and how long what is said lasts."""
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)
"""Stands in where a date is missing or wrong: there is no answer then."""
_LAST_DAY = datetime(9999, 12, 31, tzinfo=UTC) - timedelta(days=1)
"""After it no day can be counted on."""
_TOLD: Mapping[str, str] = {
    Kind.delivered: "answered",
    Kind.refused: "busy",
    Kind.withdrawn: "failed",
    Kind.rejected: "failed",
    Kind.undelivered: "failed",
}
"""What became of a contact, in the words of the page, which are those of calls."""
_CHANNELS: Mapping[Channel, str] = {Channel.sms: "sms", Channel.voice: "Voice"}
"""The page knows the word of calls; the one of messages is ours."""
_WITHOUT_RESULT = "no-answer"
_ENDED_BY: Mapping[str, str] = {"them": "user_hangup", "us": "agent_hangup"}
"""Who ended a call, in the words of the results."""
_TRANSCRIPT = "transcript"
"""Ours: what was said in the conversation of a flow, where it is selected."""


async def show(call: Call) -> dict[str, Any]:
    """Return a page of the conversations of a period. `offset` counts pages, as documented."""
    paging = Fields({name: call.parameter(name) for name in ("offset", "limit")}, [])
    page = paging.whole("offset", least=0, most=LAST_PAGE, default=0)
    limit = paging.whole("limit", least=1, most=MOST_RESULTS, default=MOST_RESULTS)
    fields = Fields(call.document, paging.wrong)
    offset = _read_offset(fields)
    wanted = _read_wanted(fields, offset)
    selected = {name.lower() for name in _names(fields, "selectedFields")}
    wanted = replace(wanted, queues=frozenset(_names(fields, "queues")))
    if fields.wrong:
        raise Invalid(fields.wrong)
    conversations = call.runtime.store.conversations
    total, found = await conversations.page(call.app.no, wanted, offset=page * limit, limit=limit)
    shown = [_view(call, one, selected, offset) for one in found]
    if _TRANSCRIPT in selected:
        for one, view in zip(found, shown, strict=True):
            view[_TRANSCRIPT] = await _transcript(call, one)
    return {"numResults": total, "data": shown}


# -- the question ----------------------------------------------------------------------------------------------------


def _read_offset(fields: Fields) -> timedelta:
    """Return what is added to the asker's clock to get UTC: -330 minutes in India, as browsers count."""
    value = fields.get("timeZoneOffset")
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,4}", value.strip()):
        value = int(value)
    if value is None or value == "":
        value = 0
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _MOST_MINUTES:
        fields.blame("timeZoneOffset", "This must be a whole number of minutes, such as -330 for India.")
        value = 0
    return timedelta(minutes=value)


def _read_wanted(fields: Fields, offset: timedelta) -> Wanted:
    start, _ = _read_date(fields, "startDate", offset)
    end, accuracy = _read_date(fields, "endDate", offset)
    if end < start and _NEVER not in (start, end):
        fields.blame("endDate", "The end must not be before the start.")
    elif end - start > LONGEST_PERIOD and _NEVER not in (start, end):
        fields.blame("endDate", f"Start and end are at most {LONGEST_PERIOD.days} days apart.")
    direction = fields.text("direction", longest=_LONGEST_NAME).strip().lower() or "both"
    if direction not in _DIRECTIONS:
        fields.blame("direction", "This must be Inbound, Outbound or Both.")
    outbound, inbound = _DIRECTIONS.get(direction, (True, True))
    named = {name.lower() for name in _names(fields, "channels")}
    channels = frozenset(channel for channel in Channel if not named or channel.value in named)
    return Wanted(start, min(end, _LAST_DAY) + accuracy, outbound, inbound, channels)


def _read_date(fields: Fields, key: str, offset: timedelta) -> tuple[datetime, timedelta]:
    """Return the instant that a field says on the asker's clock, and how long what it says lasts: a day or a second."""
    said = fields.text(key, longest=_LONGEST_NAME, required=True).strip()
    if not said:
        return _NEVER, _SECOND
    for pattern, lasts in _PATTERNS:
        with suppress(ValueError, OverflowError):
            return datetime.strptime(said, pattern).replace(tzinfo=UTC) + offset, lasts
    with suppress(ValueError, OverflowError):
        at = datetime.fromisoformat(said)
        return (at.replace(tzinfo=UTC) + offset if at.tzinfo is None else at.astimezone(UTC)), _SECOND
    fields.blame(key, "This must be a date as YYYY-MM-DD HH:mm:ss.")
    return _NEVER, _SECOND


def _names(fields: Fields, key: str) -> list[str]:
    """Return an array of texts; empty where it is missing."""
    value = fields.get(key)
    if value is None or value == "":
        return []
    if not isinstance(value, list) or len(value) > _MOST_NAMES or not all(_is_name(name) for name in value):
        fields.blame(key, "This must be an array of texts.")
        return []
    return [name.strip() for name in value]


def _is_name(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_NAME


# -- the answer ------------------------------------------------------------------------------------------------------


def _view(call: Call, one: Conversation, selected: Collection[str], offset: timedelta) -> dict[str, Any]:
    """Show a conversation in the documented shape; what was selected stands beside."""
    finished = one.source is None or one.state in FINAL or (one.call is not None and one.call.ended_at is not None)
    session = one.session
    status = "CLOSED" if finished and (session is None or session.ended_at is not None) else "OPEN"
    ended_at = one.ended_at if session is None else max(one.ended_at, session.ended_at or one.ended_at)
    if one.call is not None and one.call.ended_at is not None:
        ended_at = max(ended_at, one.call.ended_at)
    columns = columns_of(tuple(one.attributes))
    names = [one.attributes.get(column, "") if column else "" for column in (columns.first_name, columns.last_name)]
    number = one.number.removeprefix("+")
    return {
        "conversationId": Prefix.conversation + one.id,
        "sessionId": one.id if session is None else session.id,
        "channel": _CHANNELS[one.channel],
        "isVoicemail": "YES" if one.channel is Channel.voice and one.code == Outcome.machine else "NO",
        "Direction": "Inbound" if one.source is None else "Outbound",
        "finalStatus": status,
        "smartStatus": status,
        "status": one.state or "received",
        "disconnectingEvent": _ENDED_BY.get(one.call.ended_by, "") if one.call is not None else "",
        "reason": session.why if session is not None else "",
        "errorDetails": "",
        "botId": call.app.id,
        "dispositions": [session.disposition] if session is not None and session.disposition else [],
        "dispositionRemarks": [],
        "metaInfo": _meta_info(one, names, number),
        "sessionStartTime": _on_askers_clock(one.at, offset),
        "sessionEndTime": _on_askers_clock(ended_at, offset),
        "startTime": write_instant(one.at),
        "endTime": write_instant(ended_at),
        "destinations": [],
        **({"callDetails": times_of(one.call)} if one.call is not None else {}),
        **{name: value for name, value in _optional(one, names).items() if name in selected},
    }


def _optional(one: Conversation, names: Sequence[str]) -> dict[str, Any]:
    """Return the fields that are there when they are selected, by their names in small letters."""
    customer = {
        "CustomerPhone": one.number,
        "CenterPhone": one.sender,
        "CustomerFirstName": names[0],
        "CustomerLastName": names[1],
        "CustomerEmail": "",
    }
    campaign = {"campaigninfo": _campaign_info(one, one.source)} if one.source is not None else {}
    return {"skills": [], "customerinfo": customer, "userleveltags": [], "sessionleveltags": [], **campaign}


def _meta_info(one: Conversation, names: Sequence[str], number: str) -> dict[str, Any]:
    first_name, last_name = names
    info: dict[str, Any] = {"firstName": first_name, "lastName": last_name, "endUserNumber": number}
    if one.session is not None:
        told = one.session
        info |= {"experienceFlowName": told.flow_name, "queueName": told.queue_name, "agentId": told.agent}
    if one.source is None:
        return {**info, "caller": number, "callee": one.sender, "Initiation": "User"}
    return {
        **info,
        "caller": one.sender,
        "callee": number,
        "dialedNumber": one.sender,
        "Initiation": "Campaign",
        "campaignName": one.source.definition.name,
        "attempt": one.attempt,
    }


def _campaign_info(one: Conversation, source: Source) -> dict[str, Any]:
    lists = source.definition.contact_lists
    return {
        "campaignName": source.definition.name,
        "campaignId": source.campaign_id,
        "campaignInstanceId": source.run_id,
        "campaignDialingListId": encode_dialing_entry(source.run_no, one.person),
        "attempt": one.attempt,
        "contactStatus": _contact_status(one),
        "campaignRunDate": write_instant(source.started_at),
        "contactListName": [named.name for named in lists if named.no == one.list_no],
    }


def _contact_status(one: Conversation) -> str:
    if one.channel is not Channel.voice:
        return _TOLD.get(one.state, _WITHOUT_RESULT)
    words = words_of(one.state, one.code)
    return words.contact_status.value if words is not None else ""


async def _transcript(call: Call, one: Conversation) -> list[dict[str, Any]]:
    """Return what was said in the session of a conversation, in order; nothing where it has none."""
    if one.session is None:
        return []
    found = await call.runtime.store.transcripts.find(call.app.no, one.session.id)
    return [
        {"by": line.by, "message": line.text, "status": line.state, "timestamp": write_instant(line.at)}
        for line in (found.lines if found is not None else ())
    ]


def _on_askers_clock(at: datetime, offset: timedelta) -> str:
    """Write an instant as the page does: on the clock of whoever asks, without a zone."""
    return (at.astimezone(UTC) - offset).strftime("%Y-%m-%dT%H:%M:%S")
