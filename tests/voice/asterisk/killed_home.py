"""A process that places a call through a node of its own, says so, and waits to be killed."""

import asyncio
import sys
from pathlib import Path

from callsheet.core.sip import SipTrunk
from callsheet.voice.base import Answered
from voice_nodes import dial, running_home


async def main(folder: str, port: str, number: str) -> None:
    async with running_home(Path(folder), SipTrunk("trk-1", "127.0.0.1", int(port))) as home:
        call, ear = await dial(home, number)
        await ear.hears(Answered)
        sys.stderr.write(f"{call.id} {home.standing.pid}\n")
        await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
