"""Style sheets, scripts and pictures: they come from us alone, and may be kept for long."""

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from daylily.domain.errors import NotFoundError
from daylily.entrypoints.portal.look import ASSETS


@get("/static/{name:str}", sync_to_thread=False)
def asset(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """Return a file that pages refer to; its address changes with its content."""
    if name not in ASSETS:
        raise NotFoundError(f"there is no {name}")
    found = ASSETS[name]
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    if found.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(found.packed, media_type=found.media_type, headers=headers)
    return Response(found.content, media_type=found.media_type, headers=headers)
