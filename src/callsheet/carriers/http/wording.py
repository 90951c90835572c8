"""How a REST provider is spoken to, as its account says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from callsheet.carriers.base import (
    Accepted,
    InvalidMessage,
    NoAnswer,
    Outbound,
    Probe,
)
from callsheet.carriers.callback import Doors
from callsheet.carriers.document import as_text, read_json
from callsheet.carriers.http.account import Auth, Content, HttpAccount
from callsheet.carriers.http.json_path import find, find_text
from callsheet.carriers.http.pattern import LOOKED_AT, search
from callsheet.carriers.http.rules import ERRORS, ErrorRule
from callsheet.carriers.http.template import fill_tree
from callsheet.carriers.web import error_of_status, seconds_left
from callsheet.carriers.web_url import basic
from callsheet.core.asking import Answer, Request
from callsheet.core.fence import LONGEST_URL
from callsheet.core.filling import RAW, Value, Values, fill, in_header, in_url
from callsheet.core.segments import measure

_YES: Final = range(200, 300)


class HttpWording:
    """The requests for one account, and what their answers say."""

    def __init__(self, account: HttpAccount, doors: Doors) -> None:
        self._account = account
        self._doors = doors
        self._identity = _identity(account)

    def write(self, message: Outbound, now: datetime) -> Request:
        """Return the request that hands a message over. Raises InvalidMessage when no URL could hold it."""
        account = self._account
        values = self._values(message, now)
        url = fill(account.url, values, in_url)
        headers = {name: fill(value, values, in_header) for name, value in account.headers.items()}
        headers |= self._identity
        if account.idempotency_header:
            headers[account.idempotency_header] = message.reference
        body = None
        match account.content:
            case Content.query:
                query = urlencode(fill_tree(account.body, values), errors="replace")
                url += ("&" if "?" in url else "?") + query if query else ""
            case Content.form:
                headers["content-type"] = "application/x-www-form-urlencoded"
                body = urlencode(fill_tree(account.body, values), errors="replace").encode()
            case Content.json:
                headers["content-type"] = "application/json"
                body = json.dumps(fill_tree(account.body, values)).encode()
            case Content.raw:
                headers["content-type"] = f"{account.content_type}; charset=utf-8"
                body = fill(str(account.body), values, RAW[account.content_type]).encode("utf-8", "replace")
        if len(url) > LONGEST_URL:
            raise InvalidMessage("too_long_for_a_url")
        return Request(account.method, url, headers, body)

    def _values(self, message: Outbound, now: datetime) -> Values:
        account = self._account
        # Of a text in parts the provider tells each part: one of them must not be taken for the whole.
        named = message.wants_receipt and not (account.receipts_per_part and message.segments > 1)
        valid = seconds_left(message, now, account.least_valid_seconds, account.most_valid_seconds)
        values: dict[str, Value] = {
            "to": message.to,
            "to_digits": message.to.removeprefix("+"),
            "from": message.sender,
            "from_digits": message.sender.removeprefix("+"),
            "text": message.text,
            "encoding": account.encodings[measure(message.text).encoding],
            "segments": message.segments,
            "reference": message.reference,
            "receipt_reference": message.reference if named else "",
            "callback_url": self._doors.status(message.reference if named else "") if message.wants_receipt else "",
            "inbound_url": self._doors.inbound(),
            "valid_seconds": valid,
            "valid_milliseconds": valid * 1000,
            "campaign_id": message.campaign_id,
            "dlt_entity_id": message.tags.get("dlt_entity_id", ""),
            "dlt_template_id": message.tags.get("dlt_template_id", ""),
        }
        return values | account.credentials()

    def read(self, answer: Answer, message: Outbound) -> Accepted:
        """Return what the provider says of a message. Raises SendError."""
        account = self._account
        said = read_json(answer.body)
        text = answer.body[: 4 * LOOKED_AT].decode("utf-8", "replace")
        yes = _ayes(account, said)
        if any(yes) and not all(yes):
            # Some parts of the text were taken and some were not: it must not go out again.
            raise NoAnswer("partly_taken", self._ids_of_some(said))
        code = find_text(said, account.code_path)
        for rule in account.errors:
            if _fits(rule, answer.status, code, text):
                raise ERRORS[rule.means](code or f"http_{answer.status}")
        if answer.status not in (account.success_statuses or _YES):
            raise error_of_status(answer.status, code or f"http_{answer.status}")
        if account.success_path and not any(yes):
            # An error that no rule knows; or neither yes nor an error, as from a proxy or a sign-in page.
            raise InvalidMessage(code) if yes and code else NoAnswer("unreadable_answer")
        if account.success_pattern and search(account.success_pattern, text) is None:
            raise NoAnswer("unreadable_answer")
        return self._accepted(said, text, message)

    def _accepted(self, said: Any, text: str, message: Outbound) -> Accepted:
        account = self._account
        ids = tuple(found for value in find(said, account.id_path) if (found := as_text(value)))
        if not ids and account.id_pattern:
            ids = tuple(filter(None, [search(account.id_pattern, text)]))
        if not ids and (account.id_path or account.id_pattern):
            raise NoAnswer("no_id")
        return Accepted(ids[0] if ids else "", message.segments, ids)

    def _ids_of_some(self, said: Any) -> tuple[str, ...]:
        """Return the ids of the parts that were taken, and an empty one for each other: no receipt may name that."""
        ids = [as_text(one) for one in find(said, self._account.id_path)]
        return (*ids, *[""] * (len(_ayes(self._account, said)) - len(ids)))

    def question(self) -> Request | None:
        """Return the request of a test call, if the account names one."""
        url = fill(self._account.probe_url, self._account.credentials(), in_url)
        return Request("GET", url, self._identity) if url else None

    def judge(self, answer: Answer) -> Probe:
        """Return whether it was answered with a success."""
        if answer.status in _YES:
            return Probe(ok=True, said=f"The provider answered {answer.status}.")
        return Probe(ok=False, said=f"The provider answered {answer.status}, which is no success.")


def _identity(account: HttpAccount) -> Mapping[str, str]:
    """Return the headers that say who we are."""
    secret = account.secret.get_secret_value()
    match account.auth:
        case Auth.basic:
            return {"authorization": basic(account.key, secret)}
        case Auth.bearer:
            return {"authorization": f"Bearer {secret}"}
        case Auth.header:
            return {account.auth_header: secret}
        case Auth.none:
            return {}


def _ayes(account: HttpAccount, said: Any) -> list[bool]:
    """Return of each place that says so whether it says that it was taken."""
    return [as_text(value) in account.success_values for value in find(said, account.success_path)]


def _fits(rule: ErrorRule, status: int, code: str, text: str) -> bool:
    return (
        (not rule.codes or code in rule.codes)
        and (not rule.statuses or status in rule.statuses)
        and (not rule.pattern or search(rule.pattern, text) is not None)
    )
