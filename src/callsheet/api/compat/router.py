"""The calls of the documented API, under the one spelling that `paths.py` gives to all of theirs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from callsheet.api.compat import (
    agent_mappings,
    callbacks,
    campaign_list,
    campaigns,
    contact_lists,
    contacts,
    dialout,
    interactions,
    outbound_sms,
    queues,
    schedules,
    status,
    triggers,
)
from callsheet.api.compat.answers import answer
from callsheet.api.compat.call import Call, read_call
from callsheet.core.errors import MethodNotAllowed, NotFound
from callsheet.engine.runtime import Runtime

Handler = Callable[[Call], Awaitable[Mapping[str, Any]]]


async def _not_yet(_: Call) -> Mapping[str, Any]:
    raise NotFound("This call of the documented API is not part of this release.")


# Words go before ids: no campaign is found under the name of a call.
_ROUTES: tuple[tuple[str, Mapping[str, Handler]], ...] = (
    ("/campaign", {"POST": campaigns.create}),
    ("/campaign/getallcampaigndetails", dict.fromkeys(("POST", "GET"), campaign_list.show_all)),
    ("/campaign/schedule", {"POST": schedules.switch}),
    ("/campaign/contactlist/createcontactlist", {"POST": contact_lists.create}),
    ("/campaign/contactlist/addcontacts", {"POST": contacts.add}),
    ("/campaign/contactlist/getalllistdetails", {"POST": contact_lists.show_all, "GET": contact_lists.show_all}),
    (
        "/campaign/contactlist/{thing}",
        {"GET": contact_lists.show, "PUT": contact_lists.update, "DELETE": contact_lists.delete},
    ),
    ("/campaign/contactlist/{thing}/getallcontacts", {"GET": contacts.leaf, "POST": contacts.leaf}),
    ("/campaign/trigger/{thing}", {"POST": triggers.pull}),
    (
        "/campaign/{thing}",
        {"GET": campaigns.show, "PUT": campaigns.update, "DELETE": campaigns.delete, "POST": triggers.pull},
    ),
    ("/campaign/{thing}/status", {"POST": status.show, "GET": status.show}),
    ("/interactiondetails", {"POST": interactions.show}),
    ("/outboundsms", {"POST": outbound_sms.send}),
    ("/smartassist/dialout", {"POST": dialout.place}),
    ("/agentmappings", {"GET": agent_mappings.show_all, "POST": agent_mappings.create}),
    (
        "/agentmappings/{thing}",
        {"GET": agent_mappings.show, "PUT": agent_mappings.update, "DELETE": agent_mappings.delete},
    ),
    ("/campaign/{thing}/callcontactat", {"POST": callbacks.ask}),
    ("/queues", {"GET": queues.show_all}),
    ("/queues/dynamicqueues/priorities", {"PUT": queues.set_priorities}),
    ("/queues/{thing}", {"GET": queues.show}),
)


def table() -> Sequence[tuple[str, Collection[str]]]:
    """Return every path of these calls with its methods."""
    return [(path, handlers.keys()) for path, handlers in _ROUTES]


def build(runtime: Runtime) -> ASGIApp:
    """Build the documented API. It raises what goes wrong; the front renders it."""
    routes = [Route(path, _Path(runtime, handlers)) for path, handlers in _ROUTES]
    return Router(routes, redirect_slashes=False, default=_nowhere)


class _Path:
    """Whatever can be done with one path."""

    def __init__(self, runtime: Runtime, handlers: Mapping[str, Handler]) -> None:
        self._runtime = runtime
        self._handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        handler = self._handlers.get("GET" if method == "HEAD" else method)
        if handler is None:
            raise MethodNotAllowed(", ".join(self._handlers))
        response = answer(await handler(read_call(self._runtime, Request(scope))))
        await response(scope, receive, send)


async def _nowhere(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise NotFound("There is no such path.")
