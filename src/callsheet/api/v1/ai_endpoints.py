"""AI endpoints: the language models that flows talk to."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints

from callsheet.account import Written
from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Body, Instant, Limit, LongName, Page, no_cursor, page_of
from callsheet.api.v1.strict import Router
from callsheet.core.errors import AiEndpointNotFound, BodyTooLarge, FieldError, Invalid, NameTaken
from callsheet.core.fence import LONGEST_URL
from callsheet.core.flow.completion import Prices
from callsheet.engine.runtime import Runtime
from callsheet.store.ai_endpoints import AiEndpoint

router = Router(prefix="/v1/apps/{app}/ai-endpoints", tags=["ai-endpoints"])

_DEAREST = 1_000_000
_BaseUrl = Annotated[str, StringConstraints(max_length=LONGEST_URL)]
_Key = Annotated[str, Written(r"^[!-~]{0,2000}$", "A key is one word of ASCII, of at most 2,000 characters.")]
_Price = Annotated[float, Field(ge=0, le=_DEAREST, allow_inf_nan=False, strict=True)]


class TokenPrices(Body):
    """What a million tokens cost, in whatever currency the limits of flows mean."""

    input: _Price = 0.0
    """Of what is asked."""
    output: _Price = 0.0
    """Of what is answered."""


class NewAiEndpoint(Body):
    """An endpoint to be: anything that speaks OpenAI's chat completions."""

    name: LongName
    """What flows call it; no two of an app have one name."""
    base_url: _BaseUrl
    """What stands before `/chat/completions`, such as `https://api.example.com/v1`."""
    model: LongName
    """Which model is asked where a flow names none."""
    api_key: _Key = ""
    """Goes along as `Authorization: Bearer`. It is sealed, and shown to nobody again. Empty: none is needed."""
    prices: TokenPrices = Field(default_factory=TokenPrices)
    """For the limits of cost in flows, and their sums."""


class ChangedAiEndpoint(Body):
    """What is to change; what is not named stays as it is."""

    name: LongName = ""
    """What flows call it."""
    base_url: _BaseUrl = ""
    """What stands before `/chat/completions`."""
    model: LongName = ""
    """Which model is asked where a flow names none."""
    api_key: _Key = ""
    """The next key; empty: none is needed any more."""
    prices: TokenPrices = Field(default_factory=TokenPrices)
    """What a million tokens cost; of the two as well, what is not named stays."""


class ShownPrices(BaseModel):
    """What a million tokens cost."""

    input: float
    output: float


class ShownAiEndpoint(BaseModel):
    """An endpoint. Its key is not shown."""

    id: str
    name: str
    base_url: str
    model: str
    has_api_key: bool
    prices: ShownPrices | None
    """Null when what is stored of them cannot be read: then nothing is asked, until both are given again."""
    created_at: Instant
    updated_at: Instant


@router.post("", status_code=201, responses=problems(NameTaken, BodyTooLarge))
async def create_ai_endpoint(runtime: Served, app: Tenant, new: NewAiEndpoint) -> ShownAiEndpoint:
    """Make a language model known to the flows of the app. It is not asked anything now."""
    values = _values(runtime, new)
    return _show(await runtime.store.ai_endpoints.create(app.no, values, runtime.clock.now()))


@router.get("")
async def list_ai_endpoints(
    runtime: Served, app: Tenant, after: After = None, limit: Limit = USUAL_LIMIT
) -> Page[ShownAiEndpoint]:
    """Return the AI endpoints, oldest first."""
    last = await runtime.store.ai_endpoints.find(app.no, after) if after else None
    if after and last is None:
        raise no_cursor()
    first = last.no if last is not None else 0
    found = await runtime.store.ai_endpoints.of_app(app.no, after=first, limit=limit + 1)
    return page_of([_show(one) for one in found], limit, lambda one: one.id)


@router.get("/{ai_endpoint_id}", responses=problems(AiEndpointNotFound))
async def get_ai_endpoint(runtime: Served, app: Tenant, ai_endpoint_id: str) -> ShownAiEndpoint:
    """Return an AI endpoint."""
    return _show(await runtime.store.ai_endpoints.find(app.no, ai_endpoint_id))


@router.patch("/{ai_endpoint_id}", responses=problems(AiEndpointNotFound, NameTaken, BodyTooLarge))
async def change_ai_endpoint(
    runtime: Served, app: Tenant, ai_endpoint_id: str, changed: ChangedAiEndpoint
) -> ShownAiEndpoint:
    """Change an AI endpoint. What is asked from now on goes by it, in conversations that are open too."""
    values = _values(runtime, changed)
    return _show(await runtime.store.ai_endpoints.change(app.no, ai_endpoint_id, values, runtime.clock.now()))


@router.delete("/{ai_endpoint_id}", status_code=204, responses=problems(AiEndpointNotFound))
async def delete_ai_endpoint(runtime: Served, app: Tenant, ai_endpoint_id: str) -> None:
    """Delete an AI endpoint. A flow that names it gets no answer then, and goes on by its default exit."""
    if not await runtime.store.ai_endpoints.delete(app.no, ai_endpoint_id):
        raise AiEndpointNotFound


def _values(runtime: Runtime, body: NewAiEndpoint | ChangedAiEndpoint) -> dict[str, Any]:
    """Return the columns that a body gives. Raises Invalid."""
    values = body.model_dump(exclude_unset=isinstance(body, ChangedAiEndpoint))
    if "base_url" in values:
        fault = runtime.outside.fence.fault_of(body.base_url)
        if fault is None and set(body.base_url) & set("?#"):
            fault = "Give the URL without a query."
        if fault is not None:
            raise Invalid([FieldError("base_url", fault)])
    if isinstance(body, NewAiEndpoint):
        values["prices"] = Prices(body.prices.input, body.prices.output)
    return values


def _show(found: AiEndpoint | None) -> ShownAiEndpoint:
    if found is None:
        raise AiEndpointNotFound
    prices = found.prices
    return ShownAiEndpoint(
        id=found.id,
        name=found.name,
        base_url=found.base_url,
        model=found.model,
        has_api_key=found.has_key,
        prices=ShownPrices(input=prices.input, output=prices.output) if prices is not None else None,
        created_at=found.created_at,
        updated_at=found.updated_at,
    )
