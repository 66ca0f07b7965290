"""Responses: views as JSON, and files as streams."""

from collections.abc import Iterator, Mapping
from email.utils import format_datetime
from io import BytesIO
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any, BinaryIO, Final, TypeVar
from urllib.parse import quote

from anyio import CancelScope, to_thread
from litestar import Response
from litestar.response.base import ASGIResponse
from litestar.response.streaming import ASGIStreamingResponse
from litestar.status_codes import (
    HTTP_200_OK,
    HTTP_206_PARTIAL_CONTENT,
    HTTP_304_NOT_MODIFIED,
    HTTP_416_REQUESTED_RANGE_NOT_SATISFIABLE,
)
from litestar.types import Receive, Scope, Send

from daylily.application.stored_file import StoredFile
from daylily.entrypoints.http.kept import encoded
from daylily.entrypoints.http.ranges import Wanted, quoted

T = TypeVar("T")

CHUNK: Final = 256 * 1024
"""Bytes of a file held in memory at a time."""

REPORT_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'"
)
"""For whatever a pipeline has written: it may style itself, and that is all."""

_TYPES: Final = {
    ".html": "text/html",
    ".htm": "text/html",
    ".json": "application/json",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".svg": "image/svg+xml",
    ".pdf": "application/pdf",
    ".gz": "application/gzip",
} | dict.fromkeys(
    (".txt", ".log", ".tsv", ".csv", ".md", ".yaml", ".yml", ".err", ".out", ".fasta", ".bed", ".vcf"),
    "text/plain",
)
_OTHER: Final = "application/octet-stream"


class Answer(Response[T]):
    """
    A view, encoded at once: routes run in threads, so a long listing holds nobody else up.

    Args:
        encoded_already: The same as JSON, where somebody has it.
    """

    def __init__(
        self,
        content: T,
        *,
        encoded_already: bytes | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        # As the framework's own would, which looks long at what may be there and never is.
        self.content = content
        self.background = None
        self.cookies = []
        self.encoding = "utf-8"
        self.headers = dict(headers)
        self.media_type = "application/json"
        self.status_code = None
        self.response_type_encoders = {}
        self._encoded = encoded(content) if encoded_already is None else encoded_already

    def to_asgi_response(
        self, app: Any, request: Any, *, status_code: int | None = None, **_: Any
    ) -> ASGIResponse:
        """Return what sends it; the framework's own looks at each part of it again, for 16 us."""
        return _Encoded(status_code or HTTP_200_OK, self.headers, self._encoded)


class _Encoded(ASGIResponse):
    """An answer of which all bytes are there."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status_code = status
        self.body = body
        self._sent = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            *((name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self._sent})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


class FileAnswer(ASGIStreamingResponse):
    """
    A stored file or the part of it that was asked for, streamed in constant memory.

    It is closed however the response ends.

    Args:
        wanted: What the request's headers ask for.
        download: Have a browser save it, whatever it is, rather than show it.
    """

    def __init__(self, file: StoredFile, wanted: Wanted, *, download: bool = False) -> None:
        info = file.info
        media_type = _OTHER if download else media_type_of(info.key)
        headers = {
            "content-security-policy": REPORT_POLICY,
            "content-disposition": disposition(info.key, attached=media_type == _OTHER),
            "accept-ranges": "bytes",
            "etag": quoted(info.etag),
            "last-modified": format_datetime(info.modified_at, usegmt=True),
        }
        start, stop, status = wanted.part(info)
        if status == HTTP_416_REQUESTED_RANGE_NOT_SATISFIABLE:
            headers["content-range"] = f"bytes */{info.size}"
        elif status == HTTP_206_PARTIAL_CONTENT:
            headers["content-range"] = f"bytes {start}-{stop - 1}/{info.size}"
        if status != HTTP_304_NOT_MODIFIED:
            headers["content-length"] = str(stop - start)
        self._file = BytesIO() if stop == start or wanted.head else file.open(start, stop)
        super().__init__(
            iterator=_chunks(self._file),
            media_type=media_type,
            headers=headers,
            status_code=status,
            is_head_response=wanted.head,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with CancelScope(shield=True):
                await to_thread.run_sync(self._file.close)


def media_type_of(key: str) -> str:
    """Return the type under which a file is shown; what is not on the list can only be downloaded."""
    return _TYPES.get(PurePosixPath(key).suffix.lower(), _OTHER)


def disposition(key: str, *, attached: bool) -> str:
    """Return a Content-Disposition for the file's own name, whatever letters it has (RFC 6266)."""
    name = key.rpartition("/")[2]
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in name)
    kind = "attachment" if attached else "inline"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    # The framework takes each step of a plain iterator in a thread.
    while chunk := file.read(CHUNK):
        yield chunk
