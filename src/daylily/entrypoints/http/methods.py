"""Which methods there are at an address, as ``OPTIONS`` tells."""

from collections.abc import Mapping
from typing import Self

from attrs import frozen
from litestar import Litestar
from litestar.datastructures import MutableScopeHeaders
from litestar.routes import HTTPRoute
from litestar.types import Message, Scope


@frozen
class Methods:
    """
    Says all methods of an address.

    The framework's own answer knows only of the first handler that was registered there.
    """

    _known: Mapping[str, str]

    @classmethod
    def of(cls, asgi: Litestar) -> Self:
        """Return those of an application that has all its routes."""
        routes = [route for route in asgi.routes if isinstance(route, HTTPRoute)]
        return cls({route.path_format: ", ".join(sorted(route.route_handler_map)) for route in routes})

    async def tell(self, message: Message, scope: Scope) -> None:
        """Correct an answer to ``OPTIONS``."""
        if message["type"] == "http.response.start" and scope.get("method") == "OPTIONS":
            headers = MutableScopeHeaders.from_message(message)
            known = self._known.get(str(scope.get("path_template")))
            if known is not None and "allow" in headers:
                headers["allow"] = known
