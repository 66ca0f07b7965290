"""Clients that stand still are let go, and floods of headers refused: over real sockets."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from tests.integration.service.service import TOKEN, Service

from daylily.entrypoints import patience
from daylily.entrypoints.http import access_log
from daylily.entrypoints.http.app import create_asgi
from daylily.entrypoints.patience import PatientProtocol


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """A server that has very little patience."""
    monkeypatch.setattr(patience, "HEADERS_WITHIN", 0.3)
    monkeypatch.setattr(access_log, "BODY_WITHIN", 0.3)
    asgi = create_asgi(Service.new().app, admin_token=TOKEN)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(asgi, http=PatientProtocol, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield listener.getsockname()
    server.should_exit = True
    thread.join(20)
    listener.close()


def told(address: Any, *pieces: bytes) -> bytes:
    """Send bytes and nothing more, and return all that comes until the server has had enough."""
    with socket.create_connection(address, timeout=20) as client:
        for piece in pieces:
            client.sendall(piece)
        found = b""
        try:
            while piece := client.recv(65536):
                found += piece
        except ConnectionResetError:
            pass
        return found


HEAD = b"POST /api/customers/local/worksets HTTP/1.1\r\nHost: 127.0.0.1\r\n"
SIGNED = b"Authorization: Bearer " + TOKEN.encode() + b"\r\nContent-Type: application/json\r\n"


def test_headers_that_do_not_end(address: Any) -> None:
    """Nothing, or half of a header: the connection is closed; so is one that has been answered."""
    assert told(address) == b""
    assert told(address, HEAD + b"X-Slow: ") == b""
    again = told(address, b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"GET / HT")
    assert again.startswith(b"HTTP/1.1 200")
    assert again.count(b"HTTP/1.1") == 1


def test_bodies_that_do_not_end(address: Any) -> None:
    """A chunked body without an end, or less than was announced: 400, in our own words."""
    for more in (b"Transfer-Encoding: chunked\r\n\r\n4\r\n{   \r\n", b"Content-Length: 9\r\n\r\n{"):
        answer = told(address, HEAD + SIGNED + more)
        assert answer.startswith(b"HTTP/1.1 400")
        assert b"urn:daylily:problem:cut-short" in answer


def test_floods_of_headers(address: Any) -> None:
    """More headers than anybody needs are no request."""
    flood = b"".join(b"X-%d: %s\r\n" % (n, b"y" * 100) for n in range(2000))
    assert told(address, HEAD + flood + b"\r\n").startswith(b"HTTP/1.1 400")
