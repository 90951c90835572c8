"""Every call that the client can make, with every argument given: what its table of calls says."""

import types
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from inspect import signature
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

import msgspec
from msgspec import UnsetType

from callsheet.client import AsyncClient, Kind
from callsheet.client.call import Call
from callsheet.client.method import Paged, Resource, Single
from callsheet.client.upload import Source

SAMPLES = {
    str: "x", int: 1, float: 1.0, bool: True, Any: "x", datetime: datetime(2026, 1, 1, tzinfo=UTC),
    Path: Path("x"), Source: b"x", Kind: Kind.contact_lists,
}  # fmt: skip


def planned() -> Iterator[tuple[str, Call[Any], bool]]:
    """Yield the name of each call, the call, and whether its answer comes in pages."""
    yield from _of(AsyncClient("http://nowhere", "st-1", token="t"), "")


def _of(resource: Resource, prefix: str) -> Iterator[tuple[str, Call[Any], bool]]:
    for name, room in vars(resource).items():
        if isinstance(room, Resource):
            yield from _of(room, f"{prefix}{name}.")
    for name, method in vars(type(resource)).items():
        if isinstance(method, Single | Paged):
            yield f"{prefix}{name}", method.plan(resource, **_arguments(method.plan)), isinstance(method, Paged)


def _arguments(plan: Any) -> dict[str, Any]:
    hints = get_type_hints(plan)
    given: dict[str, Any] = {}
    for name, parameter in list(signature(plan).parameters.items())[1:]:
        if parameter.kind is parameter.VAR_KEYWORD:
            given |= sample(get_args(hints[name])[0])
        else:
            given[name] = sample(hints[name])
    return given


def sample(kind: Any) -> Any:
    """Make a value of a type, with everything in it that may be left out."""
    if kind in SAMPLES:
        return SAMPLES[kind]
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return sample(next(one for one in args if one not in (type(None), UnsetType)))
    if origin is Literal:
        return args[0]
    if origin in (Sequence, list, tuple):
        return [sample(args[0])]
    if origin in (Mapping, dict):
        return {"x": sample(args[1])}
    assert is_typeddict(kind) or issubclass(kind, msgspec.Struct), kind
    return {name: sample(hint) for name, hint in get_type_hints(kind).items()}
