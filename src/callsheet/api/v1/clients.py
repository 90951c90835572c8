"""API clients: the programs that may call for an app, what each may do, and the secret that signs its tokens."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request
from pydantic import AfterValidator, BaseModel, Field

from callsheet.api.caller import note
from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Body, Instant, Limit, LongName, Page, no_cursor, page_of
from callsheet.api.v1.strict import Router
from callsheet.core.errors import BodyTooLarge, ClientNotFound
from callsheet.core.permissions import Scope
from callsheet.store.clients import Algorithm, Client, ListedClient

router = Router(prefix="/v1/apps/{app}/clients", tags=["API clients"])


def _no_twins(scopes: list[Scope]) -> list[Scope]:
    if len(set(scopes)) < len(scopes):
        raise ValueError("A scope is named twice")
    return scopes


_Scopes = Annotated[list[Scope], Field(min_length=1, max_length=len(Scope)), AfterValidator(_no_twins)]


class NewClient(Body):
    """An API client to be."""

    name: LongName
    """For those who look at it; two clients may have the same."""
    scopes: _Scopes
    """What it may do."""
    algorithm: Algorithm = Algorithm.HS256
    """How it signs its tokens. The documented API knows HS256; a token cannot choose another one than this."""


class ChangedClient(Body):
    """What to change of an API client; what is not named stays as it is."""

    name: LongName | None = None
    """Another name."""
    scopes: _Scopes | None = None
    """What it may do from now on, and nothing else."""


class ShownClient(BaseModel):
    """An API client. Nobody can read its secret again."""

    id: str
    name: str
    scopes: list[Scope]
    algorithm: Algorithm
    created_at: Instant


class SecretOfClient(BaseModel):
    """The secret of an API client. It is shown this once."""

    id: str
    secret: str


class CreatedClient(SecretOfClient):
    """An API client that was made, with its secret. It is shown this once."""

    name: str
    scopes: list[Scope]
    algorithm: Algorithm


@router.post("", status_code=201, responses=problems(BodyTooLarge))
async def create_client(runtime: Served, app: Tenant, new: NewClient, request: Request) -> CreatedClient:
    """Create an API client. The answer is the only one with its secret."""
    client = await runtime.store.clients.create(
        app, runtime.clock.now(), name=new.name, algorithm=new.algorithm, scopes=new.scopes
    )
    note(request.scope, client=client.id, scopes=_sorted(client.scopes))
    return show_created(client)


@router.get("")
async def list_clients(
    runtime: Served, app: Tenant, after: After = None, limit: Limit = USUAL_LIMIT
) -> Page[ShownClient]:
    """Return the API clients without their secrets, oldest first."""
    last = await runtime.store.clients.look_up(app.no, after) if after else None
    if after and last is None:
        raise no_cursor()
    found = await runtime.store.clients.of_app(app.no, after=last.no if last is not None else 0, limit=limit + 1)
    return page_of([_show(one) for one in found], limit, lambda one: one.id)


@router.get("/{client_id}", responses=problems(ClientNotFound))
async def get_client(runtime: Served, app: Tenant, client_id: str) -> ShownClient:
    """Return an API client without its secret."""
    found = await runtime.store.clients.look_up(app.no, client_id)
    if found is None:
        raise ClientNotFound
    return _show(found)


@router.patch("/{client_id}", responses=problems(ClientNotFound, BodyTooLarge))
async def change_client(
    runtime: Served, app: Tenant, client_id: str, changed: ChangedClient, request: Request
) -> ShownClient:
    """Rename an API client, or change what it may do. That holds from its next call on."""
    client = await runtime.store.clients.change(app.no, client_id, name=changed.name, scopes=changed.scopes)
    if changed.scopes is not None:
        note(request.scope, scopes=_sorted(client.scopes))
    return _show(client)


@router.post("/{client_id}/secret", responses=problems(ClientNotFound))
async def renew_secret(runtime: Served, app: Tenant, client_id: str) -> SecretOfClient:
    """Give an API client a new secret. Tokens that were signed with the old one are refused from now on."""
    return SecretOfClient(id=client_id, secret=await runtime.store.clients.renew_secret(app.no, client_id))


@router.delete("/{client_id}", status_code=204, responses=problems(ClientNotFound))
async def delete_client(runtime: Served, app: Tenant, client_id: str) -> None:
    """Delete an API client. Its tokens are refused from now on."""
    await runtime.store.clients.delete(app.no, client_id)


def show_created(client: Client) -> CreatedClient:
    """Show a client with its secret, for the one answer that does."""
    return CreatedClient(
        id=client.id,
        name=client.name,
        secret=client.secret,
        scopes=_sorted(client.scopes),
        algorithm=Algorithm(client.algorithm),
    )


def _show(found: ListedClient) -> ShownClient:
    return ShownClient(
        id=found.id,
        name=found.name,
        scopes=_sorted(found.scopes),
        algorithm=Algorithm(found.algorithm),
        created_at=found.created_at,
    )


def _sorted(scopes: frozenset[str]) -> list[Scope]:
    return [scope for scope in Scope if scope in scopes]
