"""A line to a store that can be cut, and mended."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from attrs import define, evolve, field
from tests.integration.aws.engines import Endpoint


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128


@define(eq=False)
class Line:
    """Hands bytes on to *target* and back, unless it is cut: then every connection ends at once."""

    target: Endpoint
    _server: _Server = field(init=False)
    _open: set[socket.socket] = field(init=False, factory=set)
    _cut: threading.Event = field(init=False, factory=threading.Event)

    def __attrs_post_init__(self) -> None:
        line = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                line.carry(self.request)

        self._server = _Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def endpoint(self) -> Endpoint:
        """Where to ask."""
        return evolve(self.target, url=f"http://127.0.0.1:{self._server.server_address[1]}")

    @contextlib.contextmanager
    def cut(self) -> Iterator[None]:
        """Let nothing through, for the time of the ``with``."""
        self._cut.set()
        self._hang_up()
        yield
        self._cut.clear()

    def close(self) -> None:
        """End it."""
        self._cut.set()
        self._server.shutdown()
        self._hang_up()
        self._server.server_close()

    def carry(self, near: Any) -> None:
        """Hand on what comes over one connection, until either end hangs up."""
        address = urlsplit(self.target.url)
        if self._cut.is_set():
            return
        with socket.create_connection((address.hostname, address.port)) as far:
            self._open |= {near, far}
            back = threading.Thread(target=_pump, args=(far, near))
            back.start()
            _pump(near, far)
            back.join()
            self._open -= {near, far}

    def _hang_up(self) -> None:
        for connection in tuple(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
