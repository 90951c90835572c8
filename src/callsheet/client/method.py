"""Methods that are written once and serve both clients.

A method of a resource says which call to make, and makes none. `Single` and `Paged` hand the call to whatever carries
it: in a `Client` the method returns the answer, in an `AsyncClient` what has to be awaited, and type checkers know.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, Self, TypeVar, overload

from callsheet.client.call import Call
from callsheet.client.record import Page

P = ParamSpec("P")
T = TypeVar("T")


class Sync:
    """Marks what waits for its answers."""


class Async:
    """Marks what is awaited."""


Mode = TypeVar("Mode", Sync, Async)


class Carrier(Protocol):
    """Carries calls: as answers or as what is awaited for them, which `Single` and `Paged` tell the type checker."""

    def carry(self, call: Call[Any]) -> Any:
        """Make a call."""

    def walk(self, call: Call[Page[Any]]) -> Any:
        """Go through pages."""


class Resource(Generic[Mode]):
    """Calls that belong together."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier


class Single(Generic[P, T]):
    """A method that makes one call. Raises ApiError when it is refused, and Unavailable without an answer."""

    def __init__(self, plan: Callable[Concatenate[Any, P], Call[T]]) -> None:
        self.plan = plan
        self.__doc__ = plan.__doc__

    @overload
    def __get__(self, resource: None, owner: type) -> Self: ...
    @overload
    def __get__(self, resource: Resource[Sync], owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, resource: Resource[Async], owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, resource: Resource[Any] | None, owner: type) -> Any:
        """Return the method of a resource."""
        if resource is None:
            return self

        @wraps(self.plan)
        def make(*args: P.args, **kwargs: P.kwargs) -> Any:
            return resource.carrier.carry(self.plan(resource, *args, **kwargs))

        return make


class Paged(Generic[P, T]):
    """A method that gives the items of all pages, one after the other. Raises as `Single` does, on the way."""

    def __init__(self, plan: Callable[Concatenate[Any, P], Call[Page[T]]]) -> None:
        self.plan = plan
        self.__doc__ = plan.__doc__

    @overload
    def __get__(self, resource: None, owner: type) -> Self: ...
    @overload
    def __get__(self, resource: Resource[Sync], owner: type) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, resource: Resource[Async], owner: type) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, resource: Resource[Any] | None, owner: type) -> Any:
        """Return the method of a resource."""
        if resource is None:
            return self

        @wraps(self.plan)
        def walk(*args: P.args, **kwargs: P.kwargs) -> Any:
            return resource.carrier.walk(self.plan(resource, *args, **kwargs))

        return walk
