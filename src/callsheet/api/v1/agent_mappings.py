"""Agent mappings: which agent a customer belongs to. They need agents, who come with calls.

The contract does not name them before they do something.
"""

from __future__ import annotations

from typing import NoReturn

from callsheet.api.v1.asked import Tenant
from callsheet.api.v1.strict import Router
from callsheet.core.errors import NotImplementedYet

router = Router(prefix="/v1/apps/{app}/agent-mappings", include_in_schema=False)

_SENTENCE = "Agent mappings need voice, which this release does not have."


@router.get("")
async def list_agent_mappings(_: Tenant) -> None:
    """Say that there are no agent mappings yet."""
    _refuse()


@router.post("")
async def create_agent_mapping(_: Tenant) -> None:
    """Say that there are no agent mappings yet."""
    _refuse()


def _refuse() -> NoReturn:
    raise NotImplementedYet(_SENTENCE)
