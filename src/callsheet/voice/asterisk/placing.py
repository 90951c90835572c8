"""Placing a call: one request, and what each answer to it, or none, means for the attempt.

A call is registered before it is asked for. No answer of a node makes us ask a second time: what may have been placed
is uncertain, and if it turns up, it is found.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from callsheet.core.asking import Leave
from callsheet.core.attempt import Kind
from callsheet.core.calling import Dial
from callsheet.core.sip import SipTrunk
from callsheet.voice.asterisk.channel import Channel
from callsheet.voice.asterisk.link import NodeAway, Withheld
from callsheet.voice.asterisk.node import Node
from callsheet.voice.asterisk.originate import longest_seconds, originate
from callsheet.voice.asterisk.wire import Ask
from callsheet.voice.base import Hear, NotDialed

_CONFLICT: Final = 409
_NOT_THERE: Final = 404


async def place(node: Node, trunk: SipTrunk, dial: Dial, leave: Leave, hear: Hear) -> Channel:
    """Place a call on a node. Raises NotDialed."""
    if dial.reference in node.channels:
        raise NotDialed(Kind.uncertain, "already_placed", "A call of this attempt goes on already.")
    # The node counts from a little later than we do, in whole seconds.
    ends_at = node.now() + timedelta(seconds=longest_seconds(dial) - 1)
    channel = node.channels[dial.reference] = Channel(node, dial.reference, trunk.id, hear, ends_at)
    try:
        await _ask(node, trunk, dial, leave, channel)
    except BaseException:
        # Whoever asked does not lead it. Should it be there after all, it is found.
        node.forget(channel)
        raise
    return channel


async def _ask(node: Node, trunk: SipTrunk, dial: Dial, leave: Leave, channel: Channel) -> None:
    """Return when it is placed. Raises NotDialed."""
    try:
        reply = await node.ask(originate(trunk, dial), leave=leave)
    except Withheld:
        raise NotDialed(Kind.withdrawn, "forbidden", "It was forbidden before it was placed.") from None
    except NodeAway as error:
        if not error.was_sent:
            raise NotDialed(Kind.refused, "node_away", "The voice node is not connected.") from None
        # What it told meanwhile comes when it is back.
        await node.wait_compared()
        if not channel.is_heard:
            why = "The voice node did not say whether it placed the call."
            raise NotDialed(Kind.uncertain, "node_away", why) from None
        return
    channel.is_heard |= reply.is_ok
    if channel.is_heard:
        return
    if reply.status_code == _CONFLICT:
        await _find_out(node, trunk, channel)
        return
    raise NotDialed(Kind.refused, "node_refused", f"The voice node refused the call ({reply.status_code}).")


async def _find_out(node: Node, trunk: SipTrunk, channel: Channel) -> None:
    """Find out what "a channel of this id exists already" means; return when it does.

    A node says so of other failures, too, after it has said so once. A channel that is there is this attempt's call.
    """
    try:
        lives = (await node.ask(Ask("GET", f"channels/{channel.id}"))).is_ok
        knows_trunk = (await node.ask(Ask("GET", f"endpoints/PJSIP/{trunk.id}"))).status_code != _NOT_THERE
    except NodeAway:
        lives, knows_trunk = False, True
    channel.is_heard |= lives
    if channel.is_heard:
        return
    if not knows_trunk:
        raise NotDialed(Kind.refused, "no_trunk", "The voice node does not know the trunk.")
    raise NotDialed(Kind.uncertain, "already_placed", "The voice node says that this call was placed before.")
