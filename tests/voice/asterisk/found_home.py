"""A process that goes on with the node of another, says which process that is, and stops it."""

import asyncio
import sys
from pathlib import Path

from callsheet.core.sip import SipTrunk
from voice_nodes import running_home


async def main(folder: str, port: str) -> None:
    async with running_home(Path(folder), SipTrunk("trk-1", "127.0.0.1", int(port))) as home:
        sys.stderr.write(f"{home.standing.pid}\n")


asyncio.run(main(*sys.argv[1:]))
