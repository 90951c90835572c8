"""`callsheet serve` with a clock that can be set forward: a file says by how many seconds.

python tests/chaos/later.py DATA PORT FILE
"""

import asyncio
import sys
from datetime import datetime, timedelta
from pathlib import Path

from callsheet.cli.preparing import prepare
from callsheet.cli.serving import serving
from callsheet.cli.stopping import told_to_stop
from callsheet.clock import SystemClock


class LaterClock(SystemClock):
    """The machine's clock, later by what the file says: as if everybody had slept meanwhile."""

    def __init__(self, said: Path) -> None:
        self._said = said

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=float(self._said.read_text()))


async def serve(data: Path, port: int, said: Path) -> None:
    with told_to_stop() as told:
        async with serving(prepare(data=data, host=None, port=port), clock=LaterClock(said)):
            await told.wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
