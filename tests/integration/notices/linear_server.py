"""A GraphQL server that knows of issues what Linear knows of them."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from attrs import define, field

KEY: Final = "lin_api_0123456789abcdef"


@define
class Linear:
    """What is there, and how the server is to behave."""

    url: str = ""
    issues: dict[str, dict[str, Any]] = field(factory=dict)
    asked: list[dict[str, Any]] = field(factory=list)
    keys: list[str] = field(factory=list)
    lose_answers: bool = False
    """Do what is asked, and break off instead of answering."""
    answer: tuple[int, bytes] | None = None
    """What to answer instead of anything else."""
    _mutex: threading.Lock = field(init=False, factory=threading.Lock)

    def respond(self, key: str, asked: dict[str, Any]) -> tuple[int, Any]:
        """Return status and content."""
        with self._mutex:
            self.keys.append(key)
            self.asked.append(asked)
            if key != KEY:
                return 401, _error(f"Authentication required, not authenticated as {key}")
            if "issueCreate" not in asked["query"]:
                issue = self.issues.get(asked["variables"]["id"])
                return 200, {"data": {"issue": issue}} if issue else _error("Entity not found: Issue")
            given = asked["variables"]["input"]
            if given["id"] in self.issues:
                return 400, _error("Entity Issue with the id already exists")
            number = len(self.issues) + 1
            issue = {**given, "identifier": f"ENG-{number}", "url": f"https://linear.app/ENG-{number}"}
            self.issues[given["id"]] = issue
            return 200, {"data": {"issueCreate": {"success": True, "issue": issue}}}


def _error(message: str) -> dict[str, Any]:
    return {"data": None, "errors": [{"message": message, "extensions": {"type": "invalid input"}}]}


@contextmanager
def linear_server() -> Iterator[Linear]:
    """Yield a server of its own on loopback."""
    linear = Linear()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """Answer a query."""
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            status, content = linear.respond(self.headers["authorization"], asked)
            body = json.dumps(content).encode()
            if linear.answer is not None:
                status, body = linear.answer
            if linear.lose_answers:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128  # as many as may come at once

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    linear.url = f"http://127.0.0.1:{server.server_port}/graphql"
    try:
        yield linear
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
