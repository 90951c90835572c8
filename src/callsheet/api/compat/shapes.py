"""The shapes of the documented API, as schemas: what clients send, and what they find in the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from callsheet.core.campaign import (
    LEAST_RING_SECONDS,
    MAX_CONTACT_LISTS,
    MAX_DESCRIPTION_CHARACTERS,
    MAX_NAME_CHARACTERS,
    MOST_RING_SECONDS,
    MachineDetection,
    Mode,
    Status,
)
from callsheet.core.dialout import AmdEvent
from callsheet.core.dialout import Status as CallStatus

DIALOUT_TIMERS: Final = ("noSpeechTimeoutMs", "decisionTimeoutMs", "toneTimeoutMs", "greetingCompletionTimeoutMs")
Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_FLAG: Final[Schema] = {"type": "boolean"}
_WHOLE: Final[Schema] = {"type": "integer"}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_INSTANT: Final[Schema] = {"type": "string", "format": "date-time"}
_NUMBER_OR_TEXT: Final[Schema] = {"type": ["integer", "string"]}


def _object(required: Sequence[str] = (), **properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required)}


def _array(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, **more}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _enveloped(data: Schema, **more: Schema) -> Schema:
    success = {"type": "string", "const": "success"}
    return _object(("status", "message", "data"), status=success, message=_TEXT, data=data, **more)


def _whole(least: int, most: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


_NAME: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": MAX_NAME_CHARACTERS}
_DESCRIPTION: Final[Schema] = {"type": "string", "maxLength": MAX_DESCRIPTION_CHARACTERS}
_PRIORITY: Final[Schema] = {"enum": ["1", "2", "3", "4", "5"]}
_DIRECTION: Final[Schema] = {"enum": ["asc", "desc"]}
_STATUSES: Final[Schema] = {"enum": [status.value for status in Status]}

_HOURS: Final[Schema] = _object(
    ("frequency", "timezone", "days"),
    frequency={"enum": ["WEEKLY", "DAILY", "CUSTOM"]},
    timezone={"type": "string", "examples": ["Asia/Kolkata"]},
    days=_array(
        _object(
            ("start", "end"),
            day={"enum": ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]},
            start={"type": "string", "examples": ["9:00 AM"]},
            end={"type": "string", "examples": ["6:00 PM"]},
        ),
        minItems=1,
    ),
)

_SHOWN_STRATEGY: Final[Schema] = _object(
    ("callerId", "callingHours"),
    callerId=_object(("phoneNumber",), phoneNumber=_TEXT),
    callingHours={"type": "object"},
    dialingOrder=_TEXT,
    maxAttemptsPerRecord=_COUNT,
    defaultRetryPeriod=_COUNT,
    maxRingTime=_COUNT,
    useSystemMappings=_FLAG,
)

_RECURRENCE: Final[Schema] = _object(
    ("recurType",),
    recurType={"enum": ["Daily", "Weekly"]},
    dailyDetails=_object(onceEveryNdays=_WHOLE),
    weeklyDetails=_object(onceEveryNweeks=_WHOLE, whichDays=_array(_TEXT)),
)

_SHOWN_LIST: Final[Schema] = _object(
    ("_id", "name", "totalRecordCount", "status"),
    _id=_TEXT,
    name=_TEXT,
    description=_TEXT,
    totalRecordCount=_COUNT,
    status=_TEXT,
    mapping={"type": "object"},
    isListInUse=_FLAG,
    campaignInUse=_array(_object(("id", "name"), id=_TEXT, name=_TEXT)),
    columns=_array(_TEXT),
)


def _page(items: Schema, *counts: str) -> Schema:
    return _object(("results", *counts), results=_array(items), **dict.fromkeys(counts, _COUNT))


SCHEMAS: Final[Mapping[str, Schema]] = {
    "Anything": {},
    "Failure": _object(
        ("status", "message", "errors"),
        status={"type": "string", "const": "failure"},
        message=_TEXT,
        errors=_array(_object(("msg", "code"), msg=_TEXT, code=_NUMBER_OR_TEXT, field=_TEXT)),
    ),
    "Message": _object(("message",), message=_TEXT),
    "Campaign": _object(
        ("name", "contactLists", "dialingStrategy"),
        name=_NAME,
        description=_DESCRIPTION,
        campaignType={"enum": ["sms", "voice"]},
        contactLists=_array(_TEXT, minItems=1, maxItems=MAX_CONTACT_LISTS),
        dncLists=_object(("name",), name=_TEXT),
        priority=_PRIORITY,
        format={"enum": ["simple", "advanced"]},
        message=_object(message=_TEXT, template_name=_TEXT, templateId=_TEXT),
        experienceFlowName=_TEXT,
        dialingMode={"enum": [mode.value for mode in Mode]},
        queue_name=_TEXT,
        maxSkips=_COUNT,
        enableMachineDetect={"enum": [True, False, *(one.value for one in MachineDetection)]},
        dialingStrategy=_object(
            ("callerId", "callingHours"),
            callerId=_object(("phoneNumber",), phoneNumber=_TEXT),
            callingHours=_HOURS,
            dialingOrder={"enum": ["FIFO", "LIFO"]},
            maxAttemptsPerRecord=_whole(1, 100),
            defaultRetryPeriod=_whole(1, 1440),
            maxRingTime=_whole(5, 120),
        ),
        schedule=_object(isSchedulingEnabled=_FLAG),
    ),
    "ShownCampaign": _object(
        ("_id", "id", "name", "status", "priority", "contactLists", "createdAt", "updatedAt"),
        _id=_TEXT,
        id=_TEXT,
        name=_TEXT,
        status=_STATUSES,
        priority=_PRIORITY,
        contactLists=_array(_TEXT),
        createdAt=_INSTANT,
        updatedAt=_INSTANT,
        campId=_TEXT,
        lname=_TEXT,
        description=_TEXT,
        dncLists=_object(("id", "name"), id=_TEXT, name=_TEXT),
        dialingMode=_TEXT,
        dialingStrategy=_SHOWN_STRATEGY,
        enableMachineDetect=_FLAG,
        experienceFlow=_TEXT,
        maxSkips=_COUNT,
        isFiltersEnabled=_FLAG,
        schedule={"type": "object"},
        campaignInstanceId=_TEXT,
    ),
    "CampaignAnswer": _enveloped(
        _ref("ShownCampaign"), id=_TEXT, warnings=_array(_object(("msg", "code"), msg=_TEXT, code=_TEXT))
    ),
    "TriggerAnswer": _object(
        ("status", "message", "campaignInstanceId"),
        status=_STATUSES,
        message=_TEXT,
        updatedAt=_INSTANT,
        totalCallsCompleted=_COUNT,
        campaignInstanceId={"type": ["string", "null"]},
        campaignExecutionType={"enum": ["NORMAL", "EMERGENCY"]},
    ),
    "StatusPage": _object(page={"type": "integer", "minimum": 1}, limit=_whole(1, 100)),
    "StatusAnswer": _object(
        ("status", "data"),
        status={"type": "string", "const": "success"},
        data={
            "anyOf": [
                _object(("id", "status", "name"), id=_TEXT, status=_STATUSES, name=_TEXT),
                _page(_ref("ContactResult"), "page", "limit", "totalPages", "totalResults"),
            ]
        },
    ),
    "ContactResult": _object(
        (
            "phoneNumber",
            "uniqueId",
            "dialerOutcome",
            "numberOfAttemptsSoFar",
            "botSessionId",
            "agentDispositionCodes",
            "botOutboundStatus",
            "botOutboundStatusDetail",
        ),
        campaignDialingListId=_TEXT,
        phoneNumber=_TEXT,
        uniqueId=_TEXT,
        dialerOutcome={"enum": ["", "completed"]},
        numberOfAttemptsSoFar=_COUNT,
        botSessionId=_TEXT,
        agentDispositionCodes=_array(_TEXT),
        botOutboundStatus=_TEXT,
        botOutboundStatusDetail=_TEXT,
        contactStatus=_TEXT,
        dialerDisposition=_TEXT,
        agent=_TEXT,
        startTime=_TEXT,
        answerTime=_TEXT,
        endTime=_TEXT,
        duration=_COUNT,
        ringDuration=_COUNT,
    ),
    "CampaignsQuestion": _object(
        ("type",),
        type={"enum": ["voice", "sms"]},
        limit=_NUMBER_OR_TEXT,
        skip=_NUMBER_OR_TEXT,
        page=_NUMBER_OR_TEXT,
        startDate=_TEXT,
        endDate=_TEXT,
        sortBy=_object(name=_DIRECTION, createdAt=_DIRECTION, updatedAt=_DIRECTION),
        filters=_object(
            status=_array(_STATUSES),
            priority=_array({"enum": [1, 2, 3, 4, 5]}),
            dialingMode=_array({"enum": [mode.value for mode in Mode]}),
        ),
    ),
    "CampaignsAnswer": _enveloped(_page({"type": "object"}, "skip", "limit", "totalPages", "totalResults")),
    "Schedule": _object(startDateTime=_TEXT, endDateTime=_TEXT, recurrenceObject=_RECURRENCE),
    "ScheduleAnswer": _object(("status", "message", "id"), status=_TEXT, message=_TEXT, id=_TEXT),
    "Callbacks": _array(
        _object(("campaignDialingListId", "timeToContact"), campaignDialingListId=_TEXT, timeToContact=_INSTANT),
        minItems=1,
    ),
    "CallbacksAnswer": _object(
        ("status", "data"), status=_TEXT, data=_array(_object(("status",), status=_TEXT, reason=_TEXT))
    ),
    "NewList": _object(
        ("name",), name=_NAME, description=_DESCRIPTION, source={"enum": ["passiveApi"]}, allowDuplicates=_FLAG
    ),
    "ChangedList": _object(name=_NAME, description=_DESCRIPTION, allowDuplicates=_FLAG),
    "ListAnswer": _enveloped(_SHOWN_LIST),
    "ListsAnswer": _enveloped(_array(_SHOWN_LIST)),
    "ListUpdateAnswer": _enveloped(_object(("contactListId", "body"), contactListId=_TEXT, body={"type": "object"})),
    "NewContacts": _object(
        ("contact_list_name", "data"),
        contact_list_name=_TEXT,
        data=_array(_object(("phoneNumber",), phoneNumber=_TEXT), minItems=1, maxItems=100),
    ),
    "ContactsAnswer": _enveloped(_page({"type": "object"}, "skip", "limit", "totalPages", "totalResults")),
    "InteractionsQuestion": _object(
        ("startDate", "endDate"),
        startDate=_TEXT,
        endDate=_TEXT,
        timeZoneOffset=_NUMBER_OR_TEXT,
        selectedFields=_array(_TEXT),
        direction={"enum": ["Inbound", "Outbound", "Both"]},
        queues=_array(_TEXT),
        channels=_array(_TEXT),
    ),
    "InteractionsAnswer": _object(("numResults", "data"), numResults=_COUNT, data=_array({"type": "object"})),
    "Dialout": _object(
        ("target", "caller"),
        target={"type": "string", "examples": ["tel:+12125550123"]},
        caller=_TEXT,
        trunk=_TEXT,
        notifyurl=_TEXT,
        notifyHeaders={"type": "object", "additionalProperties": _TEXT},
        timeoutInMs=_whole(LEAST_RING_SECONDS * 1000, MOST_RING_SECONDS * 1000),
        machineDetection={"enum": ["disabled", "detect", "disconnect"]},
        timers={"type": "object", "properties": dict.fromkeys(DIALOUT_TIMERS, _whole(500, 60_000))},
        thresholdWordCount=_COUNT,
        amdEventsSubscription=_array({"enum": [event.value for event in AmdEvent]}),
        metadata={"type": "object"},
        callControlParameter={"type": "object"},
    ),
    "DialoutAnswer": _object(("sid", "callId"), sid=_TEXT, callId=_TEXT),
    "DialoutNotice": _object(
        (
            "conversationId",
            "sessionId",
            "callId",
            "status",
            "reason",
            "reasonCode",
            "callConnectTime",
            "callDisconnectTime",
            "ringDurationInMS",
            "connectDurationInMS",
            "callDuration",
        ),
        conversationId=_TEXT,
        sessionId=_TEXT,
        callId=_TEXT,
        status={"enum": [status.value for status in CallStatus]},
        reason={"type": "string", "examples": ["200 OK", "486 Busy Here"]},
        reasonCode=_TEXT,
        callConnectTime=_TEXT,
        callDisconnectTime=_TEXT,
        ringDurationInMS=_COUNT,
        connectDurationInMS=_COUNT,
        callDuration=_COUNT,
        machineDetection={"enum": [event.value for event in AmdEvent]},
    ),
    "OutboundSms": _object(("fromNo", "toNo"), fromNo=_TEXT, toNo=_TEXT),
    "Queues": _page({"type": "object"}, "page", "limit", "totalPages", "totalResults"),
    "Priorities": {},
    "trigger": {"enum": ["play", "stop", "pause", "resume", "rerun", "emergency"]},
    "campaignType": {"enum": ["sms", "voice"]},
    "view": {"enum": ["status", "contacts"]},
    "enableSchedule": {"enum": ["true", "false"]},
}
