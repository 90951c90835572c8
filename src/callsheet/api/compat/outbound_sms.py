"""A single message: it starts the experience flow that is bound to its sender."""

from __future__ import annotations

from typing import Any

from callsheet.api.compat.call import Call
from callsheet.api.compat.fields import Fields
from callsheet.api.compat.senders import find_sender
from callsheet.core.campaign import Named
from callsheet.core.contacts import PHONE_NUMBER, Contact, columns_of, read_contact
from callsheet.core.errors import Invalid
from callsheet.core.run import Sender
from callsheet.engine import singles

_LONGEST_NUMBER = 64
_SAID = "Triggered the configured Experience flow to deliver message via SMS channel"
_UNBOUND = "No experience flow is bound to this sender."


async def send(call: Call) -> dict[str, Any]:
    """Send the first message of the sender's flow to one number. The answer is the documented one."""
    fields = Fields(call.document, [])
    label = fields.text("fromNo", longest=_LONGEST_NUMBER, required=True).strip()
    contact = _read_contact(call, fields)
    sender = await find_sender(call.runtime, call.app, label) if label else None
    flow = await _flow(call, sender) if sender is not None else None
    if label and flow is None:
        fields.blame("fromNo", _UNBOUND)
    if fields.wrong or contact is None or sender is None or flow is None:
        raise Invalid(fields.wrong)
    await singles.send(call.runtime, call.app, sender, flow, contact)
    return {"message": _SAID}


def _read_contact(call: Call, fields: Fields) -> Contact | None:
    said = fields.text("toNo", longest=_LONGEST_NUMBER, required=True).strip()
    if not said:
        return None
    read = read_contact({PHONE_NUMBER: said}, columns_of((PHONE_NUMBER,)), call.app.settings.region)
    if isinstance(read, Contact):
        return read
    fields.blame("toNo", read.message)
    return None


async def _flow(call: Call, sender: Sender) -> Named | None:
    flow = await call.runtime.store.flows.find(call.app.no, thing_id=sender.flow_id) if sender.flow_id else None
    return flow.named if flow is not None else None
