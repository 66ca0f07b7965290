"""Uploads from pages: the API's own routes, for browsers that are known by their cookie."""

from typing import Any, Final, cast
from urllib.parse import urlsplit

from litestar import Request, Router
from litestar.handlers import BaseRouteHandler

from daylily.bootstrap import App
from daylily.domain.errors import UnavailableError
from daylily.entrypoints.http import files, transfers
from daylily.entrypoints.http.security import SAFE_METHODS, Connection
from daylily.entrypoints.portal.forms import check_csrf
from daylily.entrypoints.portal.look import POLICY

FOR_SCRIPTS: Final = (
    "/portal/api/",
    "/portal/submit/check",
    "/portal/submit/sheet",
    "/portal/submit/pairs",
)
"""What scripts ask for: errors there are no pages."""


def by_our_pages(connection: Connection, _: BaseRouteHandler) -> None:
    """Let through what a script of this session's pages asks for."""
    if connection.scope.get("method") not in SAFE_METHODS:
        check_csrf(cast("Request[Any, Any, Any]", connection))


UPLOADS: Final = Router(
    "/",
    route_handlers=[
        transfers.begin_upload,
        transfers.look_at_upload,
        transfers.append_to_upload,
        transfers.complete_upload,
        transfers.abort_upload,
        files.upload,
    ],
    guards=[by_our_pages],
)
"""At the addresses that they have in the API."""


def upload_policy(app: App) -> str:
    """Return the policy of a page that uploads: it may also send parts to the store itself."""
    try:
        address = app.uploads.elsewhere()
    except UnavailableError:  # the page is of use without, and uploads say themselves what is wrong
        address = None
    if address is None:
        return POLICY
    parts = urlsplit(address)
    return POLICY.replace("connect-src 'self'", f"connect-src 'self' {parts.scheme}://{parts.netloc}")
