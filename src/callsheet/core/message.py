"""The text of a message as a client sent it, and as a person should read it.

The received string is stored and echoed unchanged; what these functions return is only for sending. The way
from one to the other has a fixed order: `decode` (Base64), `to_text` (HTML), and then the personalisation of
`template.py`. So `<b>` is HTML and never a column called `b` (write `{{b}}` for that), while `<First Name>`
goes through untouched.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
from urllib.parse import unquote_to_bytes

# Few on purpose: what rich-text boxes emit. A longer list would swallow placeholders such as `<Table>` or `<Code>`.
MARKUP_INLINE = frozenset({"a", "b", "em", "font", "i", "s", "span", "strike", "strong", "u"})
MARKUP_BLOCK = frozenset(
    {"blockquote", "body", "div", "h1", "h2", "h3", "h4", "h5", "h6", "html", "li", "ol", "p", "ul"}
)

# Short plain words such as `Test` are valid Base64 too. Below this length only padding or an escape is a proof.
_SURE_LENGTH = 16

_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
# `%3D%3D` may reach us cut (`%`, `%3`), or masked as the published sample is (`...cg%xxxxx`).
_DAMAGED_PADDING = re.compile(r"%[0-9A-Fa-f]?$|%[xX]+$")

# A tag is markup only if its name is known and its attributes look like attributes: `<Strong Customer>` is none.
_NAMES = "|".join(sorted(MARKUP_INLINE | MARKUP_BLOCK | {"br"}))
_ATTRIBUTES = r"""(?P<attributes>(?:\s+[A-Za-z:_-]+\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+))*)"""
_TAG = re.compile(rf"<(?P<end>/?)(?P<name>{_NAMES}){_ATTRIBUTES}\s*/?>", re.IGNORECASE)
_HREF = re.compile(r"""\shref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+))""", re.IGNORECASE)
_UNSEEN = (("<!--", "-->"), ("<script", "</script>"), ("<style", "</style>"))
# Only entities that end in `;`: in a link, `?a=1&copy=2` is a parameter and no copyright sign.
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")

# Private marks between the passes; a character of a message that looks like one is removed first.
_BLOCK = "\ue000"
_BREAK = "\ue001"


def to_send(received: str) -> str:
    """Return the text to personalise and send: the received string decoded, and out of its HTML."""
    return to_text(decode(received))


def decode(received: str) -> str:
    """Return the text that a client meant: plain, Base64, or Base64 with percent-encoding.

    The pages of the campaign API show all three in `message.message`. Base64 counts only if it is strict: the
    right alphabet (line breaks allowed), canonical padding or none, and UTF-8 without control characters
    inside. Below 16 characters it must also be padded or percent-encoded, so `Test` stays `Test`. A percent
    sign at the end that is no escape is damaged padding and is dropped. All else is plain text and comes back
    as it is.
    """
    candidate = received.strip()
    escaped = _ESCAPE.search(candidate) is not None
    whole = _DAMAGED_PADDING.sub("", candidate)
    damaged = whole != candidate
    if escaped:
        whole = unquote_to_bytes(whole).decode("ascii", "replace")
    encoded = whole.replace("\r", "").replace("\n", "")
    sure = not damaged and (escaped or encoded.endswith("="))
    if len(encoded) < _SURE_LENGTH and not sure:
        return received
    if damaged:
        encoded = encoded.rstrip("=")
    text = _strict_base64(encoded)
    return received if text is None else text


def to_text(body: str) -> str:
    """Return the text of a simple HTML body; a body without a known tag comes back as it is.

    Line breaks and blocks become newlines, list items get a dash, entities become characters, a link keeps
    its address behind its words. No-break spaces become plain ones, because one of them would halve what fits
    in a segment. Placeholders (`<First Name>`, also written `&lt;First Name&gt;`) survive.
    """
    tags = {tag["name"].lower() for tag in _TAG.finditer(body)}
    if not tags:
        return body
    marked = _without_unseen(body.replace(_BLOCK, "").replace(_BREAK, ""))
    if not MARKUP_INLINE.issuperset(tags):
        # The newlines of a source with blocks are layout; a text with only `<b>` in it has newlines that mean
        # something.
        marked = re.sub(r"[ \t\r\n\f]+", " ", marked)
    marked = _ENTITY.sub(lambda match: html.unescape(match[0]).replace("\xa0", " "), _without_tags(marked))
    return _laid_out(marked)


def _strict_base64(encoded: str) -> str | None:
    """Return the text inside, or None where this is no Base64 of a text."""
    if not _BASE64.fullmatch(encoded):
        return None
    bare = encoded.rstrip("=")
    padded = bare + "=" * (-len(bare) % 4)
    if encoded not in (bare, padded):
        return None
    try:
        octets = base64.b64decode(padded, validate=True)
        text = octets.decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
    # A canonical encoder leaves no stray bits in the last character; most words that only look encoded do.
    if not text or base64.b64encode(octets).decode("ascii") != padded:
        return None
    return None if any(_is_control(char) for char in text) else text


def _is_control(char: str) -> bool:
    return unicodedata.category(char) == "Cc" and char not in "\t\n\r"


def _without_unseen(body: str) -> str:
    """Drop comments, scripts and styles; searched, because a pattern would take quadratic time."""
    for opening, closing in _UNSEEN:
        lowered = body.lower()
        if len(lowered) != len(body):  # a few letters grow when lowered, and the offsets with them
            lowered = body
        pieces: list[str] = []
        at = 0
        while (start := lowered.find(opening, at)) >= 0 and (end := lowered.find(closing, start)) >= 0:
            pieces.append(body[at:start])
            at = end + len(closing)
        body = "".join(pieces) + body[at:]
    return body


def _without_tags(marked: str) -> str:
    """Replace tags by marks: blocks, breaks, list dashes, and the address of a link behind its words."""
    pieces: list[str] = []
    link: tuple[str, int] | None = None
    at = 0
    for tag in _TAG.finditer(marked):
        pieces.append(marked[at : tag.start()])
        at = tag.end()
        name = tag["name"].lower()
        if name == "br":
            pieces.append(_BREAK)
        elif name in MARKUP_BLOCK:
            pieces.append(_BLOCK + ("- " if name == "li" and not tag["end"] else ""))
        elif name == "a" and not tag["end"]:
            link = _address(tag["attributes"]), len(pieces)
        elif name == "a" and link is not None:
            address, first = link
            pieces.append(_behind("".join(pieces[first:]), address))
            link = None
    pieces.append(marked[at:])
    return "".join(pieces)


def _address(attributes: str) -> str:
    """Find the address of a link, entities and all."""
    found = _HREF.search(attributes)
    return "" if found is None else (found[1] or found[2] or found[3] or "").strip()


def _behind(words: str, address: str) -> str:
    """Say what to add behind the words of a link: nothing where they are its address already."""
    shown = re.sub(r"^(https?://|mailto:|tel:)", "", address).rstrip("/")
    if not shown or shown in words:
        return ""
    return f" {address}" if words.strip() else address


def _laid_out(marked: str) -> str:
    """Turn marks into newlines: an empty block is nothing, one with only a break is an empty line."""
    lines: list[str] = []
    for block in marked.split(_BLOCK):
        if not block.strip(" \n"):
            continue
        # The last break of a block ends its last line and opens no new one (as browsers show it).
        content = block.rstrip(" ").removesuffix(_BREAK)
        lines.extend(line.strip(" ") for line in re.split(f"\n|{_BREAK}", content))
    return re.sub(r" {2,}", " ", "\n".join(lines)).strip()
