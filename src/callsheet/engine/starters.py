"""Starters: list the flows that come with the package, and install one in an app.

Each is a file in the folder `starters` beside this one; its name is the starter's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from typing import Final

import msgspec
import structlog

from callsheet.core.errors import FieldError, Invalid, NameTaken, StarterNotFound
from callsheet.core.fence import Fence
from callsheet.core.flow.check import check
from callsheet.core.flow.starter import Parameter, ParameterKind, Starter, fill, find_faults, read_starter
from callsheet.core.names import no_such
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App
from callsheet.store.documents import Document
from callsheet.store.store import Store

_SUFFIX: Final = ".json"

log = structlog.get_logger()


@lru_cache(maxsize=1)
def all_starters() -> Mapping[str, Starter]:
    """Return the starters by their names, in the order of these."""
    folder = files("callsheet.engine") / "starters"
    documents = {file.name.removesuffix(_SUFFIX): file for file in folder.iterdir() if file.name.endswith(_SUFFIX)}
    return {
        name: read_starter(name, msgspec.json.decode(file.read_bytes())) for name, file in sorted(documents.items())
    }


def find_starter(name: str) -> Starter:
    """Return a starter. Raises StarterNotFound."""
    starter = all_starters().get(name)
    if starter is None:
        raise StarterNotFound
    return starter


def starter_called(title: str) -> Starter | None:
    """Return the starter that a campaign may name before anybody installed it: one that wants nothing to be said."""
    return next((one for one in all_starters().values() if one.wants_nothing and one.is_called(title)), None)


async def install(runtime: Runtime, app: App, starter: Starter, said: Mapping[str, str], *, name: str = "") -> Document:
    """Make a flow of a starter: with what was said in its places, and under a name of its own if one is given.

    Raises Invalid with every parameter that is wrong, and NameTaken.
    """
    store = runtime.store
    faults = [*find_faults(starter, said), *_url_faults(runtime.outside.fence, starter, said)]
    faults += await _queue_faults(store, app, starter, said)
    if faults:
        raise Invalid(faults)
    return await _store(store, app, starter, said, name or starter.title, runtime.clock.now())


async def install_once(store: Store, app: App, starter: Starter, now: datetime) -> Document:
    """Make a flow of a starter that wants nothing, unless another request made it a moment ago: then return that."""
    try:
        return await _store(store, app, starter, {}, starter.title, now)
    except NameTaken:
        made = await store.flows.find(app.no, name=starter.title)
        if made is None:  # it is gone again already
            raise
        return made


async def _store(
    store: Store, app: App, starter: Starter, said: Mapping[str, str], name: str, now: datetime
) -> Document:
    document = fill(starter, said)
    wrong = [FieldError(one.path, one.message) for one in check(document) if not one.is_warning]
    if wrong:
        raise Invalid(wrong)
    made = await store.flows.create(app.no, name, msgspec.json.encode(document).decode(), now)
    log.info("flow.installed", flow=made.named.id, starter=starter.name)
    return made


def _url_faults(fence: Fence, starter: Starter, said: Mapping[str, str]) -> list[FieldError]:
    found = ((one.name, fence.fault_of(said[one.name].strip())) for one in _given(starter, ParameterKind.url, said))
    return [FieldError(f"parameters.{name}", fault) for name, fault in found if fault is not None]


async def _queue_faults(store: Store, app: App, starter: Starter, said: Mapping[str, str]) -> list[FieldError]:
    faults = []
    for one in _given(starter, ParameterKind.queue, said):
        if await store.queues.find(app.no, name=said[one.name]) is None:
            known = await store.queues.names(app.no)
            faults.append(FieldError(f"parameters.{one.name}", no_such("queue", said[one.name], known)))
    return faults


def _given(starter: Starter, kind: ParameterKind, said: Mapping[str, str]) -> list[Parameter]:
    return [one for one in starter.parameters if one.kind is kind and said.get(one.name, "").strip()]
