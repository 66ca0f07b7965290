"""Responses: views as JSON, and files as streams."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Final, TypeVar
from urllib.parse import quote

from anyio import CancelScope, to_thread
from litestar import Response
from litestar.response.streaming import ASGIStreamingResponse
from litestar.serialization import encode_json
from litestar.types import Receive, Scope, Send

from daylily.entrypoints.views import to_json

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
    """A view, encoded at once: routes run in threads, so a long listing holds nobody else up."""

    def __init__(self, content: T, **more: Any) -> None:
        super().__init__(content, media_type="application/json", **more)
        self._encoded = encode_json(to_json(content))

    def render(self, content: Any, media_type: str, enc_hook: Any = None) -> bytes:
        """Return what the constructor has made of the view."""
        return self._encoded


class FileAnswer(ASGIStreamingResponse):
    """A stored file, streamed in constant memory, and closed however the response ends."""

    def __init__(self, file: BinaryIO, key: str, *, download: bool = False) -> None:
        self._file = file
        media_type = media_type_of(key)
        headers = {
            "content-security-policy": REPORT_POLICY,
            "content-disposition": disposition(key, attached=download or media_type == _OTHER),
        }
        if file.seekable():
            headers["content-length"] = str(file.seek(0, 2))
            file.seek(0)
        super().__init__(iterator=_chunks(file), media_type=media_type, headers=headers)

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
