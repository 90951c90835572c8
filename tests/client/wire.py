"""A wire between a client and a server that breaks where a test wants it to."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

CUT = b"Connection: close"
"""Behind an answer with this the connection is cut, however long the answer said that it was."""


class Wire:
    """Passes on what goes through; a context manager. Connections and requests are counted."""

    def __init__(self, to: str) -> None:
        self.to = to
        self.connections = 0
        self.requests = 0
        self.answers_to_swallow = 0
        """So many answers are heard from the server, and their connection is cut instead of passing them on."""
        self.when_swallowed: Callable[[], None] = lambda: None
        self.instead: list[bytes] = []
        """What is answered instead of passing the next requests on."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: set[socket.socket] = set()

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for one in (self._listener, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        address = urlsplit(self.to)
        with near, suppress(OSError), socket.create_connection((address.hostname, address.port)) as far:
            self._open |= {near, far}
            threading.Thread(target=self._answer, args=(far, near), daemon=True).start()
            while chunk := near.recv(65536):
                # A client sends a request's head in one piece.
                self.requests += b" HTTP/1.1\r\n" in chunk
                if self.instead:
                    said = self.instead.pop(0)
                    near.sendall(said)
                    if CUT in said:
                        break
                else:
                    far.sendall(chunk)
            near.shutdown(socket.SHUT_RDWR)

    def _answer(self, far: socket.socket, near: socket.socket) -> None:
        with suppress(OSError):
            while chunk := far.recv(65536):
                if self.answers_to_swallow:
                    self.answers_to_swallow -= 1
                    self.when_swallowed()
                    break
                near.sendall(chunk)
        for one in (near, far):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


def answer(status: str, body: bytes = b"", **headers: str) -> bytes:
    """Write an answer."""
    said = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status}\r\n{said}Content-Length: {len(body)}\r\n\r\n".encode() + body
