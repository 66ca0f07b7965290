"""A request's body as a file that a store can read in a thread, while the loop goes on."""

import io
from collections.abc import AsyncIterator, Callable
from typing import Any, BinaryIO, Final, TypeVar, cast

from anyio import fail_after, from_thread
from attrs import define, field
from litestar import Request
from litestar.exceptions import InternalServerException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge

from daylily.domain.errors import UnavailableError
from daylily.entrypoints.http.errors import CutShortError
from daylily.entrypoints.http.threads import UPLOADS

T = TypeVar("T")

PATIENCE: Final = 60.0
"""Seconds without a byte after which a client is given up."""


async def store_body(request: Request[Any, Any, Any], store: Callable[[BinaryIO], T]) -> T:
    """
    Have *store* read the body of a request, in a thread, in constant memory.

    Raises:
        CutShortError: The client went away, stood still, or sent another length than it announced.
            It is raised into *store*, which then has stored nothing.
    """
    body = _Body(aiter(request.stream()), request.content_length)
    file = cast(BinaryIO, io.BufferedReader(body, buffer_size=1 << 20))
    try:
        return await UPLOADS.run(store, file)
    except UnavailableError:
        # A store may take any error of a file for one of its own disk.
        if body.trouble is not None:
            raise body.trouble from None
        raise


async def body_within(request: Request[Any, Any, Any], most: int) -> bytes:
    """
    Return the body of a request, which may have *most* bytes, however often it is asked for.

    Raises:
        RequestEntityTooLarge: It has more.
        CutShortError: The client went away before all of it had come.
    """
    notes: dict[str, Any] = request.scope.setdefault("daylily", {})  # type: ignore[typeddict-item]
    if "body" not in notes:
        if (request.content_length or 0) > most:
            raise RequestEntityTooLarge
        body = bytearray()
        try:
            async for piece in request.stream():
                body += piece
                if len(body) > most:
                    raise RequestEntityTooLarge
        except InternalServerException:
            raise CutShortError("the client went away") from None
        notes["body"] = bytes(body)
    found: bytes = notes["body"]
    return found


@define(slots=False)
class _Body(io.RawIOBase):
    """Reads chunks from the loop, for a worker thread: what is not asked for stays in the socket."""

    _chunks: AsyncIterator[bytes]
    _announced: int | None
    trouble: CutShortError | None = field(init=False, default=None)
    _rest: bytes = field(init=False, default=b"")
    _read: int = field(init=False, default=0)
    _ended: bool = field(init=False, default=False)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self.trouble is not None:
            raise self.trouble
        while not self._rest and not self._ended:
            self._fetch()
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    def _fetch(self) -> None:
        try:
            chunk = from_thread.run(self._next)
        except TimeoutError:
            raise self._cut(f"nothing came for {PATIENCE:.0f} seconds") from None
        except InternalServerException:
            raise self._cut("the client went away") from None
        if chunk is not None:
            self._rest = chunk
            self._read += len(chunk)
            return
        self._ended = True
        if self._announced not in {None, self._read}:
            raise self._cut(f"{self._announced} bytes were announced, and {self._read} came")

    async def _next(self) -> bytes | None:
        with fail_after(PATIENCE):
            return await anext(self._chunks, None)

    def _cut(self, text: str) -> CutShortError:
        self.trouble = CutShortError(text)
        return self.trouble
