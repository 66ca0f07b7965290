"""Large files on their way: in parts, with rests, past our own servers where the store allows it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import BinaryIO, Protocol

from attrs import frozen

from daylily.ports.object_store import ObjectInfo


@frozen(kw_only=True)
class Upload:
    """A file that is being uploaded; where it will be, nothing is seen of it yet."""

    key: str
    size: int
    """Bytes that it will have."""
    token: str
    """What the store knows it by."""
    part_size: int | None = None
    """Bytes of each part but the last, where parts are sent to the store itself; else None."""

    @property
    def parts(self) -> int:
        """How many parts there are to send to the store."""
        return 0 if self.part_size is None else -(-self.size // self.part_size)


@frozen
class Part:
    """A part that was sent to the store, and what the store answered."""

    number: int
    etag: str


class Transfers(Protocol):
    """
    Uploads that go on after a break, and addresses from which anybody may fetch for a while.

    - Either a store takes parts itself, at addresses that ``part_url`` makes, in any order and several
      at once; or bytes are appended through us, in order.
    - What was begun and never completed goes by itself in some days.
    - Every method raises UnavailableError when the store does not answer.
    """

    def download_url(self, key: str, *, disposition: str, lasting: timedelta) -> str | None:
        """Return an address of an object; None where the store has none to give."""

    def begin(self, key: str, size: int) -> Upload:
        """Begin to upload an object of *size* bytes, more than none."""

    def part_url(self, upload: Upload, number: int, *, lasting: timedelta) -> str:
        """Return where to ``PUT`` part *number*, from 1; only for uploads with a ``part_size``."""

    def offset(self, upload: Upload) -> int:
        """
        Return how many bytes have been appended; 0 where parts are sent to the store.

        Raises:
            NotFoundError: There is no such upload, or no more.
        """

    def append(self, upload: Upload, offset: int, source: BinaryIO) -> int:
        """
        Append bytes, and return how many there are now; only for uploads without a ``part_size``.

        Where *source* breaks off, what came before stays.

        Raises:
            NotFoundError: There is no such upload, or no more.
            ConflictError: It does not end at *offset*, or would become larger than was said.
        """

    def complete(self, upload: Upload, parts: Sequence[Part]) -> ObjectInfo:
        """
        Let the object appear, whole.

        Args:
            parts: All that were sent to the store.

        Raises:
            NotFoundError: There is no such upload, or no more; though a store may remember that it
                has completed one, and then says the same again.
            ConflictError: Not all of it is there; what is, stays.
        """

    def abort(self, upload: Upload) -> None:
        """Forget an upload and what has come of it, if there is one."""
