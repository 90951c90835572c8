"""What goes over the websocket of a node: our requests, its answers, and its events, as far as we read them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec

APP: Final = "callsheet"
"""The name of our application in a node: calls are placed into it, and its events are ours."""
NODE_PATH: Final = "/node"
"""Where a node's persistent websocket comes in; its subprotocol is `ari`."""
MEDIA_PATH: Final = "/media"
"""Where a node brings the audio of a call; the subprotocol is `media`."""
MEDIA_CLIENT: Final = "media"
"""The section of a node's `websocket_client.conf` that leads to MEDIA_PATH (`connection_type=per_call_config`)."""
UP: Final = "Up"
RINGING: Final = "Ringing"


def _instant(written: str) -> datetime:
    """Return an instant as a node writes it. Raises ValueError: also for one without a zone, which is none."""
    at = datetime.fromisoformat(written)
    if at.tzinfo is None:
        raise ValueError("an instant has a zone")
    return at


class Channel(msgspec.Struct, frozen=True):
    """A channel, when something happened to it."""

    id: str
    state: str = ""
    """`Down`, `Ringing`, `Up`, and others."""
    creationtime: str = ""

    @property
    def created_at(self) -> datetime:
        """When it was made, by the node's clock."""
        return _instant(self.creationtime)


class Bridge(msgspec.Struct, frozen=True):
    """What joins channels."""

    id: str


class Playback(msgspec.Struct, frozen=True):
    """Something that is played."""

    id: str
    state: str = ""
    """`done` (also when it was stopped), `failed`."""


class Tape(msgspec.Struct, frozen=True):
    """Something that is recorded."""

    name: str


class Event(msgspec.Struct, frozen=True):
    """Something that happened on a node."""

    timestamp: str

    def __post_init__(self) -> None:
        """Refuse an event of which nobody can say when it happened: it would be noticed halfway through."""
        _instant(self.timestamp)

    @property
    def at(self) -> datetime:
        """When it happened, by the node's clock: of an event that waited for us, too."""
        return _instant(self.timestamp)


class ChannelEvent(Event, frozen=True):
    """Something that happened to a channel."""

    channel: Channel


class StasisStart(ChannelEvent, frozen=True):
    """The channel was given to us: requests for it are obeyed from now on."""


class ChannelStateChange(ChannelEvent, frozen=True):
    """The channel is in another state."""


class ChannelDtmfReceived(ChannelEvent, frozen=True):
    """The other side pressed a key."""

    digit: str


class ChannelDestroyed(ChannelEvent, frozen=True):
    """The channel is over. It is the last event of a channel."""

    cause: int = 0
    tech_cause: int = 0
    """The final SIP status."""


class Dial(Event, frozen=True):
    """How dialing goes. `dialstatus` is good for ringing only: it says NOANSWER of a number that does not exist."""

    peer: Channel
    dialstatus: str = ""


class PlaybackFinished(Event, frozen=True):
    """What was played is through, was stopped, or could not be played."""

    playback: Playback


class RecordingFinished(Event, frozen=True):
    """A recording is whole in its file."""

    recording: Tape


class RecordingFailed(Event, frozen=True):
    """A recording broke."""

    recording: Tape


class ApplicationRegistered(Event, frozen=True):
    """The connection is ours: what waited for us was told before it."""


class RESTResponse(msgspec.Struct, frozen=True):
    """The answer to a request."""

    request_id: str
    status_code: int
    reason_phrase: str = ""
    message_body: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether it was done."""
        return self.status_code // 100 == 2


Message = Event | RESTResponse
Query = Mapping[str, str]


class Ask(NamedTuple):
    """A request to a node."""

    method: str
    uri: str
    query: Query = MappingProxyType({})
    body: Mapping[str, Any] | None = None


class _Head(msgspec.Struct):
    type: str


_READ: Final[tuple[type[Message], ...]] = (
    StasisStart, ChannelStateChange, ChannelDtmfReceived, ChannelDestroyed, Dial, PlaybackFinished, RecordingFinished,
    RecordingFailed, ApplicationRegistered, RESTResponse,
)  # fmt: skip
_head: Final = msgspec.json.Decoder(_Head)
_decoders: Final = {kind.__name__: msgspec.json.Decoder(kind) for kind in _READ}
_channels: Final = msgspec.json.Decoder(list[Channel])
_bridges: Final = msgspec.json.Decoder(list[Bridge])
_encode: Final = msgspec.json.Encoder().encode


def read(text: str) -> Message | None:
    """Return what a message says; None: something that we do not read. Raises msgspec.DecodeError."""
    decoder = _decoders.get(_head.decode(text).type)
    return decoder.decode(text) if decoder is not None else None


def read_channels(body: str) -> list[Channel]:
    """Return the channels of an answer to `GET channels`. Raises msgspec.DecodeError."""
    return _channels.decode(body)


def read_bridges(body: str) -> list[Bridge]:
    """Return the bridges of an answer to `GET bridges`. Raises msgspec.DecodeError."""
    return _bridges.decode(body)


def write(number: str, ask: Ask) -> str:
    """Return a request as a message; its answer bears the same number."""
    message: dict[str, Any] = {
        "type": "RESTRequest",
        "request_id": number,
        "transaction_id": number,
        "method": ask.method,
        "uri": ask.uri,
        "query_strings": [{"name": name, "value": value} for name, value in ask.query.items()],
    }
    if ask.body is not None:
        message["content_type"] = "application/json"
        message["message_body"] = _encode(ask.body).decode()
    return _encode(message).decode()
