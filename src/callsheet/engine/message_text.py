"""The text that a campaign sends, with its placeholders: its own, its template's, or the first one of its flow."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from callsheet.core.campaign import Definition
from callsheet.core.errors import FlowIsEmpty, WrongState
from callsheet.core.flow.opening import first_message
from callsheet.core.message import to_send
from callsheet.core.run import NO_FLOW, PinnedFlow
from callsheet.store.apps import App
from callsheet.store.store import Store


class VersionedText(NamedTuple):
    """A text, and the version of the template or flow that it is from."""

    text: str
    version: int = 0
    """0: the campaign's own text."""
    flow: PinnedFlow = NO_FLOW


async def text_of(store: Store, app: App, definition: Definition) -> str:
    """Return the text that a campaign sends, with its placeholders. Raises FlowIsEmpty, WrongState."""
    return (await versioned_text(store, app, definition)).text


async def versioned_text(store: Store, app: App, definition: Definition) -> VersionedText:
    """Return the same with the version that it is of. Raises FlowIsEmpty, WrongState."""
    plan = definition.message
    if plan.flow is not None:
        # The flow of now, not of when the campaign was written: its document may have come later.
        flow = await store.flows.find(app.no, thing_id=plan.flow.id)
        document = msgspec.json.decode(flow.body) if flow is not None and flow.body else None
        text = first_message(document) if document is not None else None
        if flow is None or not text:
            raise FlowIsEmpty
        return VersionedText(text, flow.version, PinnedFlow(flow.named.no, flow.version))
    if plan.template is not None:
        template = await store.templates.find(app.no, thing_id=plan.template.id)
        if template is None:
            raise WrongState(f"The template {plan.template.name} does not exist any more.")
        return VersionedText(to_send(template.body), template.version)
    return VersionedText(to_send(plan.received or ""))
