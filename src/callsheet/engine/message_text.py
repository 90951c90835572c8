"""The text that a campaign sends, with its placeholders: its own, its template's, or what its flow says first."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from callsheet.core.campaign import Definition
from callsheet.core.errors import FlowIsEmpty, WrongState
from callsheet.core.flow.amiss import BadExpression
from callsheet.core.flow.opening import Opening
from callsheet.core.message import to_send
from callsheet.core.run import NO_FLOW, PinnedFlow
from callsheet.engine.flow_shelf import read_body
from callsheet.store.apps import App
from callsheet.store.store import Store


class VersionedText(NamedTuple):
    """A text, and the version of the template or flow that it is from."""

    text: str
    version: int = 0
    """0: the campaign's own text."""
    flow: PinnedFlow = NO_FLOW


async def versioned_text(store: Store, app: App, definition: Definition) -> VersionedText:
    """Return the text that a campaign sends, with its placeholders. Raises FlowIsEmpty, WrongState."""
    plan = definition.message
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


async def _as_written(body: str, now: datetime) -> str | None:
    """Return what a flow says first.

    Raises WrongState where an earlier release took what this one cannot read, and where it is for calls only.
    """
    try:
        container = await read_body(body)
    except BadExpression as error:
        raise WrongState(f"The flow cannot be read: {error}") from error
    if container.flows[container.first].is_for_calls_only:
        raise WrongState("The flow is made for calls only: its supported_modes name neither SMS nor TEXT.")
    return Opening(container, lambda: now).as_written()
