"""What a REST provider calls us with, read as its account says."""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from callsheet.carriers.base import Heard, Inbound, Receipt
from callsheet.carriers.callback import BadSignature, Callback, Unreadable, What
from callsheet.carriers.document import read_json
from callsheet.carriers.http.account import HttpAccount
from callsheet.carriers.http.json_path import find, find_text
from callsheet.carriers.http.rules import (
    STATES,
    Covered,
    Digits,
    InboundCallback,
    Signature,
    StateMeaning,
    StatusCallback,
)
from callsheet.core.part import Part

MOST_ITEMS: Final = 1000
_LEAST_DIGITS: Final = 8


def read_callback(account: HttpAccount, callback: Callback) -> Sequence[Heard]:
    """Return what a callback tells; nothing when it tells nothing new. Raises BadSignature, Unreadable."""
    if account.signature is not None:
        _check(account.signature, callback)
    where = account.status if callback.what is What.status else account.inbound
    if where is None:
        raise Unreadable(f"The account does not say how a callback of this kind ({callback.what}) is read.")
    items = list(_items(_document(callback), where.items_path))
    if not items or len(items) > MOST_ITEMS:
        raise Unreadable("There is nothing where the account says that it stands, or too much.")
    if isinstance(where, StatusCallback):
        return [receipt for item in items for receipt in _receipts(where, item, callback)]
    return [_inbound(where, item, callback) for item in items]


def _document(callback: Callback) -> Any:
    """Return what the body says: JSON or a form, with the parameters of the URL where they say something else."""
    query = dict(callback.query())
    kind = callback.headers.get("content-type", "")
    if "json" in kind or callback.body.lstrip()[:1] in (b"{", b"["):
        said = read_json(callback.body)
        if said is None:
            raise Unreadable("The body is not valid JSON.")
        return {**query, **said} if isinstance(said, dict) else said
    return {**query, **dict(callback.form())}


def _items(document: Any, path: str) -> Iterator[Any]:
    found = find(document, path) if path else [document]
    for value in found:
        if isinstance(value, list):
            yield from value
        else:
            yield value


def _receipts(where: StatusCallback, item: Any, callback: Callback) -> Iterator[Receipt]:
    state = find_text(item, where.state_path).casefold()
    carrier_id = find_text(item, where.id_path)
    reference = find_text(item, where.reference_path) or callback.reference()
    if not state or not (carrier_id or reference):
        raise Unreadable("There is no state, or neither an id nor a reference.")
    meaning = {known.casefold(): means for known, means in where.states.items()}.get(state, StateMeaning.ignored)
    if meaning in STATES:
        code, number = find_text(item, where.code_path), _number(find_text(item, where.number_path))
        yield Receipt(reference, carrier_id, STATES[meaning], callback.at, code, number=number)


def _inbound(where: InboundCallback, item: Any, callback: Callback) -> Inbound:
    inbound_id, number = find_text(item, where.id_path), find_text(item, where.number_path).strip()
    number = _number(number) if where.is_international else number
    sender = _number(find_text(item, where.sender_path))
    if not inbound_id or not number or not sender:
        raise Unreadable("There is no id, no number or no sender.")
    return Inbound(inbound_id, number, sender, find_text(item, where.text_path), callback.at, _part(where, item))


def _part(where: InboundCallback, item: Any) -> Part | None:
    paths = where.part_reference_path, where.part_total_path, where.part_number_path
    reference, total, number = (_whole(find_text(item, path)) for path in paths)
    if reference is None or total is None or number is None:
        return None
    return Part.of(reference, total, number)


def _whole(text: str) -> int | None:
    if text.isascii() and text.isalnum() and len(text) <= _LEAST_DIGITS:
        try:
            return int(text, 10 if text.isdecimal() else 16)
        except ValueError:
            return None
    return None


def _number(text: str) -> str:
    """Write a number as E.164 where it stands there without its plus sign; a short code stays as it is."""
    bare = text.strip()
    is_whole = bare.isascii() and bare.isdecimal() and len(bare) >= _LEAST_DIGITS
    return f"+{bare}" if is_whole and not bare.startswith("0") else bare


def _check(signature: Signature, callback: Callback) -> None:
    headers: Mapping[str, str] = callback.headers
    nonce = headers.get(signature.nonce_header.lower(), "") if signature.nonce_header else ""
    covered = {
        Covered.url: callback.url.encode(),
        Covered.bare_url: callback.url.partition("?")[0].encode(),
        Covered.nonce: nonce.encode(),
        Covered.body: callback.body,
    }
    made = hmac.digest(
        signature.secret.get_secret_value().encode(),
        b"".join(covered[part] for part in signature.covers),
        signature.algorithm.value,
    )
    right = made.hex() if signature.encoding is Digits.hex else b64encode(made).decode()
    given = headers.get(signature.header.lower(), "").removeprefix(signature.prefix)
    if signature.encoding is Digits.hex:
        given = given.lower()
    if not hmac.compare_digest(right.encode(), given.encode()):
        raise BadSignature
