"""What the headers of a request ask for of a file: a part of it, or only if it has changed."""

import re
from typing import Any, Final, Self

from attrs import frozen
from litestar import Request
from litestar.status_codes import (
    HTTP_200_OK,
    HTTP_206_PARTIAL_CONTENT,
    HTTP_304_NOT_MODIFIED,
    HTTP_416_REQUESTED_RANGE_NOT_SATISFIABLE,
)

from daylily.ports.object_store import ObjectInfo

_RANGE: Final = re.compile(r"bytes=[ \t]*(\d{0,18})-(\d{0,18})[ \t]*", re.ASCII | re.IGNORECASE)
_TAG: Final = re.compile(r'(?:W/)?("[^"]*")')


@frozen
class Wanted:
    """
    Headers of RFC 9110 that concern the bytes of a file.

    Of ranges one is taken; whoever asks for several at once, or in a way we do not know, gets the file.
    """

    range: str | None = None
    if_range: str | None = None
    if_none_match: str | None = None
    head: bool = False

    @classmethod
    def of(cls, request: Request[Any, Any, Any]) -> Self:
        """Return what a request asks for."""
        headers = request.headers
        return cls(
            headers.get("range"),
            headers.get("if-range"),
            headers.get("if-none-match"),
            head=request.method == "HEAD",
        )

    def part(self, info: ObjectInfo) -> tuple[int, int, int]:
        """Return the first byte, the byte after the last, and the status of the answer."""
        tag = quoted(info.etag)
        if self.if_none_match is not None:
            tags = _TAG.findall(self.if_none_match)
            if tag in tags or self.if_none_match.strip() == "*":
                return 0, 0, HTTP_304_NOT_MODIFIED
        found = _RANGE.fullmatch(self.range or "")
        if found is None or not any(found.groups()) or self.if_range not in {None, tag}:
            return 0, info.size, HTTP_200_OK
        first, last = found.groups()
        if not first:  # so many bytes at the end
            start, stop = max(0, info.size - int(last)), info.size
        else:
            start, stop = int(first), min(int(last) + 1 if last else info.size, info.size)
            if last and int(last) < start:
                return 0, info.size, HTTP_200_OK
        if start >= stop:
            return 0, 0, HTTP_416_REQUESTED_RANGE_NOT_SATISFIABLE
        return start, stop, HTTP_206_PARTIAL_CONTENT


def quoted(etag: str) -> str:
    """Return an etag as headers have it."""
    return f'"{etag}"'
