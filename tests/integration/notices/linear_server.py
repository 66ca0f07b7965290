"""
A GraphQL server that knows of issues what Linear knows of them.

Its schema is an excerpt of Linear's own, and graphql-core enforces it: a field, an input or a type that
Linear does not have is refused here too. Limits are answered as Linear documents them: status 400, the
code ``RATELIMITED``, and headers that say when they are reset, in milliseconds since 1970.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from attrs import define, field
from graphql import GraphQLError, GraphQLSchema, build_schema, graphql_sync

KEY: Final = "lin_api_0123456789abcdef"
TEAM: Final = "team-7"
SCHEMA: Final = Path(__file__).parents[2] / "data" / "linear" / "schema.graphql"
_OPEN: Final = {"id": "state-todo", "name": "Todo", "type": "unstarted", "position": 1.0}
DONE: Final = {"id": "state-done", "name": "Done", "type": "completed", "position": 4.0}
RELEASED: Final = {"id": "state-released", "name": "Released", "type": "completed", "position": 5.0}
LIMIT: Final = 2500


@define
class Linear:
    """What is there, and how the server is to behave."""

    url: str = ""
    issues: dict[str, dict[str, Any]] = field(factory=dict)
    """Each with its comments and its state."""
    asked: list[dict[str, Any]] = field(factory=list)
    keys: list[str] = field(factory=list)
    lose_answers: bool | str = False
    """Do what is asked, and break off instead of answering; or do so after a mutation of that name."""
    before: Callable[[str], bytes | None] = lambda _: None
    """Told of each query before it is answered; may say what to answer, with status 400, instead."""
    answer: tuple[int, bytes] | None = None
    """What to answer instead of anything else."""
    states: list[dict[str, Any]] = field(factory=lambda: [_OPEN, RELEASED, DONE])
    """Of the team."""
    limited: dict[str, datetime] = field(factory=dict)
    """Which limits are used up until when: ``Requests``, ``Complexity``, ``Endpoint-Requests``."""
    ahead: timedelta = timedelta()
    """How far the server's clock is ahead."""
    changes: list[str] = field(factory=list)
    """Mutations that were carried out, in order."""
    _schema: GraphQLSchema = field(init=False, factory=lambda: build_schema(SCHEMA.read_text()))
    _mutex: threading.Lock = field(init=False, factory=threading.Lock)

    @property
    def now(self) -> datetime:
        """What its clock says."""
        return datetime.now(UTC) + self.ahead

    def respond(self, key: str, asked: dict[str, Any]) -> tuple[int, Any]:
        """Return status and content."""
        with self._mutex:
            self.keys.append(key)
            self.asked.append(asked)
            if key != KEY:
                return 401, _error(f"Authentication required, not authenticated as {key}")
            if self.limited:
                return 400, _error("Rate limit exceeded", "RATELIMITED")
            root = {
                "issue": self._look,
                "issues": self._find,
                "issueCreate": self._create,
                "issueUpdate": self._move,
                "commentCreate": self._comment,
            }
            result = graphql_sync(
                self._schema, asked["query"], root, variable_values=asked["variables"]
            )
            return (200 if result.errors is None else 400), result.formatted

    def headers(self) -> Iterator[tuple[str, str]]:
        """Yield those that each answer has."""
        yield "date", format_datetime(self.now, usegmt=True)
        yield "x-complexity", "12"
        for limit in dict.fromkeys(["Requests", "Complexity", *self.limited]):
            reset = self.limited.get(limit, self.now + timedelta(minutes=50))
            yield f"X-RateLimit-{limit}-Limit", str(LIMIT)
            yield f"X-RateLimit-{limit}-Remaining", "0" if limit in self.limited else "1999"
            yield f"X-RateLimit-{limit}-Reset", str(int(reset.timestamp() * 1000))

    # What the schema resolves to

    def _look(self, _: Any, id: str) -> dict[str, Any]:  # noqa: A002 - the schema's name
        if id not in self.issues:
            raise GraphQLError("Entity not found: Issue", extensions={"type": "invalid input"})
        return self._shown(self.issues[id])

    def _find(self, _: Any, filter: dict[str, Any], first: int) -> dict[str, Any]:  # noqa: A002
        wanted = filter["id"]["in"]
        found = [self._shown(each) for each in self.issues.values() if each["id"] in wanted]
        return {"nodes": found[:first]}

    def _shown(self, issue: dict[str, Any]) -> dict[str, Any]:
        def comments(_: Any, filter: dict[str, Any], first: int) -> dict[str, Any]:  # noqa: A002
            found = [each for each in issue["comments"] if each["id"] in filter["id"]["in"]]
            return {"nodes": found}

        def states(_: Any, filter: dict[str, Any], first: int) -> dict[str, Any]:  # noqa: A002
            return {"nodes": [each for each in self.states if each["type"] == filter["type"]["eq"]]}

        team = {"id": TEAM, "name": "Genomes", "states": states}
        return {**issue, "comments": comments, "team": team}

    def _create(self, _: Any, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
        if input["id"] in self.issues:
            raise GraphQLError("Entity Issue with the id already exists")
        number = len(self.issues) + 1
        issue = {**input, "identifier": f"ENG-{number}", "url": f"https://linear.app/ENG-{number}"}
        self.issues[input["id"]] = {**issue, "state": _OPEN, "comments": []}
        return self._changed("issueCreate", issue=issue)

    def _move(self, _: Any, id: str, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
        (state,) = (each for each in self.states if each["id"] == input["stateId"])
        self.issues[id]["state"] = state
        return self._changed("issueUpdate", issue=None)

    def _comment(self, _: Any, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
        issue = self.issues[input["issueId"]]
        if input["id"] in [each["id"] for each in issue["comments"]]:
            raise GraphQLError("Entity Comment with the id already exists")
        issue["comments"].append(input)
        return self._changed("commentCreate", comment=input)

    def _changed(self, name: str, **what: Any) -> dict[str, Any]:
        self.changes.append(name)
        return {"success": True, "lastSyncId": float(len(self.changes)), **what}


def _error(message: str, code: str = "AUTHENTICATION_ERROR") -> dict[str, Any]:
    return {"data": None, "errors": [{"message": message, "extensions": {"code": code}}]}


@contextmanager
def linear_server() -> Iterator[Linear]:
    """Yield a server of its own on loopback."""
    linear = Linear()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """Answer a query."""
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            refusal = linear.before(asked["query"])
            status, content = 400, None
            if refusal is None:
                status, content = linear.respond(self.headers["authorization"], asked)
            body = refusal or json.dumps(content).encode()
            if linear.answer is not None:
                status, body = linear.answer
            if linear.lose_answers is True or linear.lose_answers in linear.changes[-1:]:
                self.close_connection = True
                return
            self.send_response_only(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            for name, value in linear.headers():
                self.send_header(name, value)
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
