"""Senders, as neighbours of the campaign calls name them: by their caller ID, however its number is written."""

from __future__ import annotations

from callsheet.core.phone import BadNumber, Number
from callsheet.core.run import Sender
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App


async def find_sender(runtime: Runtime, app: App, label: str) -> Sender | None:
    """Return the sender with this caller ID; none: there is no such."""
    found = await runtime.store.senders.find(app.no, label=label)
    if found is not None:
        return found
    try:
        number = Number.parse(label, app.settings.region).e164
    except BadNumber:
        return None
    return await runtime.store.senders.find(app.no, label=number)
