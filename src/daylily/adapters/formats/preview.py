"""
The beginning of a file for people: lines of text, or names of an archive.

Files are strangers': a few kilobytes may unpack to terabytes, and say anything of themselves. So there
is a bound to what is read of one, to what becomes of it, and with that to the time it takes.
"""

import codecs
import io
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, BinaryIO, Final, cast

from attrs import frozen

READ_MOST: Final = 2 << 20
"""Bytes that are read of a file."""
UNPACKED_MOST: Final = 4 << 20
"""Bytes that are made of them."""
NAMES_MOST: Final = 20
"""Names that are listed of an archive."""
WIDEST: Final = 500
"""Characters of a line that are shown."""

_PIECE: Final = 64 * 1024
_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_TAR: Final = slice(257, 262)
# Python's readers of archives trust what they read more than they should.
_UNSOUND: Final = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    LookupError,
    NotImplementedError,
    OverflowError,
    RecursionError,
    ValueError,
)

Open = Callable[[int, int], BinaryIO]
"""Opens a file from one byte up to another."""


@frozen(kw_only=True)
class Preview:
    """What can be told of a file at a glance."""

    file_type: str
    """``text``, ``gzip`` (packed text), ``tar``, ``tar.gz``, ``zip`` or ``binary``."""
    lines: tuple[str, ...] = ()
    """Lines, or names of an archive; without what would break a page or a terminal."""
    total_lines: int = 0
    """How many there are, as far as the file was read."""
    truncated: bool = False
    """Whether there is more of it than is told."""


class _EnoughError(Exception):
    """More would have to be read than is worth it."""


def preview_of(open_part: Open, size: int, *, lines: int) -> Preview:
    """
    Return a preview of a file, by what is in it: names say little.

    Args:
        open_part: Opens the file.
        size: Bytes that it has.
        lines: How many lines to show.
    """
    with closing(open_part(0, READ_MOST)) as file:
        head = file.read(_PIECE)
        if head.startswith(_ZIP):
            return _zip(open_part, size)
        if head.startswith(_GZIP):
            return _gzip(head, file, size, lines)
        if head[_TAR] == b"ustar":
            return _tar("tar", _Budget(_joined(head, file), UNPACKED_MOST))
        return _text("text", head + _rest(file), whole=size <= READ_MOST, lines=lines)


def _rest(file: BinaryIO) -> bytes:
    return b"".join(iter(lambda: file.read(_PIECE), b""))


def _gzip(head: bytes, file: BinaryIO, size: int, lines: int) -> Preview:
    pieces = _unpacked(_joined(head, file))
    try:
        start = next(pieces, b"")
        if start[_TAR] == b"ustar":
            return _tar("tar.gz", _Budget(_chain(start, pieces), UNPACKED_MOST))
    except _UNSOUND:
        return Preview(file_type="binary", truncated=True)
    made, whole = [start], size <= READ_MOST
    try:
        left = UNPACKED_MOST - len(start)
        for piece in pieces:
            made.append(piece[:left])
            left -= len(piece)
            if left <= 0:
                whole = False
                break
    except _UNSOUND:
        whole = False  # cut short or damaged: what came before is worth showing
    return _text("gzip", b"".join(made), whole=whole, lines=lines)


def _text(kind: str, data: bytes, *, whole: bool, lines: int) -> Preview:
    try:
        # Where there is more, the last character may be cut in two.
        text = codecs.getincrementaldecoder("utf-8")().decode(data, final=whole)
    except UnicodeDecodeError:
        return Preview(file_type="binary", truncated=True)
    if "\0" in text:
        return Preview(file_type="binary", truncated=True)
    found = text.split("\n")
    if found[-1] == "":
        found.pop()
    shown = tuple(_shown(line) for line in found[:lines])
    return Preview(
        file_type=kind,
        lines=shown,
        total_lines=len(found),
        truncated=not whole or len(found) > lines,
    )


def _shown(line: str) -> str:
    text = "".join(c if c.isprintable() or c == "\t" else "\ufffd" for c in line[:WIDEST].rstrip("\r"))
    return f"{text}…" if len(line) > WIDEST else text


def _zip(open_part: Open, size: int) -> Preview:
    try:
        archive = zipfile.ZipFile(_Window(open_part, size))
    except _EnoughError:
        return Preview(file_type="zip", truncated=True)
    except (*_UNSOUND, OSError):
        return Preview(file_type="binary", truncated=True)
    names = archive.namelist()
    return Preview(
        file_type="zip",
        lines=tuple(map(_shown, names[:NAMES_MOST])),
        total_lines=len(names),
        truncated=len(names) > NAMES_MOST,
    )


def _tar(kind: str, stream: "_Budget") -> Preview:
    names: list[str] = []
    truncated = True
    try:
        with tarfile.open(
            fileobj=cast(BinaryIO, stream), mode="r|", bufsize=tarfile.BLOCKSIZE
        ) as archive:
            for member in archive:
                names.append(member.name)
                if len(names) > NAMES_MOST:
                    break
            else:
                truncated = False
    except (_EnoughError, *_UNSOUND):
        pass  # what came before is worth showing
    return Preview(
        file_type=kind,
        lines=tuple(map(_shown, names[:NAMES_MOST])),
        total_lines=len(names),
        truncated=truncated,
    )


def _joined(head: bytes, file: BinaryIO) -> Iterator[bytes]:
    yield head
    yield from iter(lambda: file.read(_PIECE), b"")


def _chain(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest


def _unpacked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Unpack gzip, however many members it has, a bounded piece at a time."""
    unpack = zlib.decompressobj(wbits=31)
    for packed in pieces:
        while packed:
            made = unpack.decompress(packed, _PIECE)
            if made:
                yield made
            if unpack.eof:
                packed, unpack = unpack.unused_data.lstrip(b"\0"), zlib.decompressobj(wbits=31)
            else:
                packed = unpack.unconsumed_tail


class _Budget:
    """A stream to read from, which has had enough after so many bytes."""

    def __init__(self, pieces: Iterator[bytes], left: int) -> None:
        self._pieces, self._left, self._rest = pieces, left, b""

    def read(self, size: int) -> bytes:
        """Return as many bytes; fewer only at the end."""
        if size > self._left:
            raise _EnoughError
        while len(self._rest) < size:
            piece = next(self._pieces, b"")
            if not piece:
                break
            self._rest += piece
        found, self._rest = self._rest[:size], self._rest[size:]
        self._left -= len(found)
        return found


class _Window(io.RawIOBase):
    """A file that can be read anywhere, and has had enough after so many bytes."""

    def __init__(self, open_part: Open, size: int) -> None:
        super().__init__()
        self._open, self._size, self._at, self._left = open_part, size, 0, READ_MOST

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Return where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move on or back."""
        at = offset + (0, self._at, self._size)[whence]
        if at < 0:
            raise ValueError("before the beginning")
        self._at = at
        return at

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; return how many bytes it got."""
        view = memoryview(buffer).cast("B")
        return self._fill(view)

    def read(self, size: int | None = -1) -> bytes:
        """Return so many bytes, or all that are left."""
        left = max(0, self._size - self._at)
        wanted = left if size is None or size < 0 else min(size, left)
        if wanted > self._left:
            raise _EnoughError
        if not wanted:
            return b""
        with closing(self._open(self._at, self._at + wanted)) as file:
            found = _rest(file)
        self._at += len(found)
        self._left -= len(found)
        return found

    def _fill(self, view: memoryview) -> int:
        found = self.read(len(view))
        view[: len(found)] = found
        return len(found)
