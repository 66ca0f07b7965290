"""What object stores have in common."""

import io
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from daylily.domain.errors import ConcurrentUpdateError, NotFoundError
from daylily.ports.object_store import ObjectInfo, ObjectStore
from daylily.ports.paging import Page


def replaced(key: str) -> ConcurrentUpdateError:
    """Return the error of who meant the object that was there before."""
    return ConcurrentUpdateError(f"{key} has been replaced meanwhile: look again")


def streamed(store: ObjectStore, other: ObjectStore, source: str, target: str) -> ObjectInfo:
    """Put into a store what another has, in constant memory."""
    with other.open(source) as file:
        return store.put(target, file)


def looked_up(page: Page[str], info: Callable[[str], ObjectInfo]) -> Page[ObjectInfo | str]:
    """Return entries with what *info* says of each object; one that has gone since is left out."""
    return Page(tuple(_looked_up(page.items, info)), page.cursor)


def _looked_up(
    entries: tuple[str, ...], info: Callable[[str], ObjectInfo]
) -> Iterator[ObjectInfo | str]:
    for entry in entries:
        if entry.endswith("/"):
            yield entry
            continue
        try:
            yield info(entry)
        except NotFoundError:
            continue


class PartOf(io.RawIOBase):
    """A file that ends early."""

    def __init__(self, file: BinaryIO, left: int) -> None:
        super().__init__()
        self._file, self._left = file, left

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; return how many bytes it got."""
        view = memoryview(buffer).cast("B")
        piece = self._file.read(min(len(view), self._left))
        view[: len(piece)] = piece
        self._left -= len(piece)
        return len(piece)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()
