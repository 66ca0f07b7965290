"""One set of routes at two addresses: ``/v1/worksets``, as documented, and ``/worksets``, as of old."""

from typing import Any, Final

from litestar import Litestar, Router

from daylily.application.subject import about
from daylily.entrypoints.http.security import request_id

PREFIX: Final = "/v1"
"""Below which the routes of the API stand."""


class Service(Litestar):
    """
    An application whose API answers without its prefix, too, and whose logs name the request.

    To put each route in place a second time would take as long as the first, and grow with them.
    ``raw_path`` stays as the caller wrote it; ``path`` is the route's.
    """

    def __init__(self, api: list[Router], others: list[Any], **arguments: Any) -> None:
        """
        Put the routes in place.

        Args:
            api: Routers at ``PREFIX``.
            others: Those at one address alone.
            arguments: Litestar's own.
        """
        super().__init__([*others, *api], **arguments)
        self._first_parts = {route.path.split("/")[2] for router in api for route in router.routes}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """See Litestar."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        # Where this is mounted below a path, that stands in front of each, and Litestar takes it off.
        root = scope.get("root_path", "")
        path = scope["path"].removeprefix(root)
        if _first_part(path) in self._first_parts:
            scope["path"] = root + PREFIX + path
        # Around all else: errors are answered, and told to the log, outside of any middleware.
        with about(request_id=request_id(scope)):
            await super().__call__(scope, receive, send)


def path_asked_for(scope: Any) -> str:
    """Return the path of a request as the caller wrote it, escapes and all."""
    raw: bytes = scope["raw_path"].partition(b"?")[0]
    return raw.decode("latin-1")


def unprefixed(path: str) -> str:
    """
    Return a path as it was of old.

    >>> unprefixed("/v1/worksets"), unprefixed("/worksets")
    ('/worksets', '/worksets')
    """
    return path.removeprefix(PREFIX)


def _first_part(path: str) -> str:
    return path.lstrip("/").partition("/")[0]
