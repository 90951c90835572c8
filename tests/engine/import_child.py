"""Imports until it is done or killed: `import_child.py KIND ADDRESS FOLDER`.

Prints the number of its reader's process after each block, and at the end what both have held at most.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from callsheet.clock import SystemClock
from callsheet.engine.importer import Importer
from databases import Place


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())  # past every buffer: it is said when it is said


def peak_megabytes(pid: int | str) -> int:
    """Return the most memory that a process has held."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return int((status.partition("VmHWM:")[2].split() or ["0"])[0]) // 1024


async def main(kind: str, address: str, folder: str) -> None:
    clock = SystemClock()
    store = await Place(kind, address, clock).open()
    reader_megabytes = 0

    def on_rows() -> None:
        nonlocal reader_megabytes
        say(f"block {importer._reader.pid}")
        reader_megabytes = max(reader_megabytes, peak_megabytes(importer._reader.pid or 0))

    importer = Importer(store, clock, Path(folder), on_rows=on_rows)
    importing = asyncio.create_task(importer.run())
    while await store.imports.unfinished():
        await asyncio.sleep(0.02)
    importer.stop()
    await importing
    await store.close()
    say(json.dumps({"megabytes": peak_megabytes("self"), "reader_megabytes": reader_megabytes}))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
