"""Apps: the tenants. What one has is seen by no other, of the same account either."""

from __future__ import annotations

from fastapi import Request
from pydantic import BaseModel

from callsheet.api.caller import note
from callsheet.api.v1.asked import Calling, Served, Tenant
from callsheet.api.v1.clients import CreatedClient, show_created
from callsheet.api.v1.contract import problems
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Body, Limit, LongName, Page, no_cursor, page_of
from callsheet.api.v1.strict import Router
from callsheet.core.audit import ActorKind
from callsheet.core.errors import BodyTooLarge
from callsheet.core.permissions import Role
from callsheet.store.apps import App

router = Router(prefix="/v1/apps", tags=["apps"])


class NamedApp(Body):
    """What an app is to be called."""

    name: LongName
    """For those who look at it; two apps may have the same."""


class ShownApp(BaseModel):
    """An app."""

    id: str
    account_id: str
    name: str


class CreatedApp(ShownApp):
    """An app that was made, and its first API client, whose secret is shown this once."""

    client: CreatedClient


@router.post("", status_code=201, responses=problems(BodyTooLarge))
async def create_app(runtime: Served, caller: Calling, new: NamedApp, request: Request) -> CreatedApp:
    """Create an app with a sandbox trunk, a global DNC list, a queue, and an API client with every scope.

    A user who creates it is its admin.
    """
    client = await runtime.store.found_app(caller.account_id, new.name, runtime.clock.now())
    if caller.kind is ActorKind.user:
        await runtime.store.users.join(client.app, caller.id, Role.admin)
    note(request.scope, app=client.app.id)
    return CreatedApp(**_show(client.app).model_dump(), client=show_created(client))


@router.get("")
async def list_apps(
    runtime: Served, caller: Calling, after: After = None, limit: Limit = USUAL_LIMIT
) -> Page[ShownApp]:
    """Return the apps of the caller's account, oldest first; a user sees those in which he has a role."""
    last = await runtime.store.apps.find(after) if after else None
    if after and (last is None or last.account_id != caller.account_id):
        raise no_cursor()
    own = await runtime.store.users.roles(caller.id) if caller.kind is ActorKind.user else None
    found = await runtime.store.apps.of_account(
        caller.account_id, after=last.no if last is not None else 0, limit=limit + 1, among=own
    )
    return page_of([_show(app) for app in found], limit, lambda one: one.id)


@router.get("/{app}")
async def get_app(app: Tenant) -> ShownApp:
    """Return an app."""
    return _show(app)


@router.patch("/{app}", responses=problems(BodyTooLarge))
async def rename_app(runtime: Served, app: Tenant, changed: NamedApp) -> ShownApp:
    """Rename an app."""
    await runtime.store.apps.rename(app.no, changed.name)
    return ShownApp(id=app.id, account_id=app.account_id, name=changed.name)


def _show(app: App) -> ShownApp:
    return ShownApp(id=app.id, account_id=app.account_id, name=app.name)
