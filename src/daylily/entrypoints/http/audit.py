"""Every change that somebody asks for goes into the audit trail, whatever becomes of it."""

import logging
from typing import Any, Final

from anyio import to_thread
from litestar import Request
from litestar.types import Message, Scope

from daylily.bootstrap import App
from daylily.domain.customers import Principal
from daylily.domain.errors import DaylilyError
from daylily.entrypoints.http.prefix import path_asked_for
from daylily.entrypoints.http.security import SAFE_METHODS, request_id

UNHEARD: Final = "audited"
"""The key of a handler's ``opt`` that says, by False, that it writes its own entries, or none."""

_CONCERNS: Final = "daylily_concerns"
_TARGET: Final = "daylily_target"
_log = logging.getLogger(__name__)


def concerns(request: Request[Any, Any, Any], customer_id: str) -> None:
    """Say whose trail tells of a request, where its path does not: only of what the caller sees."""
    scope: Any = request.scope
    scope[_CONCERNS] = customer_id


def targets(request: Request[Any, Any, Any], target: str) -> None:
    """Say what a request is about, where neither its path nor ``Location`` tells it to people."""
    scope: Any = request.scope
    scope[_TARGET] = target


class Audit:
    """
    Writes an entry before the answer goes out, so that whoever has an answer also has an entry.

    What was done is done: should the trail not answer, the log is told, and the caller gets theirs.
    """

    def __init__(self, app: App) -> None:
        self._trail = app.audit

    async def __call__(self, message: Message, scope: Scope) -> None:
        """See Litestar's ``before_send``."""
        if message["type"] != "http.response.start" or scope.get("method") in SAFE_METHODS:
            return
        asked: Any = scope
        who, handler = asked.get("user"), asked.get("route_handler")
        if not isinstance(who, Principal) or handler is None or handler.opt.get(UNHEARD) is False:
            return
        status = int(message["status"])
        headers = {name.lower(): value for name, value in message.get("headers", ())}
        path = path_asked_for(scope)
        target = asked.get(_TARGET) or headers.get(b"location", b"").decode("latin-1") or path
        action = str(getattr(handler, "operation_id", None) or handler.handler_name)
        await to_thread.run_sync(self._record, who, asked, action, target, status)

    def _record(self, who: Principal, scope: Any, action: str, target: str, status: int) -> None:
        named = str(scope.get(_CONCERNS) or scope.get("path_params", {}).get("cid", ""))
        # Whoever reaches for somebody else's leaves a trace in their own trail.
        customer_id = named if named and status != 404 and who.sees(named) else who.customer_id
        try:
            self._trail.record(
                customer_id,
                actor=who.name,
                action=action,
                target=target,
                outcome=str(status),
                request_id=request_id(scope),
            )
        except DaylilyError as error:
            _log.error("%s by %s is missing in the audit trail: %s", action, who.name, error)
