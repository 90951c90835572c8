"""The numbers of SMPP 3.4: commands, statuses, and the bits and codes that its fields are made of."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

BIND_RECEIVER: Final = 0x00000001
BIND_TRANSMITTER: Final = 0x00000002
QUERY_SM: Final = 0x00000003
SUBMIT_SM: Final = 0x00000004
DELIVER_SM: Final = 0x00000005
UNBIND: Final = 0x00000006
CANCEL_SM: Final = 0x00000008
BIND_TRANSCEIVER: Final = 0x00000009
ENQUIRE_LINK: Final = 0x00000015
DATA_SM: Final = 0x00000103

RESPONSE: Final = 0x80000000
"""Set in the command of every response; alone it is the generic one."""
GENERIC_NACK: Final = 0x80000000
BIND_RECEIVER_RESP: Final = 0x80000001
BIND_TRANSMITTER_RESP: Final = 0x80000002
QUERY_SM_RESP: Final = 0x80000003
SUBMIT_SM_RESP: Final = 0x80000004
DELIVER_SM_RESP: Final = 0x80000005
UNBIND_RESP: Final = 0x80000006
CANCEL_SM_RESP: Final = 0x80000008
BIND_TRANSCEIVER_RESP: Final = 0x80000009
ENQUIRE_LINK_RESP: Final = 0x80000015
DATA_SM_RESP: Final = 0x80000103

INTERFACE_VERSION: Final = 0x34

RECEIPT: Final = 0x04
"""The message type of a delivery receipt."""
INTERMEDIATE: Final = 0x20
"""The message type of a notification before the end."""
WITH_HEADER: Final = 0x40
"""The bit of `esm_class` that says that the message begins with a user data header."""

FINAL_RECEIPT: Final = 0x01
"""`registered_delivery`: tell how it ended, whatever the end."""


class Status(IntEnum):
    """What a response says; zero is success. Carriers have codes of their own besides, from 0x400 on."""

    OK = 0x00
    INVALID_MESSAGE_LENGTH = 0x01
    INVALID_COMMAND_LENGTH = 0x02
    INVALID_COMMAND = 0x03
    INCORRECT_BIND = 0x04
    ALREADY_BOUND = 0x05
    INVALID_PRIORITY = 0x06
    INVALID_REGISTERED_DELIVERY = 0x07
    SYSTEM_ERROR = 0x08
    INVALID_SOURCE = 0x0A
    INVALID_DESTINATION = 0x0B
    INVALID_MESSAGE_ID = 0x0C
    BIND_FAILED = 0x0D
    INVALID_PASSWORD = 0x0E
    INVALID_SYSTEM_ID = 0x0F
    CANCEL_FAILED = 0x11
    REPLACE_FAILED = 0x13
    QUEUE_FULL = 0x14
    INVALID_SERVICE_TYPE = 0x15
    INVALID_DESTINATION_COUNT = 0x33
    INVALID_DISTRIBUTION_LIST = 0x34
    INVALID_DESTINATION_FLAG = 0x40
    INVALID_SUBMIT_WITH_REPLACE = 0x42
    INVALID_ESM_CLASS = 0x43
    CANNOT_SUBMIT_TO_LIST = 0x44
    SUBMIT_FAILED = 0x45
    INVALID_SOURCE_TON = 0x48
    INVALID_SOURCE_NPI = 0x49
    INVALID_DESTINATION_TON = 0x50
    INVALID_DESTINATION_NPI = 0x51
    INVALID_SYSTEM_TYPE = 0x53
    INVALID_REPLACE_FLAG = 0x54
    INVALID_NUMBER_OF_MESSAGES = 0x55
    THROTTLED = 0x58
    INVALID_SCHEDULE = 0x61
    INVALID_VALIDITY = 0x62
    INVALID_DEFAULT_MESSAGE = 0x63
    RECEIVER_TEMPORARY_ERROR = 0x64
    RECEIVER_PERMANENT_ERROR = 0x65
    RECEIVER_REJECTED = 0x66
    QUERY_FAILED = 0x67
    INVALID_TLV_STREAM = 0xC0
    TLV_NOT_ALLOWED = 0xC1
    INVALID_TLV_LENGTH = 0xC2
    MISSING_TLV = 0xC3
    INVALID_TLV_VALUE = 0xC4
    DELIVERY_FAILURE = 0xFE
    UNKNOWN_ERROR = 0xFF


STATUS_NAMES: Final = {int(status): status.name.lower() for status in Status}


def name_status(status: int) -> str:
    """Name a status in words: `throttled`, or `0x00000411` where it is the carrier's own."""
    return STATUS_NAMES.get(status) or f"0x{status:08X}"
