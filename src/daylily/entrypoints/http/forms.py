"""Forms with files (``multipart/form-data``), read part by part in constant memory."""

import io
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final, cast

from attrs import define, frozen
from litestar import Request
from multipart import (  # type: ignore[import-untyped]
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    parse_options_header,
)

from daylily.domain.errors import InvalidInputError
from daylily.entrypoints.http.errors import BadDocumentError, MediaTypeError

FORM: Final = "multipart/form-data"
MOST_PARTS: Final = 20_000
LONGEST_TEXT: Final = 12 << 20
"""Bytes of a part that is no file: as much as a submission may have."""

_PIECE: Final = 1 << 16


def is_form(request: Request[Any, Any, Any]) -> bool:
    """Tell whether the body of a request is said to be such a form."""
    return _media_type(request)[0] == FORM


def boundary_of(request: Request[Any, Any, Any]) -> str:
    """
    Return what stands between the parts of a request's body.

    Raises:
        MediaTypeError: It is not said to be such a form.
        BadDocumentError: It does not say what stands between its parts.
    """
    kind, options = _media_type(request)
    if kind != FORM:
        raise MediaTypeError(
            f"send a form with files, and say so: 'Content-Type: {FORM}; boundary=...'"
        )
    boundary = str(options.get("boundary", ""))
    if not 1 <= len(boundary) <= 200:
        raise BadDocumentError("the form does not say what stands between its parts (boundary)")
    return boundary


def _media_type(request: Request[Any, Any, Any]) -> tuple[str, Any]:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    return str(kind), options


@frozen
class Part:
    """One part of a form."""

    name: str
    filename: str | None
    """The name of a file as its sender has it; None for what is no file."""
    file: BinaryIO
    """To be read before the next part is asked for."""

    def text(self) -> str:
        """
        Return a part that is no file.

        Raises:
            InvalidInputError: It is too long, or not UTF-8.
        """
        data = self.file.read(LONGEST_TEXT + 1)
        if len(data) > LONGEST_TEXT:
            raise InvalidInputError.of(self.name[:40], f"is larger than {LONGEST_TEXT} bytes")
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise InvalidInputError.of(self.name[:40], "is not UTF-8") from None


def parts_of(body: BinaryIO, boundary: str) -> Iterator[Part]:
    """
    Yield the parts of a form, in the order in which they come.

    Raises:
        BadDocumentError: It is no such form, has too many parts or headers, or ends before its end.
    """
    try:
        parser = PushMultipartParser(
            boundary, max_segment_count=MOST_PARTS, header_charset="utf8", strict=True
        )
        pieces = _Pieces(parser.parse_blocking(body.read, chunk_size=_PIECE))
        while (segment := pieces.next_part()) is not None:
            if not segment.name:
                raise BadDocumentError("a part of the form has no name")
            file = cast(BinaryIO, io.BufferedReader(_File(pieces), _PIECE))
            yield Part(segment.name, segment.filename, file)
            pieces.skip()
    except MultipartError as error:
        raise broken(error) from None


def broken(error: MultipartError) -> BadDocumentError:
    """Return the error of a form that cannot be read."""
    return BadDocumentError(f"the form cannot be read: {error}"[:200])


@define
class _Pieces:
    """What the parser finds: headers of a part, pieces of its body, and None at its end."""

    _found: Iterator[Any]
    _in_part: bool = False

    def next_part(self) -> MultipartSegment | None:
        for each in self._found:
            if isinstance(each, MultipartSegment):
                self._in_part = True
                return each
        return None

    def piece(self) -> bytes:
        """Return bytes of the present part; none at its end."""
        if not self._in_part:
            return b""
        for each in self._found:
            if each is None:
                break
            if each:
                return bytes(each)
        self._in_part = False
        return b""

    def skip(self) -> None:
        """Pass over what has not been read of the present part."""
        while self.piece():
            pass


class _File(io.RawIOBase):
    """The body of a part as a file."""

    def __init__(self, pieces: _Pieces) -> None:
        super().__init__()
        self._pieces, self._rest = pieces, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            try:
                self._rest = self._pieces.piece()
            except MultipartError as error:
                raise broken(error) from None
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


class Hashed(io.RawIOBase):
    """A file whose bytes are digested as they are read."""

    def __init__(self, file: BinaryIO, update: Callable[[bytes], None]) -> None:
        super().__init__()
        self._file, self._update = file, update

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._file.read(len(buffer))
        buffer[: len(piece)] = piece
        self._update(piece)
        return len(piece)
