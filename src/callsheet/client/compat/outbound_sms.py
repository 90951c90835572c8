"""A single message by the documented call."""

from __future__ import annotations

from callsheet.client.call import Call
from callsheet.client.compat.envelope import Message
from callsheet.client.method import Mode, Resource, Single


class OutboundSms(Resource[Mode]):
    """Single messages by the documented call."""

    @Single
    def send(self, from_no: str, to_no: str) -> Call[Message]:
        """Send one number the first message of the flow that is bound to a sender."""
        return Call("POST", "/api/public/bot/{app}/outboundsms", Message, body={"fromNo": from_no, "toNo": to_no})
