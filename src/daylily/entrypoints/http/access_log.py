"""One line for each request, in the log; and clients that stand still are let go."""

import re
import time
from typing import Any, Final

import structlog
from anyio import fail_after

from daylily.application.subject import about
from daylily.entrypoints.http.errors import CutShortError
from daylily.entrypoints.http.security import request_id

BODY_WITHIN: Final = 60.0
"""Seconds without a byte of its body after which a request is given up."""
_BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
_MEMBER: Final = re.compile(r"(/members/)[^/]+")
"""People are known by their addresses."""
_LONGEST: Final = 300
"""Characters of a path, or of whatever stands for a method."""

_log = structlog.stdlib.get_logger("daylily.access")


class Logged:
    """
    An ASGI application around ours, which tells how each request was answered.

    Told are the method, the path without its query, the status, the bytes, the time, the caller, the
    address and the request's id: no header and no query, since these may hold secrets.
    """

    def __init__(self, asgi: Any) -> None:
        self._asgi = asgi

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer as ASGI has it."""
        if scope["type"] != "http":
            await self._asgi(scope, receive, send)
            return
        began, told = time.perf_counter(), {"status": 499, "bytes": 0}

        async def noted(message: Any) -> None:
            if message["type"] == "http.response.start":
                told["status"] = message["status"]
            elif message["type"] == "http.response.body":
                told["bytes"] += len(message.get("body", b""))
            await send(message)

        try:
            await self._asgi(scope, receive, noted)
        finally:
            self._tell(scope, told, time.perf_counter() - began)

    @staticmethod
    def _tell(scope: Any, told: dict[str, int], took: float) -> None:
        who, client = scope.get("user"), scope.get("client")
        _log.info(
            "request",
            method=scope["method"][:_LONGEST],
            path=masked_path(scope),
            status=told["status"],
            bytes=told["bytes"],
            ms=round(took * 1000, 1),
            caller=f"{who.customer_id}/{who.name}" if who is not None else None,
            client=client[0] if client else None,
            request_id=request_id(scope),
            **_workset(scope),
        )


def _workset(scope: Any) -> dict[str, str]:
    named = scope.get("path_params", {}).get("workset_id")
    return {"workset": str(named)[:_LONGEST]} if named else {}


def masked_path(scope: Any) -> str:
    """Return the path of a request as it may stand in a log: one line, no signature, no address."""
    raw = scope.get("raw_path") or scope["path"].encode()
    path = raw.partition(b"?")[0].decode("latin-1")
    if "/signed/" in path:  # wherever this is mounted
        path = path.partition("/signed/")[0] + "/signed/********"
    path = _MEMBER.sub(r"\1********", path)
    plain = "".join(c if c.isascii() and c.isprintable() else "?" for c in path[:_LONGEST])
    return plain if len(path) <= _LONGEST else f"{plain}..."


def named(app: Any) -> Any:
    """Return a middleware that has all that is logged of a request name its workset, if it has one."""

    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        ids = _workset(scope)
        if not ids:
            await app(scope, receive, send)
            return
        with about(None, **ids):
            await app(scope, receive, send)

    return middleware


def patient(app: Any) -> Any:
    """Return a middleware that gives up a request whose body has stood still for too long."""

    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] in _BODILESS:
            await app(scope, receive, send)
            return
        whole = False

        async def within() -> Any:
            nonlocal whole
            if whole:
                return await receive()
            try:
                with fail_after(BODY_WITHIN):
                    message = await receive()
            except TimeoutError:
                raise CutShortError(f"nothing came for {BODY_WITHIN:.0f} seconds") from None
            whole = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        await app(scope, within, send)

    return middleware
