"""Somebody's server that takes webhooks, and checks whose they are."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from attrs import define, field
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from standardwebhooks.webhooks import Webhook, WebhookVerificationError


@define
class Receiver:
    """What has come in, and how the server is to behave."""

    secret: str
    url: str = ""
    events: list[Any] = field(factory=list)
    """CloudEvents as their own library reads them; repeats too."""
    forged: int = 0
    """Messages whose signature was not ours."""
    answer: int = 204

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Return the status to answer."""
        try:
            Webhook(self.secret).verify(body, headers)
        except WebhookVerificationError:
            self.forged += 1
            return 401
        if self.answer < 300:
            self.events.append(from_http_event(HTTPMessage(headers, body)))
        return self.answer


@contextmanager
def webhook_server(secret: str) -> Iterator[Receiver]:
    """Yield a server of its own on loopback."""
    receiver = Receiver(secret)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(receiver.take(dict(self.headers.items()), body))
            self.send_header("location", f"{receiver.url}elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 64  # many come at once

    with Server(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()
