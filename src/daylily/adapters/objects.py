"""What object stores have in common."""

from collections.abc import Callable, Iterator

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
