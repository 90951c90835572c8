"""Findings: what to look at before a campaign starts. None of them keeps it from starting."""

from __future__ import annotations

from collections.abc import AsyncIterator

from callsheet.core.campaign import Campaign, Channel, Named
from callsheet.core.errors import Conflict, FieldError, Invalid
from callsheet.core.template import Compiled, compile_text
from callsheet.engine.campaigns import text_of
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App

_MESSAGE = "message"


async def findings_of(runtime: Runtime, app: App, campaign: Campaign) -> list[FieldError]:
    """Return what is amiss with a campaign's message: why there is none, or which placeholders stay blank."""
    definition = campaign.definition
    if definition.channel is not Channel.sms:
        return []
    try:
        message = compile_text(await text_of(runtime, app, definition))
    except Conflict as error:
        return [FieldError(_MESSAGE, error.message)]
    except Invalid as error:
        return [FieldError(_MESSAGE, fault.message) for fault in error.fields]
    return [finding for named in definition.contact_lists async for finding in _blanks(runtime, app, message, named)]


async def _blanks(runtime: Runtime, app: App, message: Compiled, named: Named) -> AsyncIterator[FieldError]:
    """Yield the placeholders that stay blank for a whole list. A list that nobody is in yet may have any columns."""
    found = await runtime.store.lists.find(app.no, list_id=named.id)
    if found is None or not found.columns:
        return
    for name in message.missing(found.columns):
        sentence = (
            f"The contact list {found.name} has no column {name}, and the placeholder has no default: it stays blank."
        )
        yield FieldError(_MESSAGE, sentence)
