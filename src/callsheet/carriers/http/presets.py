"""Providers that we know: what a user fills in, and the account with a REST provider that this stands for.

Vonage's SMS API: https://developer.vonage.com/en/api/sms. Plivo's Message API:
https://www.plivo.com/docs/messaging/api/message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Protocol

from pydantic import Field, SecretStr

from callsheet.account import Account, Place, Written, place_of, read_account
from callsheet.carriers.http.account import HttpAccount
from callsheet.carriers.web_url import WebUrl

_Key = Annotated[str, Written(r"^[A-Za-z0-9_-]{1,100}$", "Give 1 to 100 letters, digits, _ or -.")]
_Window = Annotated[int, Field(ge=1, le=1000, strict=True)]


class Preset(Protocol):
    """What a user fills in for a provider that we know."""

    def expand(self) -> HttpAccount:
        """Return the account that it stands for."""


VONAGE: Final[dict[str, Any]] = {
    "method": "POST",
    "content": "json",
    # No `callback` in it: it takes 100 characters at most, and ours are longer. Receipts come to the URL that the
    # dashboard has, with our reference in them.
    "body": {
        "api_key": "{{key}}",
        "api_secret": "{{secret}}",
        "to": "{{to_digits}}",
        "from": "{{from_digits}}",
        "text": "{{text}}",
        "type": "{{encoding}}",
        "ttl": "{{valid_milliseconds}}",
        "status-report-req": True,
        "client-ref": "{{receipt_reference}}",
        "entity-id": "{{dlt_entity_id}}",
        "content-id": "{{dlt_template_id}}",
    },
    "encodings": {"GSM-7": "text", "UCS-2": "unicode"},
    "least_valid_seconds": 20,
    "most_valid_seconds": 259_200,
    "success_path": "messages[*].status",
    "success_values": ["0"],
    "id_path": "messages[*].message-id",
    "code_path": "messages[0].status",
    "errors": [
        {"codes": ["1"], "means": "throttle"},
        {"codes": ["4", "8", "9", "10", "11", "14", "32"], "means": "account"},
        # A fault of theirs, which they do not place before or after the message was taken.
        {"codes": ["5"], "means": "uncertain"},
        {"codes": ["7", "22", "29", "33"], "means": "number"},
        {"codes": ["2", "3", "6", "12", "15", "23"], "means": "permanent"},
    ],
    "receipts_per_part": True,
    "status": {
        "id_path": "messageId",
        "reference_path": "client-ref",
        "state_path": "status",
        "code_path": "err-code",
        "number_path": "msisdn",
        "states": {
            "accepted": "accepted",
            "buffered": "accepted",
            "delivered": "delivered",
            "expired": "undelivered",
            "failed": "undelivered",
            "rejected": "undelivered",
            "unknown": "ignored",
        },
    },
    "inbound": {
        "id_path": "messageId",
        "number_path": "msisdn",
        "is_international": True,
        "sender_path": "to",
        "text_path": "text",
        "part_reference_path": "concat-ref",
        "part_total_path": "concat-total",
        "part_number_path": "concat-part",
    },
}
"""Vonage, without what a user fills in."""

PLIVO: Final[dict[str, Any]] = {
    "method": "POST",
    "content": "json",
    "body": {
        "src": "{{from}}",
        "dst": "{{to}}",
        "text": "{{text}}",
        "url": "{{callback_url}}",
        "method": "POST",
        "dlt_entity_id": "{{dlt_entity_id}}",
        "dlt_template_id": "{{dlt_template_id}}",
    },
    "auth": "basic",
    "id_path": "message_uuid[0]",
    "status": {
        "id_path": "MessageUUID",
        "state_path": "Status",
        "code_path": "ErrorCode",
        "number_path": "To",
        "states": {
            "queued": "accepted",
            "sent": "accepted",
            "delivered": "delivered",
            "undelivered": "undelivered",
            "failed": "undelivered",
            "rejected": "undelivered",
        },
    },
    "inbound": {
        "id_path": "MessageUUID",
        "number_path": "From",
        "is_international": True,
        "sender_path": "To",
        "text_path": "Text",
    },
}
"""Plivo, without what a user fills in."""


class VonageAccount(Account):
    """What Vonage's dashboard shows under API settings."""

    api_key: _Key
    """The API key."""
    api_secret: SecretStr = Field(min_length=1, max_length=100)
    """The API secret."""
    base_url: WebUrl = "https://rest.nexmo.com"
    """Where the API is."""
    window: _Window = 30
    """How many messages may wait for an answer at once."""

    def places(self) -> Mapping[str, Place]:
        """Return where it is asked."""
        return {"base_url": place_of(self.base_url)}

    def expand(self) -> HttpAccount:
        """Return the account that it stands for."""
        secret = self.api_secret.get_secret_value()
        given = {"url": f"{self.base_url}/sms/json", "key": self.api_key, "secret": secret, "window": self.window}
        return read_account(HttpAccount, {**VONAGE, **given})


class PlivoAccount(Account):
    """What Plivo's console shows on its first page."""

    auth_id: _Key
    """The Auth ID."""
    auth_token: SecretStr = Field(min_length=1, max_length=100)
    """The Auth Token. Plivo signs its callbacks with it."""
    base_url: WebUrl = "https://api.plivo.com"
    """Where the API is."""
    window: _Window = 50
    """How many messages may wait for an answer at once."""

    def places(self) -> Mapping[str, Place]:
        """Return where it is asked."""
        return {"base_url": place_of(self.base_url)}

    def expand(self) -> HttpAccount:
        """Return the account that it stands for."""
        account, token = f"{self.base_url}/v1/Account/{self.auth_id}/", self.auth_token.get_secret_value()
        signature = {
            "header": "X-Plivo-Signature-V2",
            "nonce_header": "X-Plivo-Signature-V2-Nonce",
            "algorithm": "sha256",
            "encoding": "base64",
            "covers": ["bare_url", "nonce"],
            "secret": token,
        }
        given = {"url": f"{account}Message/", "probe_url": account, "key": self.auth_id, "secret": token}
        return read_account(HttpAccount, {**PLIVO, **given, "signature": signature, "window": self.window})
