"""Hear: what contacts reply. A STOP is effective before the carrier hears that we have it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import structlog

from callsheet import meters
from callsheet.carriers.base import Inbound
from callsheet.core.campaign import Channel
from callsheet.core.opting_out import OPTS_OUT, read_reply
from callsheet.core.phone import BadNumber, Number
from callsheet.engine.holds import Scope
from callsheet.store.store import Store

log = structlog.get_logger()

Forbid = Callable[[Scope], Awaitable[None]]


async def hear(store: Store, app: int, messages: Sequence[Inbound], forbid: Forbid) -> None:
    """Store replies to an app's senders, and opt out who says so."""
    key = store.vault.app(app)
    assert key is not None, "a reply to an app that was never opened"
    for message in messages:
        try:
            number = Number.parse(message.number, None).e164
        except BadNumber:
            log.warning("inbound.bad_number")
            continue
        person = key.person(number)
        stop = read_reply(message.text) in OPTS_OUT
        new = await store.opt_outs.hear(
            app,
            inbound_id=message.inbound_id,
            person=person,
            text_sealed=key.seal.close(message.text.encode(), person),
            channel=Channel.sms if stop else None,
            now=message.at,
        )
        if stop and new:
            meters.opt_outs.inc()
            log.info("contact.opted_out", app=app)
        if stop:
            # Also when we heard it before: that time we may have died before it was effective.
            await forbid(Scope(app, persons=frozenset((person,))))
