"""Pages of long listings."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from attrs import frozen

T = TypeVar("T")


@frozen
class Page(Generic[T]):
    """Part of a listing, and where the next part begins."""

    items: tuple[T, ...]
    cursor: str | None = None
    """Opaque; None at the end."""


def every(fetch: Callable[[str | None], Page[T]]) -> Iterator[T]:
    """Yield the items of all pages, asking *fetch* for one page after the other."""
    page = fetch(None)
    yield from page.items
    while page.cursor is not None:
        page = fetch(page.cursor)
        yield from page.items
