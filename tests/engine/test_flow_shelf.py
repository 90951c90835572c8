"""Large flows are read beside everything else that the node does."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from callsheet.engine.flow_shelf import LARGE, read_body
from core.flow.documents import MESSAGE, block, container, flow, other


class Counting(ThreadPoolExecutor):
    """Threads that count what they are given."""

    given = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.given += 1
        return super().submit(fn, *args, **kwargs)


@pytest.mark.parametrize(("length", "threads"), [(10, 0), (LARGE, 1)])
async def test_only_a_large_flow_is_read_in_a_thread(length, threads):
    counting = Counting(1)
    asyncio.get_running_loop().set_default_executor(counting)
    document = container(flow("f", block("a", MESSAGE, other(), prompt="x")))

    found = await read_body(msgspec.json.encode({**document, "vendor": "x" * length}).decode())

    assert (found.first, counting.given) == ("f", threads)
