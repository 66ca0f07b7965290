"""The page on which people try the API: Swagger UI, from this server alone."""

import gzip
import hashlib
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

from attrs import frozen
from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""Styles only: the page writes no script of its own into itself."""

_TYPES: Final = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "start.js": "text/javascript",
}


@frozen
class _Part:
    """A file of the page, packed."""

    packed: bytes
    media_type: str
    etag: str


def _parts() -> Mapping[str, _Part]:
    folder = resources.files("daylily.entrypoints.http").joinpath("swagger_ui")
    found = {}
    for name, media_type in _TYPES.items():
        packed = folder.joinpath(f"{name}.gz")
        content = (
            packed.read_bytes()
            if packed.is_file()
            else gzip.compress(folder.joinpath(name).read_bytes(), mtime=0)
        )
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        found[name] = _Part(content, media_type, etag)
    return found


_PARTS: Final = _parts()
_PAGE: Final = (
    resources.files("daylily.entrypoints.http").joinpath("swagger_ui").joinpath("index.html")
).read_bytes()


@get("/docs", sync_to_thread=False, include_in_schema=False)
def page() -> Response[bytes]:
    """Return the page."""
    return Response(_PAGE, media_type="text/html", headers={"content-security-policy": POLICY})


@get("/docs/{name:str}", sync_to_thread=False, include_in_schema=False)
def part(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """Return a file of it; a browser asks again only whether it has changed."""
    if name not in _PARTS:
        raise NotFoundException
    found = _PARTS[name]
    headers = {"etag": found.etag, "cache-control": "no-cache", "vary": "accept-encoding"}
    if request.headers.get("if-none-match") == found.etag:
        return Response(b"", status_code=304, headers=headers)
    content = found.packed
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
    else:
        content = gzip.decompress(content)
    return Response(content, media_type=found.media_type, headers=headers)
