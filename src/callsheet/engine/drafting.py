"""Draft: look up everything that a campaign names, and say of each that is missing which ones exist."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime

from callsheet.core.campaign import Channel, Definition, MessagePlan, Named, VoicePlan
from callsheet.core.errors import FieldError, Invalid
from callsheet.core.filtering import Filter
from callsheet.core.flow.starter import Starter
from callsheet.core.message import to_send
from callsheet.core.names import key_of, no_such
from callsheet.core.schedule import faults_of
from callsheet.core.template import compile_text
from callsheet.core.wish import Reference, VoiceWish, Wish
from callsheet.engine.starters import install_once, starter_called
from callsheet.store.apps import App
from callsheet.store.lists import ContactList
from callsheet.store.store import Store


async def draft(store: Store, app: App, wish: Wish, now: datetime) -> Definition:
    """Return the definition that a wish describes.

    Raises Invalid, naming every field that is wrong and everything that does not exist. Nothing is stored, but a
    starter that the wish names becomes a flow.
    """
    wrong = [*wish.faults, *_schedule_faults(wish, now)]
    lists = await find_lists(store, app, wish.contact_lists, wrong)
    if wish.filter is not None:
        wrong += filter_faults(wish.filter, lists, wish.paths.filter)
    dnc_lists = [await _dnc_list(store, app, reference, wrong) for reference in wish.dnc_lists]
    message = await _message(store, app, wish, wrong)
    voice = await _voice(store, app, wish.voice, wrong) if wish.voice is not None else None
    await _check_sender(store, app, wish, wrong)
    if wrong:
        raise Invalid(wrong)
    starter = _starter(wish) if message.flow is None else None
    if starter is not None:
        flow = await install_once(store, app, starter, now)
        message = replace(message, flow=flow.named, flow_version=flow.version)
    return Definition(
        name=wish.name,
        description=wish.description,
        channel=wish.channel,
        contact_lists=tuple(Named(found.no, found.id, found.name) for found in lists),
        dnc_lists=tuple(named for named in dnc_lists if named is not None),
        priority=wish.priority,
        sender=wish.sender,
        hours=wish.hours,
        hours_document=wish.hours_document,
        message=message,
        format=wish.format,
        order=wish.order,
        max_attempts=wish.max_attempts,
        retry_minutes=wish.retry_minutes,
        ring_seconds=wish.ring_seconds,
        voice=voice,
        filter=wish.filter,
    )


def _schedule_faults(wish: Wish, now: datetime) -> list[FieldError]:
    faults = faults_of(wish.schedule, now) if wish.schedule is not None else []
    return [FieldError(wish.paths.schedule.get(fault.path, fault.path), fault.message) for fault in faults]


async def find_lists(
    store: Store, app: App, references: Sequence[Reference], wrong: list[FieldError]
) -> list[ContactList]:
    """Return the contact lists that are named, each once; what is not there is added to `wrong`."""
    lists: dict[int, ContactList] = {}
    for reference in references:
        found = await store.lists.find(app.no, list_id=reference.id, name=reference.name)
        if found is None:
            wrong.append(await _unknown("contact list", reference, store.lists.names, app))
        else:
            lists.setdefault(found.no, found)
    return list(lists.values())


def filter_faults(wanted: Filter, lists: Sequence[ContactList], path: str) -> list[FieldError]:
    """Name the columns that a filter asks for and a list does not have; a list without columns may get any."""
    return [
        FieldError(
            f"{path}.conditions[{index}].column", f"The contact list {found.name} has no column {condition.column}."
        )
        for index, condition in enumerate(wanted.conditions)
        for found in lists
        if found.columns and key_of(condition.column) not in {key_of(column) for column in found.columns}
    ]


async def _dnc_list(store: Store, app: App, reference: Reference, wrong: list[FieldError]) -> Named | None:
    found = await store.dnc_lists.find(app.no, list_id=reference.id, name=reference.name)
    if found is None:
        wrong.append(await _unknown("DNC list", reference, store.dnc_lists.names, app))
        return None
    return Named(found.no, found.id, found.name)


async def _voice(store: Store, app: App, wish: VoiceWish, wrong: list[FieldError]) -> VoicePlan:
    queue = None
    if wish.queue is not None:
        found = await store.queues.find(app.no, queue_id=wish.queue.id, name=wish.queue.name)
        if found is None:
            wrong.append(await _unknown("queue", wish.queue, store.queues.names, app))
        else:
            queue = Named(found.no, found.id, found.name)
    mapping = await _agent_mapping(store, app, wish.agent_mapping, wrong) if wish.agent_mapping is not None else None
    return VoicePlan(
        wish.mode, queue, wish.max_skips, wish.machine_detection, wish.pacing_ratio, mapping, wish.detection,
        wish.record_calls, wish.machine_sample_share,
    )  # fmt: skip


async def _agent_mapping(store: Store, app: App, reference: Reference, wrong: list[FieldError]) -> Named | None:
    found = await store.agent_mappings.find(app.no, mapping_id=reference.id, name=reference.name)
    if found is None:
        wrong.append(await _unknown("agent mapping", reference, store.agent_mappings.names, app))
        return None
    return Named(found.no, found.id, found.name)


async def _message(store: Store, app: App, wish: Wish, wrong: list[FieldError]) -> MessagePlan:
    if wish.flow is not None:
        flow = await store.flows.find(app.no, name=wish.flow.name, thing_id=wish.flow.id)
        if flow is None:
            # A starter of that name becomes the flow, once nothing else is wrong.
            if _starter(wish) is None:
                wrong.append(await _unknown("experience flow", wish.flow, store.flows.names, app))
            return MessagePlan(wish.message)
        return MessagePlan(wish.message, flow=flow.named, flow_version=flow.version)
    if wish.template is not None:
        template = await store.templates.find(app.no, name=wish.template.name, thing_id=wish.template.id)
        if template is None:
            wrong.append(await _unknown("template", wish.template, store.templates.names, app))
            return MessagePlan()
        return MessagePlan(wish.message, template=template.named, template_version=template.version)
    if wish.channel is Channel.voice:
        return MessagePlan()
    try:
        compile_text(to_send(wish.message or ""))
    except Invalid as error:
        wrong.extend(FieldError(wish.paths.message, fault.message) for fault in error.fields)
    return MessagePlan(wish.message)


def _starter(wish: Wish) -> Starter | None:
    return starter_called(wish.flow.name) if wish.flow is not None and wish.flow.name else None


async def _check_sender(store: Store, app: App, wish: Wish, wrong: list[FieldError]) -> None:
    label = wish.sender
    if not label:
        return
    known = [sender.label for sender in await store.apps.senders(app.no)]
    if label in known or any(trunk.takes_any_sender for trunk in await store.apps.trunks(app.no)):
        return
    wrong.append(FieldError(wish.paths.sender, no_such("sender", label, known)))


async def _unknown(
    what: str, reference: Reference, names: Callable[[int], Awaitable[Sequence[str]]], app: App
) -> FieldError:
    return FieldError(reference.path, no_such(what, str(reference), await names(app.no)))
