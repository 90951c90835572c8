"""Voice nodes: the Asterisks that carry the calls of this process, how each stands, and how one is emptied."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field

from callsheet.api.v1.asked import Calling, Served
from callsheet.api.v1.contract import problems
from callsheet.api.v1.strict import Router
from callsheet.core.errors import NotFound, RunsElsewhere
from callsheet.engine.runtime import Runtime
from callsheet.voice.nodes import VoiceNode

router = Router(prefix="/v1/voice-nodes", tags=["voice nodes"])

_Name = Annotated[str, Path(max_length=64, description="The node's name; the one beside the server is `local`.")]


class ShownVoiceNode(BaseModel):
    """A voice node."""

    name: str
    """The one beside the server is `local`; others have the name that they were started with."""
    state: str
    """`stopped` (there is no SIP trunk), `fetching`, `starting`, `running`, `broken`, `stopping`; `away`: not heard."""
    why: str
    """What is to be said of that; empty: nothing."""
    version: str
    """Debian's version of its Asterisk; empty: not known yet."""
    is_remote: bool
    """It was started by `callsheet voice-node`."""
    is_connected: bool
    """Its Asterisk is connected: it takes calls, unless it drains."""
    is_draining: bool
    """It gets no more calls; those that it has go on."""
    calls: int
    """So many calls go on."""
    most_calls: int
    """So many may."""
    trunks: list[str] | None
    """It calls through these trunks only; null: through all."""


class Restart(BaseModel):
    """How a voice node is to be started anew."""

    drain_seconds: int = Field(600, ge=0, le=7200)
    """So long its calls may take to end by themselves."""


class VoiceNodes(BaseModel):
    """The voice nodes of the process that answers."""

    items: list[ShownVoiceNode]
    next: None = None


@router.get("")
async def list_voice_nodes(runtime: Served, _: Calling) -> VoiceNodes:
    """Return the voice nodes of the process that answers, by name; each process of a cluster has its own."""
    return VoiceNodes(items=[_show(node) for node in runtime.voice_nodes.nodes()])


@router.get("/{name}", responses=problems(NotFound))
async def get_voice_node(runtime: Served, _: Calling, name: _Name) -> ShownVoiceNode:
    """Return a voice node."""
    return _find(runtime, name)


@router.post("/{name}/drain", responses=problems(NotFound))
async def drain_voice_node(runtime: Served, _: Calling, name: _Name) -> ShownVoiceNode:
    """Give a voice node no more calls. Those that it has go on: it is empty when `calls` is 0."""
    if not runtime.voice_nodes.drain(name):
        raise NotFound
    return _find(runtime, name)


@router.post("/{name}/resume", responses=problems(NotFound))
async def resume_voice_node(runtime: Served, _: Calling, name: _Name) -> ShownVoiceNode:
    """Give a voice node calls again."""
    if not runtime.voice_nodes.resume(name):
        raise NotFound
    return _find(runtime, name)


@router.post("/{name}/restart", responses=problems(NotFound, RunsElsewhere))
async def restart_voice_node(runtime: Served, _: Calling, name: _Name, asked: Restart) -> ShownVoiceNode:
    """Give a voice node no more calls, and start it anew when it has none, or when the time is over.

    Calls that it has then are hung up. It takes calls again when it runs, unless it was to drain before. `resume`
    before that lets it run on.
    """
    if _find(runtime, name).is_remote:
        raise RunsElsewhere
    runtime.voice_nodes.restart(name, asked.drain_seconds)
    return _find(runtime, name)


def _find(runtime: Runtime, name: str) -> ShownVoiceNode:
    for node in runtime.voice_nodes.nodes():
        if node.name == name:
            return _show(node)
    raise NotFound


def _show(node: VoiceNode) -> ShownVoiceNode:
    shown = node._asdict() | {"trunks": None if node.trunks is None else list(node.trunks)}
    return ShownVoiceNode(**shown)
