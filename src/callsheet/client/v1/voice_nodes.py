"""Voice nodes: the Asterisks that carry the calls of a server."""

from __future__ import annotations

from callsheet.client.call import Call
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page, Record

_NODES = "/v1/voice-nodes"
_NODE = "/v1/voice-nodes/{name}"


class VoiceNode(Record, frozen=True):
    """A voice node."""

    name: str
    state: str
    """`running`, or why not in one word."""
    why: str
    version: str
    is_remote: bool
    is_connected: bool
    is_draining: bool
    """It gets no more calls; those that it has go on."""
    calls: int
    most_calls: int
    trunks: tuple[str, ...] | None
    """It calls through these only; None: through all."""


class VoiceNodes(Resource[Mode]):
    """The voice nodes of the server that answers."""

    @Paged
    def list(self) -> Call[Page[VoiceNode]]:
        """Give them by name."""
        return Call("GET", _NODES, Page[VoiceNode])

    @Single
    def get(self, name: str) -> Call[VoiceNode]:
        """Return a voice node."""
        return Call("GET", _NODE, VoiceNode, {"name": name})

    @Single
    def drain(self, name: str) -> Call[VoiceNode]:
        """Give a voice node no more calls; it is empty when `calls` is 0."""
        return Call("POST", f"{_NODE}/drain", VoiceNode, {"name": name})

    @Single
    def restart(self, name: str, drain_seconds: int = 600) -> Call[VoiceNode]:
        """Start the voice node beside the server anew, when it is empty or when so many seconds are over."""
        return Call("POST", f"{_NODE}/restart", VoiceNode, {"name": name}, body={"drain_seconds": drain_seconds})

    @Single
    def resume(self, name: str) -> Call[VoiceNode]:
        """Give a voice node calls again."""
        return Call("POST", f"{_NODE}/resume", VoiceNode, {"name": name})
