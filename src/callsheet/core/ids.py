"""Identifiers: the documented prefixes, and the reversible ids of attempts and dialing-list entries.

Public ids are opaque strings for everyone else. Randomness is an argument, as everywhere in core.
"""

from __future__ import annotations

import uuid
import zlib
from enum import StrEnum
from typing import NamedTuple

PERSON_BYTES = 16
_RUN_BYTES = 6
_TRY_BYTES = 2
_ATTEMPT_BYTES = _RUN_BYTES + PERSON_BYTES + _TRY_BYTES


class Prefix(StrEnum):
    """What a public id names, as seen in the documented samples."""

    app = "st-"
    campaign = "cd-"
    run = "cid-"
    contact_list = "cl-"
    contact = "cc-"
    dialing_entry = "cdl-"
    flow = "cf-"
    template = "cmt-"
    client = "cs-"
    user = "u-"
    organisation = "o-"
    sender = "sn-"
    trunk = "tr-"
    imported = "im-"
    webhook = "wh-"
    delivery = "dl-"
    queue = "qu-"
    conversation = "c-"
    message = "ms-"
    errand = "er-"
    ai_endpoint = "ai-"
    agent_mapping = "am-"
    sound = "so-"
    speech_service = "ss-"
    recording = "rc-"


def make_id(prefix: Prefix, random16: bytes) -> str:
    """Make a public id from a prefix and 16 random bytes (a version 4 UUID, RFC 9562)."""
    return f"{prefix}{uuid.UUID(bytes=random16, version=4)}"


def make_account_id(random12: bytes) -> str:
    """Make an account id: 24 hexadecimal digits without a prefix, as the documented samples show."""
    return random12.hex()


class AttemptKey(NamedTuple):
    """One try to reach one person in one run: what the attempt id encodes."""

    run_no: int
    person: bytes
    n: int


def encode_attempt(run_no: int, person: bytes, n: int) -> str:
    """Write an attempt key as 48 hexadecimal digits: safe in URLs and channel ids, free of the phone number."""
    return (run_no.to_bytes(_RUN_BYTES, "big") + person + n.to_bytes(_TRY_BYTES, "big")).hex()


def decode_attempt(text: str) -> AttemptKey | None:
    """Read an attempt id in any case; None when it was not made by us."""
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        return None
    if len(raw) != _ATTEMPT_BYTES:
        return None
    person_end = _RUN_BYTES + PERSON_BYTES
    return AttemptKey(
        int.from_bytes(raw[:_RUN_BYTES], "big"),
        raw[_RUN_BYTES:person_end],
        int.from_bytes(raw[person_end:], "big"),
    )


def hint_of(attempt_id: str) -> int:
    """Return 1 to 65535, made of an attempt id: what goes along where a carrier echoes no more than 16 bits."""
    return zlib.crc32(attempt_id.lower().encode()) % 65_535 + 1


class DialingEntry(NamedTuple):
    """One contact in one run."""

    run_no: int
    person: bytes


def decode_dialing_entry(text: str) -> DialingEntry | None:
    """Read the id of a dialing-list entry; None when it was not made by us."""
    try:
        raw = bytes.fromhex(text.removeprefix(Prefix.dialing_entry))
    except ValueError:
        return None
    if not text.startswith(Prefix.dialing_entry) or len(raw) != _RUN_BYTES + PERSON_BYTES:
        return None
    return DialingEntry(int.from_bytes(raw[:_RUN_BYTES], "big"), raw[_RUN_BYTES:])


def encode_dialing_entry(run_no: int, person: bytes) -> str:
    """Name one contact in one run (`campaignDialingListId` on the wire)."""
    return Prefix.dialing_entry + (run_no.to_bytes(_RUN_BYTES, "big") + person).hex()


_REPLY_MARK = "r-"
NO_RUN = 0
"""The run of our own answers in an attempt key: they are none, and the try is the number of the answer."""


def encode_reply(no: int) -> str:
    """Name a message of ours that answers one of theirs, as its reference with the carrier. It is no attempt id."""
    return f"{_REPLY_MARK}{no:x}"


def decode_reply(text: str) -> int | None:
    """Read such a reference; None when it was not made by us."""
    digits = text.removeprefix(_REPLY_MARK)
    if digits == text or not digits.isascii() or not digits.isalnum():
        return None
    try:
        return int(digits, 16)
    except ValueError:
        return None


def reference_of(key: AttemptKey) -> str:
    """Return the reference that a carrier got, of an attempt or of an answer of ours."""
    return encode_reply(key.n) if key.run_no == NO_RUN else encode_attempt(*key)
