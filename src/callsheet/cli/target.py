"""The list that a file goes into: found by its name or id, or made."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from callsheet.client import ApiError, AsyncClient, Kind


@dataclass(frozen=True, slots=True)
class Target:
    """A list that takes a file."""

    kind: Kind
    id: str
    name: str


async def create_target(client: AsyncClient, kind: Kind, name: str, description: str = "") -> Target:
    """Create an empty list. Raises ApiError."""
    if kind is Kind.dnc_lists:
        made = await client.dnc_lists.create(name)
        return Target(kind, made.id, made.name)
    created = (await client.compat.contact_lists.create(name, description=description)).data
    return Target(kind, created.id, created.name)


async def find_target(client: AsyncClient, kind: Kind, name: str) -> Target | None:
    """Return a list by its name, without regard to case, or by its id; or None."""
    if kind is Kind.dnc_lists:
        async for one in client.dnc_lists.list():
            if one.id == name or one.name.lower() == name.strip().lower():
                return Target(kind, one.id, one.name)
        return None
    try:
        found = (await client.compat.contact_lists.get(name)).data
    except ApiError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return None
        raise
    return Target(kind, found.id, found.name)
