"""What a campaign says: its own text, its template's, what its flow says first, or the flow that leads its calls."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from callsheet.core.campaign import Channel, Definition, Mode
from callsheet.core.errors import FlowIsEmpty, WrongState
from callsheet.core.flow.amiss import BadExpression
from callsheet.core.flow.document import Container
from callsheet.core.flow.opening import Opening
from callsheet.core.message import to_send
from callsheet.core.run import NO_FLOW, PinnedFlow
from callsheet.engine.flow_shelf import read_body
from callsheet.store.apps import App
from callsheet.store.store import Store

NEEDS_AGENTS: Final = (
    "Calls of this dialing mode go to agents, and nobody can sign in as one yet: only Agentless campaigns start."
)


class VersionedText(NamedTuple):
    """A text, and the version of the template or flow that it is from."""

    text: str
    version: int = 0
    """0: the campaign's own text."""
    flow: PinnedFlow = NO_FLOW


async def versioned_text(store: Store, app: App, definition: Definition) -> VersionedText:
    """Return the text that a campaign sends, with its placeholders; of one that calls its flow, without a text.

    Raises FlowIsEmpty, WrongState.
    """
    plan = definition.message
    if definition.channel is Channel.voice:
        return await _of_calls(store, app, definition)
    if plan.flow is not None:
        # The flow of now, not of when the campaign was written: its document may have come later.
        flow = await store.flows.find(app.no, thing_id=plan.flow.id)
        text = await _as_written(flow.body, await store.hot.now()) if flow is not None and flow.body else None
        if flow is None or not text:
            raise FlowIsEmpty
        return VersionedText(text, flow.version, PinnedFlow(flow.named.no, flow.version))
    if plan.template is not None:
        template = await store.templates.find(app.no, thing_id=plan.template.id)
        if template is None:
            raise WrongState(f"The template {plan.template.name} does not exist any more.")
        return VersionedText(to_send(template.body), template.version)
    return VersionedText(to_send(plan.received or ""))


async def _of_calls(store: Store, app: App, definition: Definition) -> VersionedText:
    """Return the flow that leads the calls of a campaign, as it is now."""
    plan = definition.message
    if definition.voice is None or definition.voice.mode is not Mode.agentless:
        raise WrongState(NEEDS_AGENTS)
    if plan.flow is None:
        raise FlowIsEmpty("An Agentless campaign needs an experience flow that leads its calls, and this one has none.")
    flow = await store.flows.find(app.no, thing_id=plan.flow.id)
    if flow is None or not flow.body:
        raise FlowIsEmpty("The experience flow of this campaign has no document, so there is nothing to say.")
    container = await _read(flow.body)
    if container.flows[container.first].is_for_texts_only:
        raise WrongState("The flow is made for texts only: its supported_modes do not name IVR.")
    return VersionedText("", flow.version, PinnedFlow(flow.named.no, flow.version))


async def _read(body: str) -> Container:
    """Read a flow. Raises WrongState where an earlier release took what this one cannot read."""
    try:
        return await read_body(body)
    except BadExpression as error:
        raise WrongState(f"The flow cannot be read: {error}") from error


async def _as_written(body: str, now: datetime) -> str | None:
    """Return what a flow says first.

    Raises WrongState where an earlier release took what this one cannot read, and where it is for calls only.
    """
    container = await _read(body)
    if container.flows[container.first].is_for_calls_only:
        raise WrongState("The flow is made for calls only: its supported_modes name neither SMS nor TEXT.")
    return Opening(container, lambda: now).as_written()
