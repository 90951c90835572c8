"""A child process for tests: it answers what it is asked, and misbehaves when it is told to."""

import os
import sys
import time

from callsheet.voice.child.serving import serve


def _answer(body: bytes) -> bytes:
    match body.split(b" "):
        case [b"die"]:
            os._exit(3)
        case [b"die-once", path]:
            _die_once(path)
            return b"lived"
        case [b"spin"]:
            while True:
                pass
        case [b"hang"]:
            time.sleep(3600)
        case [b"raise"]:
            raise ValueError("a secret")
        case [b"eat"]:
            return bytes(4 * 1024**3)
        case [b"environment", name]:
            return os.environb.get(name, b"")
        case [b"print"]:
            sys.stdout.write("noise")
            sys.stdout.flush()
            return b"printed"
    return body


def _die_once(path: bytes) -> None:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    os._exit(3)


if __name__ == "__main__":
    serve(lambda: _answer, cpu_seconds=0.5, memory_bytes=1024**3)
