"""Imports until it is killed: `import_child.py KIND ADDRESS FOLDER`. Prints its reader's process, and each block."""

import asyncio
import os
import sys
from pathlib import Path

from callsheet.clock import SystemClock
from callsheet.engine.importer import Importer
from databases import Place


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())  # past every buffer: it is said when it is said


async def main(kind: str, address: str, folder: str) -> None:
    clock = SystemClock()
    store = await Place(kind, address, clock).open()
    importer = Importer(store, clock, Path(folder), on_rows=lambda: say(f"block {importer._reader.pid}"))
    importing = asyncio.create_task(importer.run())
    while await store.imports.unfinished():
        await asyncio.sleep(0.02)
    importer.stop()
    await importing
    await store.close()
    say("done")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
