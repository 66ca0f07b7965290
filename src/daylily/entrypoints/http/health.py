"""Whether the service is up, and whether what it stands on is; and its front door."""

import logging
from collections.abc import Callable

from litestar import MediaType, Request, Response, get
from litestar.response import Redirect

from daylily.domain.errors import UnavailableError
from daylily.entrypoints.http import examples
from daylily.entrypoints.http.describing import answer, described
from daylily.entrypoints.http.problems import RETRY_AFTER
from daylily.entrypoints.http.wiring import UseCases
from daylily.ports.state_store import Filter

_log = logging.getLogger(__name__)


@get(
    "/",
    sync_to_thread=False,
    **described(
        "knock",
        "health",
        example=examples.FRONT_DOOR,
        also={302: answer("Browsers are led to the portal.", None)},
        public=True,
    ),
)
def front_door(
    request: Request[object, object, object],  # type: ignore[type-var]
    app: UseCases,
) -> Response[dict[str, str]] | Redirect:
    """Send people to the portal, and tell programs that we are here (contract 4.1)."""
    if "text/html" in request.headers.get("accept", ""):
        return Redirect("/portal", status_code=302)
    now = app.world.clock().isoformat().replace("+00:00", "Z")
    return Response(
        {"status": "healthy", "service": "daylily-workset-monitor", "timestamp": now},
        media_type=MediaType.JSON,
    )


@get(
    "/health/live",
    sync_to_thread=False,
    **described("isLive", "health", example={"status": "live"}, public=True),
)
def live() -> dict[str, str]:
    """Tell that the process answers; nothing else is asked."""
    return {"status": "live"}


@get(
    "/health/ready",
    sync_to_thread=True,
    **described(
        "isReady",
        "health",
        example=examples.READY,
        also={503: answer("Something it stands on does not answer.", {"type": "object"})},
        public=True,
    ),
)
def ready(app: UseCases) -> Response[dict[str, object]]:
    """Tell whether the stores answer, and if not, which of them."""
    world = app.world
    checks = {
        "state_store": _answers(lambda: world.store.list(Filter(), limit=1)),
        "object_store": _answers(lambda: world.objects.entries("", limit=1)),
        "customers": _answers(lambda: world.customers.list(limit=1)),
    }
    fine = all(word == "up" for word in checks.values())
    return Response(
        {"status": "ready" if fine else "not ready", "checks": checks},
        status_code=200 if fine else 503,
        headers={} if fine else {"Retry-After": RETRY_AFTER},
        media_type=MediaType.JSON,
    )


def _answers(ask: Callable[[], object]) -> str:
    try:
        ask()
    except UnavailableError as error:
        _log.warning("not ready: %s", error)
        return "down"
    return "up"
