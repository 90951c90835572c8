"""An AI endpoint whose prices cannot be read is asked nothing: limits of cost would not hold."""

import pytest

from callsheet.core.errors import Invalid
from callsheet.core.flow.completion import Prices
from callsheet.core.flow.given import NoAnswer
from databases import change
from engine.test_asker import Asked, asked, endpoint, model, outcome
from model_server import model_server, says

__all__ = ["asked"]


@pytest.mark.parametrize("damage", ["", "{", "null", '{"input": "x"}'])
async def test_one_whose_prices_cannot_be_read_is_not_asked(asked: Asked, damage: str) -> None:
    async with model_server(says("Hello")) as server:
        await endpoint(asked, server.url)
        await change(asked.store, "update ai_endpoint set prices = :damage", damage=damage)
        answered = await outcome(asked, model())
    assert isinstance(answered, NoAnswer)
    assert "prices" in answered.why
    assert server.asked == []


async def test_both_prices_are_given_again(asked: Asked) -> None:
    await endpoint(asked, "http://127.0.0.1:1", prices=Prices(1.0, 2.0))
    await change(asked.store, "update ai_endpoint set prices = '{'")
    (found,) = await asked.store.ai_endpoints.of_app(asked.app.no, after=0, limit=2)
    assert found.prices is None
    now = await asked.store.hot.now()
    with pytest.raises(Invalid) as refused:
        await asked.store.ai_endpoints.change(asked.app.no, found.id, {"prices": {"input": 3.0}}, now)
    assert [fault.path for fault in refused.value.fields] == ["prices.output"]
    prices = {"prices": {"input": 3.0, "output": 4.0}}
    mended = await asked.store.ai_endpoints.change(asked.app.no, found.id, prices, now)
    assert mended is not None
    assert mended.prices == Prices(3.0, 4.0)
