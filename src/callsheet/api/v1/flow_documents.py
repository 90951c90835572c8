"""Documents of flows in requests: checked before they are stored, and what is found wrong with them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from pydantic import BaseModel

from callsheet.core.errors import FieldError, Invalid
from callsheet.core.flow.belongings import Belongings
from callsheet.core.flow.blocks.kind import Finding
from callsheet.core.flow.check import check
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App

_encoder = msgspec.json.Encoder()


class ShownFinding(BaseModel):
    """Something wrong with a document."""

    path: str
    """Where it stands, such as `document.flows[0].blocks[2].config.prompt`."""
    message: str
    severity: Literal["error", "warning"]
    """A flow runs with a warning; with an error it is not stored."""


async def find_faults(runtime: Runtime, app: App, document: Any) -> Sequence[Finding]:
    """Return everything that is wrong with a document. A large one takes seconds: others go on meanwhile."""
    store = runtime.store
    belongings = Belongings(
        await store.ai_endpoints.keys(app.no), await store.queues.keys(app.no), await store.sounds.keys(app.no)
    )
    return await asyncio.to_thread(check, document, runtime.outside.fence, belongings)


async def checked(
    runtime: Runtime, app: App, document: dict[str, Any], faults: Sequence[FieldError] = ()
) -> tuple[str, Sequence[Finding]]:
    """Return a document as it is stored, and its warnings.

    Raises Invalid with everything that it cannot run with, and with what is wrong with the body that it came in.
    """
    found = await find_faults(runtime, app, document)
    faults = [*faults, *(FieldError(one.path, one.message) for one in found if not one.is_warning)]
    if faults:
        raise Invalid(faults)
    return _encoder.encode(document).decode(), found


def read_document(body: str) -> dict[str, Any] | None:
    """Return a document as it was given; None: there is none yet."""
    return msgspec.json.decode(body) if body else None


def show_findings(found: Sequence[Finding]) -> list[ShownFinding]:
    """Show what was found."""
    return [
        ShownFinding(path=one.path, message=one.message, severity="warning" if one.is_warning else "error")
        for one in found
    ]
