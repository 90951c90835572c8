"""Twilio as others play it (npm `emulate`): its REST API with real error codes and signed callbacks."""

import base64
import json
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from strangers.script import running

ACCOUNT = "AC" + "0" * 32
AUTH_TOKEN = "the token of a test account"
NUMBER = "+15551234567"


class Emulator:
    """A running Twilio: `url` stands for `https://api.twilio.com`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.account_sid = ACCOUNT
        self.auth_token = AUTH_TOKEN
        self.number = NUMBER

    def messages(self) -> list[dict[str, Any]]:
        """Return what it was asked to send, and what handsets sent, as its API lists it."""
        return list(self._ask(f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json?PageSize=1000")["messages"])

    def send(self, **fields: str) -> dict[str, Any]:
        """Make a message as a customer does: To, From, Body, StatusCallback."""
        return dict(self._ask(f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", fields))

    def advance(self, sid: str, status: str) -> None:
        """Give a message its next status (sent, delivered, undelivered, failed), with the signed callback."""
        self._ask("/_twilio/simulate/message-status", {"MessageSid": sid, "Status": status})

    def reply(self, sender: str, text: str) -> None:
        """Send what a handset wrote, to the number's `sms_url`."""
        self._ask("/_twilio/simulate/inbound-message", {"To": NUMBER, "From": sender, "Body": text})

    def _ask(self, path: str, fields: dict[str, str] | None = None) -> Any:
        request = urllib.request.Request(self.url + path, urllib.parse.urlencode(fields).encode() if fields else None)
        pair = base64.b64encode(f"{ACCOUNT}:{AUTH_TOKEN}".encode()).decode()
        request.add_header("authorization", f"Basic {pair}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


@contextmanager
def running_emulator(*, inbound_url: str = "", services: Sequence[dict[str, Any]] = ()) -> Iterator[Emulator]:
    """Run Twilio on a free port until the block ends; `inbound_url` gets what handsets write to `NUMBER`."""
    number = {"phone_number": NUMBER, "friendly_name": "ours", **({"sms_url": inbound_url} if inbound_url else {})}
    seed = {
        "account": {"sid": ACCOUNT, "auth_token": AUTH_TOKEN, "friendly_name": "Test"},
        "phone_numbers": [number],
        "messaging_services": list(services),
    }
    with running("emulator.js", seed) as (_, said):
        yield Emulator(said["url"])
