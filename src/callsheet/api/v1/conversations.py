"""Conversations: what people and flows said to each other, and those that wait in a queue for somebody."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends, Query
from pydantic import BaseModel

from callsheet.api.caller import Caller
from callsheet.api.v1.asked import Calling, Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.flow_transcripts import ShownVisit, show_visit
from callsheet.api.v1.flow_versions import find_flow
from callsheet.api.v1.messages import read_person
from callsheet.api.v1.numbers import AnyNumber, read_number
from callsheet.api.v1.runs import find_run
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Body, Instant, Limit, Page, no_cursor, page_of
from callsheet.api.v1.strict import Router
from callsheet.core.errors import BodyTooLarge, ConversationNotFound, FlowNotFound, QueueNotFound, RunNotFound
from callsheet.core.flow.session import Awaits, Ending
from callsheet.core.permissions import Role
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App
from callsheet.store.transcripts import Account, Line, Transcript, Wanted

router = Router(prefix="/v1/apps/{app}/conversations", tags=["conversations"])


class OfFlow(BaseModel):
    """A flow, at the version that the conversation keeps."""

    id: str
    """Empty: it was deleted."""
    name: str
    version: int


class InQueue(BaseModel):
    """The queue to which a conversation was handed over."""

    id: str
    name: str
    since: Instant | None
    """When it was handed over."""


class ShownConversation(BaseModel):
    """A conversation."""

    id: str
    person_id: str
    """The same in every list, and in what webhooks are told."""
    number: str
    """Empty when nothing has it any more."""
    sender: str
    """Through which sender of ours it goes."""
    channel: str
    flow: OfFlow
    run_id: str
    """The run that began it; empty: a reply did."""
    attempt_id: str
    """The attempt that began it; empty: a reply did."""
    opened_at: Instant
    changed_at: Instant
    ended_at: Instant | None
    """Null: it is open."""
    awaits: Awaits
    wakes_at: Instant | None
    """Until when it waits for a reply."""
    ending: Ending | None
    why: str
    """Why it ended so."""
    queue: InQueue | None
    """To which it was handed over last; null: to none."""
    agent: str
    """Who of the queue took it; empty: nobody."""
    disposition: str
    last_message_at: Instant | None
    """When the latest message was said; null: none was yet."""
    last_by: str
    """Who said it: `contact`, `campaign` (the opening), `flow` or `agent`; empty: nobody yet."""


class ShownLine(BaseModel):
    """Something that was said."""

    id: str
    """Of a message that came from the person; empty: it is ours."""
    at: Instant
    direction: Literal["in", "out"]
    by: str
    """`contact`, `campaign` (the opening), `flow` or `agent`."""
    text: str
    state: str
    """Of ours: how it stands; of theirs `received`. In a call `spoken`, `pressed`, or `recorded`: then `text` is the id
    of a recording.
    """


class WholeConversation(ShownConversation):
    """A conversation with what was said, and the way that it took through its flow."""

    note: str
    """What the flow noted for the queue when it handed over; empty: nothing, or it did not."""
    messages: list[ShownLine]
    visits: list[ShownVisit]


class SoughtPerson(Body):
    """Whose conversations are meant."""

    number: AnyNumber
    """In international form, or local to the app's region."""


def _sees_queues_only(caller: Caller) -> bool:
    """Tell whether somebody sees only what was handed over to a queue."""
    return caller.role is Role.agent


async def may_see(runtime: Served, app: Tenant, caller: Calling, conversation_id: str) -> None:
    """Let an agent see what was handed over to a queue only. Raises ConversationNotFound."""
    if _sees_queues_only(caller) and not await runtime.store.transcripts.was_handed_over(app.no, conversation_id):
        raise ConversationNotFound


