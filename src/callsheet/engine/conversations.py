"""Conversations that were handed over to a queue: somebody takes one, replies, and closes it."""

from __future__ import annotations

from callsheet.core.campaign import Channel
from callsheet.core.errors import ConversationNotFound, WrongState
from callsheet.core.flow.given import Closed
from callsheet.engine.runtime import Runtime
from callsheet.store.flow_talks import Talk


async def take(runtime: Runtime, app: int, talk_id: str, agent: str) -> None:
    """Give a conversation that waits in a queue to somebody. Again is no harm.

    Raises ConversationNotFound, and WrongState when it is in no queue, or another one has it.
    """
    await _find(runtime, app, talk_id)
    holder = await runtime.store.flow_queue.take(app, talk_id, agent, runtime.clock.now())
    if holder is None:
        raise WrongState("This conversation waits in no queue.")
    if holder != agent:
        raise WrongState("Somebody else has taken this conversation.")


async def let_go(runtime: Runtime, app: int, talk_id: str, agent: str) -> None:
    """Put a conversation back into its queue. Raises ConversationNotFound, WrongState when it is not theirs."""
    await _find(runtime, app, talk_id)
    if not await runtime.store.flow_queue.let_go(app, talk_id, agent, runtime.clock.now()):
        raise _not_yours()


async def say(runtime: Runtime, app: int, talk_id: str, agent: str, text: str) -> None:
    """Reply to the person of a conversation that somebody took.

    Raises ConversationNotFound, and WrongState when it is not theirs, was a call, or is not open any more.
    """
    talk = await _find(runtime, app, talk_id)
    if talk.channel is Channel.voice:
        raise WrongState("This conversation was a call: nothing can be written in it.")
    if not await runtime.store.flow_queue.say(app, talk_id, agent, text, runtime.clock.now()):
        raise _not_yours()
    runtime.conductor.answer()


async def close(runtime: Runtime, app: int, talk_id: str, agent: str, disposition: str) -> None:
    """Close a conversation that somebody took, with how it went: its flow goes on from there.

    Raises ConversationNotFound, and WrongState when it is not theirs, or was closed before.
    """
    talk = await _find(runtime, app, talk_id)
    if not talk.agent or talk.agent != agent:
        raise _not_yours()
    if not await runtime.conductor.talker.give(app, talk.no, Closed(disposition, runtime.clock.now())):
        raise WrongState("This conversation was closed before.")


async def _find(runtime: Runtime, app: int, talk_id: str) -> Talk:
    talk = await runtime.store.flow_sessions.find(app, talk_id)
    if talk is None:
        raise ConversationNotFound
    return talk


def _not_yours() -> WrongState:
    return WrongState("Take this conversation first: it is nobody's, somebody else's, or closed.")
