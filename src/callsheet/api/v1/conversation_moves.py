"""What somebody of a queue does with a conversation that was handed over: take it, reply, put it back, close it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from pydantic import StringConstraints

from callsheet.api.caller import Caller
from callsheet.api.v1.asked import Calling, Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.conversations import WholeConversation, may_see, show_conversation
from callsheet.api.v1.shapes import Body, LongName
from callsheet.api.v1.strict import Router
from callsheet.core.audit import ActorKind
from callsheet.core.errors import BodyTooLarge, ConversationNotFound, FieldError, Invalid, WrongState
from callsheet.core.permissions import Role
from callsheet.engine import conversations

router = Router(
    prefix="/v1/apps/{app}/conversations/{conversation_id}", tags=["conversations"], dependencies=[Depends(may_see)]
)

_LONGEST_TEXT = 1600
"""About ten segments; more is no message, but a letter."""

_FAILURES = problems(ConversationNotFound, WrongState, BodyTooLarge)


class Taking(Body):
    """Who acts."""

    agent: LongName | None = None
    """For whom an API client acts; a user acts as nobody else. Without it: whoever calls."""


class NewReply(Taking):
    """Something to say."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST_TEXT, strip_whitespace=True)]


class Closing(Taking):
    """How a conversation went."""

    disposition: LongName


@router.post("/take", responses=_FAILURES)
async def take_conversation(
    runtime: Served, app: Tenant, caller: Calling, conversation_id: str, by: Taking | None = None
) -> WholeConversation:
    """Take a conversation that waits in a queue. Whoever has taken one may take others beside it."""
    await conversations.take(runtime, app.no, conversation_id, _agent(caller, by))
    return await show_conversation(runtime, app, conversation_id)


@router.post("/release", responses=_FAILURES)
async def release_conversation(
    runtime: Served, app: Tenant, caller: Calling, conversation_id: str, by: Taking | None = None
) -> WholeConversation:
    """Put a conversation back into its queue, for somebody else. Operators and admins may name whose it is."""
    await conversations.let_go(runtime, app.no, conversation_id, _agent(caller, by, may_name_others=_leads(caller)))
    return await show_conversation(runtime, app, conversation_id)


@router.post("/replies", status_code=202, responses=_FAILURES)
async def reply_to_conversation(
    runtime: Served, app: Tenant, caller: Calling, conversation_id: str, new: NewReply
) -> WholeConversation:
    """Say something in a conversation that one took. It leaves as soon as the sender's limits allow."""
    await conversations.say(runtime, app.no, conversation_id, _agent(caller, new), new.text)
    return await show_conversation(runtime, app, conversation_id)


@router.post("/close", responses=_FAILURES)
async def close_conversation(
    runtime: Served, app: Tenant, caller: Calling, conversation_id: str, closing: Closing
) -> WholeConversation:
    """Close a conversation that one took, with how it went. Its flow goes on from there, if it has more to say."""
    agent = _agent(caller, closing)
    await conversations.close(runtime, app.no, conversation_id, agent, closing.disposition)
    return await show_conversation(runtime, app, conversation_id)


def _leads(caller: Caller) -> bool:
    return caller.role is not None and caller.role.covers(Role.operator)


def _agent(caller: Caller, by: Taking | None, *, may_name_others: bool = False) -> str:
    """Return who acts. Raises Invalid where a user names somebody else."""
    named = by.agent if by is not None else None
    if named is None or named == caller.id:
        return caller.id
    if caller.kind is not ActorKind.client and not may_name_others:
        raise Invalid([FieldError("agent", "A user acts as nobody else.")])
    return named