async def _wanted(
    runtime: Served,
    app: Tenant,
    caller: Calling,
    flow: Annotated[str | None, Query(max_length=128, description="Only conversations with this flow: its id.")] = None,
    run: Annotated[
        str | None, Query(max_length=128, description="Only conversations that this run began: its id.")
    ] = None,
    queue: Annotated[
        str | None, Query(max_length=128, description="Only what waits in this queue, or is worked on: its id or name.")
    ] = None,
    agent: Annotated[
        str | None, Query(max_length=128, description="Only what this one took; empty: what nobody took.")
    ] = None,
    person_id: Annotated[str | None, Query(max_length=64, description="Only conversations with this person.")] = None,
    state: Annotated[Literal["open", "ended"] | None, Query(description="Only open ones, or only ended ones.")] = None,
    awaits: Annotated[Awaits | None, Query(description="Only those that wait for this.")] = None,
) -> Wanted:
    return Wanted(
        flow_no=(await find_flow(runtime, app, flow)).no if flow else None,
        run_no=(await find_run(runtime, app, run)).no if run else None,
        queue_no=await _queue_no(runtime, app, queue) if queue else None,
        person=read_person(person_id) if person_id is not None else None,
        is_open=None if state is None else state == "open",
        awaits=awaits,
        agent=agent,
        was_handed_over=_sees_queues_only(caller),
    )


@router.get("", responses=problems(FlowNotFound, RunNotFound, QueueNotFound))
async def list_conversations(
    runtime: Served,
    app: Tenant,
    wanted: Annotated[Wanted, Depends(_wanted)],
    after: After = None,
    limit: Limit = USUAL_LIMIT,
) -> Page[ShownConversation]:
    """Return conversations, the newest first. With `queue` they are its inbox: first who waits longest."""
    return await _page(runtime, app, wanted, after, limit)


@router.post("/find", responses=problems(BodyTooLarge))
async def find_conversations(
    runtime: Served, app: Tenant, caller: Calling, sought: SoughtPerson, after: After = None, limit: Limit = USUAL_LIMIT
) -> Page[ShownConversation]:
    """Return the conversations with a number, the newest first. It changes nothing."""
    person, _ = read_number(runtime, app, sought.number)
    wanted = Wanted(person=person, was_handed_over=_sees_queues_only(caller))
    return await _page(runtime, app, wanted, after, limit)


@router.get("/{conversation_id}", dependencies=[Depends(may_see)], responses=problems(ConversationNotFound))
async def get_conversation(runtime: Served, app: Tenant, conversation_id: str) -> WholeConversation:
    """Return a conversation with all messages and visits, in their order."""
    return await show_conversation(runtime, app, conversation_id)


async def show_conversation(runtime: Runtime, app: App, conversation_id: str) -> WholeConversation:
    """Show a conversation as it is now. Raises ConversationNotFound."""
    found = await runtime.store.transcripts.find(app.no, conversation_id)
    if found is None:
        raise ConversationNotFound
    return _whole(found)


async def _page(runtime: Runtime, app: App, wanted: Wanted, after: str | None, limit: int) -> Page[ShownConversation]:
    found = await runtime.store.transcripts.page(app.no, wanted, after=after, limit=limit + 1)
    if found is None:
        raise no_cursor()
    return page_of([_show(one) for one in found], limit, lambda one: one.id)


async def _queue_no(runtime: Runtime, app: App, said: str) -> int:
    queues = runtime.store.queues
    found = await queues.find(app.no, queue_id=said) or await queues.find(app.no, name=said)
    if found is None:
        raise QueueNotFound
    return found.no


def _show(account: Account) -> ShownConversation:
    return ShownConversation(
        id=account.id,
        person_id=account.person.hex(),
        number=account.number,
        sender=account.sender,
        channel=account.channel,
        flow=OfFlow(id=account.flow_id, name=account.flow_name, version=account.version),
        run_id=account.run_id,
        attempt_id=account.attempt_id,
        opened_at=account.opened_at,
        changed_at=account.changed_at,
        ended_at=account.ended_at,
        awaits=account.awaits,
        wakes_at=account.wakes_at if account.awaits is Awaits.reply else None,
        ending=account.ending,
        why=account.why,
        queue=InQueue(id=account.queue_id, name=account.queue_name, since=account.queued_at)
        if account.queue_id
        else None,
        agent=account.agent,
        disposition=account.disposition,
        last_message_at=account.last_at,
        last_by=account.last_by,
    )


def _whole(found: Transcript) -> WholeConversation:
    return WholeConversation(
        **_show(found.account).model_dump(),
        note=found.note,
        messages=[_line(line) for line in found.lines],
        visits=[show_visit(visit) for visit in found.visits],
    )


def _line(line: Line) -> ShownLine:
    return ShownLine(
        id=line.id,
        at=line.at,
        direction="in" if line.by == "contact" else "out",
        by=line.by,
        text=line.text,
        state=line.state,
    )
