"""How Twilio is spoken to: https://www.twilio.com/docs/messaging/api/message-resource."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from callsheet.carriers.base import Accepted, InvalidMessage, NoAnswer, Outbound, Probe
from callsheet.carriers.callback import Doors
from callsheet.carriers.document import as_text, read_object
from callsheet.carriers.twilio.account import TwilioAccount
from callsheet.carriers.twilio.errors import BY_CODE, error_of
from callsheet.carriers.web import seconds_left
from callsheet.carriers.web_url import basic
from callsheet.core.asking import Answer, Request

_OK: Final = 200
_TAKEN: Final = range(200, 300)
_FAILED: Final = frozenset({"failed", "undelivered", "canceled"})


class TwilioWording:
    """The requests for one account, and what their answers say."""

    def __init__(self, account: TwilioAccount, doors: Doors) -> None:
        self._account = account
        self._doors = doors
        self._url = f"{account.base_url}/2010-04-01/Accounts/{account.account_sid}"
        self._headers = {"authorization": basic(*account.credentials()), "accept": "application/json"}

    def write(self, message: Outbound, now: datetime) -> Request:
        """Return the request that creates a message; the URL that it is told of names our attempt."""
        account = self._account
        fields = {"To": message.to, "Body": message.text}
        if account.messaging_service_sid:
            fields["MessagingServiceSid"] = account.messaging_service_sid
        else:
            fields["From"] = message.sender
        fields["ValidityPeriod"] = str(seconds_left(message, now, 1, account.validity_seconds))
        if account.smart_encoded:
            fields["SmartEncoded"] = "true"
        if message.wants_receipt and self._doors.base:
            fields["StatusCallback"] = self._doors.status(message.reference)
        headers = {**self._headers, "content-type": "application/x-www-form-urlencoded"}
        return Request("POST", f"{self._url}/Messages.json", headers, urlencode(fields).encode())

    def read(self, answer: Answer, message: Outbound) -> Accepted:
        """Return what Twilio says of a message. Raises SendError."""
        said = read_object(answer.body)
        if answer.status not in _TAKEN:
            raise error_of(answer.status, _code(said.get("code")))
        sid = as_text(said.get("sid"))
        if not sid:
            # A success that is not Twilio's: a proxy, a sign-in page of a network.
            raise NoAnswer("unreadable_answer")
        if said.get("status") in _FAILED:
            code = _code(said.get("error_code"))
            raise BY_CODE.get(code or 0, InvalidMessage)(str(code) if code is not None else None)
        # Without a public URL we set no StatusCallback; Twilio then reports to the Messaging Service's own URL, without
        # our reference, so we match by SID.
        known_by = () if self._doors.base else (sid,)
        return Accepted(sid, _count(said.get("num_segments")) or message.segments, known_by)

    def question(self) -> Request:
        """Return the request for the account itself."""
        return Request("GET", f"{self._url}.json", self._headers)

    def judge(self, answer: Answer) -> Probe:
        """Return whether the account is there, and active."""
        said = read_object(answer.body)
        if answer.status == _OK and said.get("sid") == self._account.account_sid:
            status = as_text(said.get("status"))
            return Probe(ok=status == "active", said=f"Twilio knows the account; it is {status or 'in no state'}.")
        if answer.status == _OK:
            return Probe(ok=False, said="What answered is not Twilio's API.")
        code = _code(said.get("code"))
        shown = f", error {code}" if code is not None else ""
        return Probe(ok=False, said=f"Twilio does not let the account in: it answered {answer.status}{shown}.")


def _code(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _count(value: Any) -> int:
    text = as_text(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 3 else 0
