"""A load generator: a process of its own that keeps some connections busy and says what it saw.

It reads orders, one JSON object a line, and answers each with one line. A body may hold `{serial}`: a number that is
another in every request of the process.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Mapping
from statistics import quantiles
from typing import Any

import aiohttp

Order = Mapping[str, Any]

_serial = itertools.count(1)


async def send(session: aiohttp.ClientSession, order: Order) -> None:
    """Make one request and read its answer. Raises RuntimeError where it is refused."""
    body = order["body"]
    content = body.replace("{serial}", str(next(_serial))).encode() if body is not None else None
    async with session.request(order["method"], order["url"], data=content, headers=order["headers"]) as response:
        answer = await response.read()
        if response.status >= 400:
            raise RuntimeError(f"{order['method']} {order['url']}: {response.status} {answer[:500]!r}")


async def obey(order: Order) -> Mapping[str, Any]:
    """Keep `connections` busy for `seconds`, or for so many `requests`, and return what came of it."""
    found: list[float] = []
    connector = aiohttp.TCPConnector(limit=order["connections"])
    async with aiohttp.ClientSession(connector=connector) as session:
        # The connections, and whatever the server makes at its first request, are not what is measured.
        await asyncio.gather(*(send(session, order) for _ in range(order["connections"])))
        began, cpu = time.perf_counter(), time.process_time()
        until, most = began + order["seconds"], itertools.count()

        async def keep_busy() -> None:
            while next(most) < order["requests"]:
                sent = time.perf_counter()
                if sent >= until:
                    return
                await send(session, order)
                found.append(time.perf_counter() - sent)

        await asyncio.gather(*(keep_busy() for _ in range(order["connections"])))
        spent, cpu = time.perf_counter() - began, time.process_time() - cpu
    return {"seconds": spent, "cpu_seconds": cpu, "latencies": found}


def median_and_p99(found: list[float]) -> tuple[float, float]:
    """Return two of the percentiles, in milliseconds."""
    hundredths = quantiles(found, n=100, method="inclusive")
    return hundredths[49] * 1e3, hundredths[98] * 1e3


def main() -> None:
    """Obey until the input ends."""
    for line in sys.stdin:
        print(json.dumps(asyncio.run(obey(json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
