"""Uploads through our own servers, in pieces: for stores that clients cannot reach themselves."""

import io
import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, BinaryIO, Final, cast

from attrs import frozen

from daylily.domain.errors import (
    AlreadyExistsError,
    ConflictError,
    DaylilyError,
    InvalidInputError,
    NotFoundError,
)
from daylily.ports.clock import Clock
from daylily.ports.object_store import ObjectInfo, ObjectStore
from daylily.ports.paging import every
from daylily.ports.transfers import Part, Upload

LEFT_OVER: Final = timedelta(days=3)
_ABOUT: Final = "about.json"
_TOKEN: Final = 24
_PIECE: Final = 1 << 20


@frozen
class PiecedTransfers:
    """
    Transfers on any object store.

    Each append is an object of its own, named after the byte it begins with: of two that begin with
    the same, the store takes one. They are put together when all have come.
    """

    objects: ObjectStore
    folder: str
    """Where pieces stand, ending in ``/``."""
    clock: Clock

    def download_url(self, key: str, *, disposition: str, lasting: timedelta) -> str | None:
        """Return None: our own server streams it."""
        return None

    def begin(self, key: str, size: int) -> Upload:
        """See Transfers.begin."""
        self._sweep()
        upload = Upload(key=key, size=size, token=secrets.token_hex(_TOKEN // 2))
        about = json.dumps({"key": key, "size": size}).encode()
        self.objects.put(self._place(upload) + _ABOUT, about, if_absent=True)
        return upload

    def part_url(self, upload: Upload, number: int, *, lasting: timedelta) -> str:
        """Refuse: there are no parts."""
        raise InvalidInputError.of("part", "bytes are appended here, there are no parts")

    def offset(self, upload: Upload) -> int:
        """See Transfers.offset."""
        self._check(upload)
        return self._end(self._pieces(upload))

    def append(self, upload: Upload, offset: int, source: BinaryIO) -> int:
        """See Transfers.append."""
        there = self.offset(upload)
        if offset != there:
            raise ConflictError(f"the upload ends at byte {there}: go on from there")
        watched = _Watched(source, upload.size - offset)
        name = f"{self._place(upload)}{offset:020}"
        try:
            put = self.objects.put(name, cast(BinaryIO, watched), if_absent=True)
        except AlreadyExistsError as error:
            raise ConflictError("somebody else has gone on with this upload") from error
        if not put.size or watched.too_much:
            self.objects.delete(name, if_etag=put.etag)
        if watched.too_much:
            raise ConflictError(f"the upload has {upload.size} bytes, and more than these were sent")
        if watched.trouble is not None:
            raise watched.trouble
        return offset + put.size

    def complete(self, upload: Upload, parts: Sequence[Part]) -> ObjectInfo:
        """See Transfers.complete."""
        self._check(upload)
        pieces = self._pieces(upload)
        there = self._end(pieces)
        if there != upload.size:
            raise ConflictError(f"{there} of {upload.size} bytes are there: append the others first")
        source = io.BufferedReader(_Joined(self._opened(pieces)), _PIECE)
        stored = self.objects.put(upload.key, cast(BinaryIO, source))
        self.abort(upload)
        return stored

    def abort(self, upload: Upload) -> None:
        """See Transfers.abort."""
        with suppress(NotFoundError):
            self._check(upload)
            for piece in self._pieces(upload):
                self.objects.delete(piece.key)
            self.objects.delete(self._place(upload) + _ABOUT)

    def _sweep(self) -> None:
        """Remove what nobody has gone on with for days: who begins anew pays for it."""
        before = self.clock() - LEFT_OVER
        for folder in every(lambda cursor: self.objects.entries(self.folder, cursor=cursor)):
            found = self._all(folder)
            if all(each.modified_at < before for each in found):
                for each in found:
                    self.objects.delete(each.key)

    def _all(self, prefix: str) -> list[ObjectInfo]:
        return list(every(lambda cursor: self.objects.list(prefix, cursor=cursor)))

    def _place(self, upload: Upload) -> str:
        if len(upload.token) != _TOKEN or not upload.token.isalnum() or not upload.token.isascii():
            raise NotFoundError("there is no such upload")
        return f"{self.folder}{upload.token}/"

    def _check(self, upload: Upload) -> None:
        try:
            with self.objects.open(self._place(upload) + _ABOUT) as file:
                about = json.loads(file.read(_PIECE))
        except NotFoundError:
            raise NotFoundError("there is no such upload") from None
        if about != {"key": upload.key, "size": upload.size}:
            raise NotFoundError("there is no such upload")

    def _pieces(self, upload: Upload) -> list[ObjectInfo]:
        found = self._all(self._place(upload))
        return sorted((each for each in found if not each.key.endswith(_ABOUT)), key=lambda e: e.key)

    @staticmethod
    def _end(pieces: Sequence[ObjectInfo]) -> int:
        end = 0
        for piece in pieces:
            if int(piece.key.rpartition("/")[2]) == end:
                end += piece.size
        return end

    def _opened(self, pieces: Sequence[ObjectInfo]) -> Iterator[BinaryIO]:
        for piece in pieces:
            yield self.objects.open(piece.key)


class _Watched(io.RawIOBase):
    """A source that ends where it breaks off, and tells afterwards what went wrong."""

    def __init__(self, source: BinaryIO, left: int) -> None:
        super().__init__()
        self._source, self._left = source, left
        self.trouble: DaylilyError | None = None
        self.too_much = False

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; return how many bytes it got."""
        if self.trouble is not None or self.too_much:
            return 0
        try:
            found = getattr(self._source, "read1", self._source.read)(min(len(buffer), _PIECE))
        except DaylilyError as error:
            self.trouble = error
            return 0
        self._left -= len(found)
        self.too_much = self._left < 0
        buffer[: len(found)] = found
        return len(found)


class _Joined(io.RawIOBase):
    """Files one after the other, each opened when it is its turn."""

    def __init__(self, files: Iterator[BinaryIO]) -> None:
        super().__init__()
        self._files = files
        self._file: BinaryIO | None = next(files, None)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; return how many bytes it got."""
        while self._file is not None:
            piece = self._file.read(len(buffer))
            if piece:
                buffer[: len(piece)] = piece
                return len(piece)
            self._file.close()
            self._file = next(self._files, None)
        return 0
