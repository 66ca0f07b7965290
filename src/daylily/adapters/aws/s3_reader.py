"""An object of S3 as a file to read from, which survives a connection that breaks."""

import io
from collections.abc import Callable
from typing import Any, Final

from botocore.exceptions import BotoCoreError, HTTPClientError
from urllib3.exceptions import HTTPError

from daylily.adapters.aws.s3_bucket import UnmetError
from daylily.domain.errors import DaylilyError, UnavailableError

_BROKEN: Final = (BotoCoreError, HTTPClientError, HTTPError, OSError)
_TRIES: Final = 3
"""How often in a row a read may break without a byte in between."""


class ObjectReader(io.RawIOBase):
    """
    Reads one object to its end, whatever is put under its key meanwhile.

    Args:
        key: For errors.
        body: The stream of the first answer.
        size: Bytes that the object has.
        resume: Returns a stream of the same object from a position on; raises if it is no more.
    """

    def __init__(self, key: str, body: Any, size: int, resume: Callable[[int], Any]) -> None:
        super().__init__()
        self._key, self._body, self._size, self._resume = key, body, size, resume
        self._position = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Return how many bytes have been read."""
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        """
        Return as many bytes; fewer only at the end.

        Raises:
            UnavailableError: S3 does not answer, or the object is gone before its end was read.
        """
        if self.closed:
            raise ValueError("the object was closed")
        left = self._size - self._position
        wanted = left if size is None or size < 0 else min(size, left)
        pieces: list[bytes] = []
        broken = 0
        while wanted:
            try:
                piece = self._body.read(wanted)
                if not piece:
                    raise EOFError("the stream ended early")
            except (*_BROKEN, EOFError) as error:
                broken += 1
                self._reopen(error, broken)
                continue
            broken = 0
            pieces.append(piece)
            wanted -= len(piece)
            self._position += len(piece)
        return b"".join(pieces)

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; return how many bytes it got."""
        view = memoryview(buffer).cast("B")
        piece = self.read(len(view))
        view[: len(piece)] = piece
        return len(piece)

    def readall(self) -> bytes:
        """Return the rest."""
        return self.read()

    def close(self) -> None:
        """Let go of the connection."""
        if not self.closed:
            self._body.close()
        super().close()

    def _reopen(self, error: Exception, broken: int) -> None:
        lost = f"{self._key} cannot be read on from byte {self._position}"
        if broken >= _TRIES:
            raise UnavailableError(f"{lost}: {error}") from error
        self._body.close()
        try:
            self._body = self._resume(self._position)
        except (DaylilyError, UnmetError) as gone:
            raise UnavailableError(f"{lost}: {gone}") from gone
