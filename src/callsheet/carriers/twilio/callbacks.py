"""What Twilio calls us with: states of messages, and replies.

https://www.twilio.com/docs/usage/webhooks/messaging-webhooks
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import SplitResult, urlsplit

from callsheet.carriers.base import Heard, Inbound, Receipt, Stopped
from callsheet.carriers.callback import BadSignature, Callback, Unreadable, What
from callsheet.carriers.document import as_text, read_object
from callsheet.carriers.twilio.account import TwilioAccount
from callsheet.carriers.twilio.errors import BY_CODE
from callsheet.core.attempt import Kind
from callsheet.core.opting_out import Word

_SIGNATURE: Final = "x-twilio-signature"
_FORM: Final = "application/x-www-form-urlencoded"
_BODY_HASH: Final = "bodySHA256"
_PORTS: Final = {"https": 443, "http": 80}

KINDS: Final[Mapping[str, Kind]] = {
    # None of these is the end, but each says that Twilio has the message.
    **dict.fromkeys(("accepted", "scheduled", "queued", "sending", "sent"), Kind.accepted),
    **dict.fromkeys(("delivered", "read"), Kind.delivered),
    **dict.fromkeys(("undelivered", "failed", "canceled"), Kind.undelivered),
}
"""What each MessageStatus means for an attempt."""

_WORDS: Final[Mapping[str, Word]] = {"STOP": Word.stop, "START": Word.start, "HELP": Word.help}
"""What each OptOutType says of a reply."""

_STOPPED: Final = frozenset(str(code) for code, error in BY_CODE.items() if error is Stopped)


def read_callback(account: TwilioAccount, callback: Callback) -> Sequence[Heard]:
    """Return what a callback tells; nothing when it tells nothing new. Raises BadSignature, Unreadable."""
    is_form = callback.headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM
    form = callback.form() if is_form and callback.body else []
    _check(account.auth_token.get_secret_value(), callback, form, is_form=is_form)
    # The body wins: the URL is what we gave, or what somebody wrote in a console.
    said = dict([*callback.query(), *form])
    if callback.body and not is_form:
        said |= {name: as_text(value) for name, value in read_object(callback.body).items()}
    return _inbound(said, callback) if callback.what is What.inbound else _status(said, callback)


def _status(said: Mapping[str, str], callback: Callback) -> Sequence[Heard]:
    sid = said.get("MessageSid") or said.get("SmsSid", "")
    status = said.get("MessageStatus") or said.get("SmsStatus", "")
    if not sid or not status:
        raise Unreadable("There is no MessageSid, or no MessageStatus.")
    kind = KINDS.get(status)
    if kind is None:
        return []
    code, to = said.get("ErrorCode", ""), said.get("To", "")
    return [Receipt(callback.reference(), sid, kind, callback.at, code, number=to, stopped=code in _STOPPED)]


def _inbound(said: Mapping[str, str], callback: Callback) -> Sequence[Heard]:
    sid = said.get("MessageSid") or said.get("SmsSid", "")
    number, sender = said.get("From", ""), said.get("To", "")
    if not sid or not number or not sender:
        raise Unreadable("There is no MessageSid, no From or no To.")
    # Advanced Opt-Out knows the words that the account chose, in its languages, and answers them.
    word = _WORDS.get(said.get("OptOutType", "").upper())
    return [Inbound(sid, number, sender, said.get("Body", ""), callback.at, word=word)]


def _check(token: str, callback: Callback, form: Sequence[tuple[str, str]], *, is_form: bool) -> None:
    given = callback.headers.get(_SIGNATURE, "").encode()
    if callback.body and not is_form:
        # Of any other body Twilio signs the hash, as a parameter of the URL.
        told = dict(callback.query()).get(_BODY_HASH, "")
        if not hmac.compare_digest(hashlib.sha256(callback.body).hexdigest().encode(), told.encode()):
            raise BadSignature
    found = False
    for url in _spellings(callback.url):
        # Each is compared, whatever the one before said: how long it takes tells nothing.
        found |= hmac.compare_digest(sign(token, url, form).encode(), given)
    if not found:
        raise BadSignature


def sign(token: str, url: str, form: Iterable[tuple[str, str]]) -> str:
    """Return Twilio's signature of a URL and the fields of a form."""
    # Of a field that comes twice each value counts once, in their order.
    text = url + "".join(name + value for name, value in sorted(set(form)))
    return b64encode(hmac.digest(token.encode(), text.encode("utf-8", "surrogatepass"), "sha1")).decode()


def _spellings(url: str) -> Iterator[str]:
    """Yield a URL as it is, and with and without its port: Twilio has signed both ways."""
    yield url
    parts = urlsplit(url)
    host, _, _ = parts.netloc.rpartition(":") if parts.port else (parts.netloc, "", "")
    yield _with_host(parts, host)
    yield _with_host(parts, f"{host}:{parts.port or _PORTS.get(parts.scheme, 80)}")


def _with_host(parts: SplitResult, host: str) -> str:
    return parts._replace(netloc=host).geturl()
