"""A server that takes whatever it is sent, and remembers only how much that was."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class Sink:
    """Answers every request alike, or with silence; a context manager."""

    def __init__(self, answer: bytes = b"{}", *, silent: bool = False) -> None:
        self.taken_bytes = 0
        self.requests = 0
        self._done = threading.Event()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self) -> None:
                sink.requests += 1
                while self.headers.get("Transfer-Encoding") and (size := int(self.rfile.readline(), 16)):
                    sink.taken_bytes += size
                    for part in (65536,) * (size // 65536) + (size % 65536 + 2,):
                        self.rfile.read(part)
                if silent:
                    sink._done.wait(30)
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = handle_one  # noqa: N815 (the standard library's names)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # who is cut off is not surprised
        self.base_url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._server.shutdown()
        self._server.server_close()
