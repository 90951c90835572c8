"""Routes that refuse a query parameter which they do not declare: a slip of the pen must not list everything."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from functools import cache
from typing import Annotated, Any, NoReturn

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model

_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Router(APIRouter):
    """The routes of a resource."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given, route_class=_Route)


class _Route(APIRoute):
    """A route that knows which parameters it has, and names strange ones beside all else that is wrong."""

    def get_route_handler(self) -> _Handler:
        """Return what answers a request."""
        handle = super().get_route_handler()
        known = tuple(dict.fromkeys(_parameters(self.dependant)))

        @cache
        def refusing() -> _Handler:
            # A twin that asks for more than can be met, so that its endpoint never runs. Who spells well pays nothing.
            wants = [Depends(_nothing_but(known))]
            return APIRoute(self.path, self.endpoint, dependencies=wants, response_model=None).get_route_handler()

        async def answer(request: Request) -> Response:
            is_strange = not request.query_params.keys() <= set(known)
            return await (refusing() if is_strange else handle)(request)

        return answer


def _parameters(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _parameters(inner)


def _nothing_but(known: Sequence[str]) -> Callable[..., Awaitable[None]]:
    """Make a dependency that finds every other parameter wrong."""
    names = f"Known here: {', '.join(known)}" if known else "This call has none"

    def refuse(_: object) -> NoReturn:
        raise ValueError(f"There is no such parameter. {names}")

    class Others(BaseModel):
        model_config = ConfigDict(extra="allow")
        __pydantic_extra__: dict[str, Annotated[Any, BeforeValidator(refuse)]]

    fields: dict[str, Any] = {f"known_{place}": (object, Field(None, alias=name)) for place, name in enumerate(known)}
    asked: type[BaseModel] = create_model("Asked", __base__=Others, **fields)

    async def check(_: object) -> None:
        """Do nothing: what is strange is found when the parameters are read."""

    check.__annotations__["_"] = Annotated[asked, Query()]
    return check
