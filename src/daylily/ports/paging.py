"""Pages of long listings."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from attrs import frozen

from daylily.domain.errors import UnavailableError

T = TypeVar("T")


@frozen
class Page(Generic[T]):
    """Part of a listing, and where the next part begins."""

    items: tuple[T, ...]
    cursor: str | None = None
    """Opaque; None at the end."""


def every(fetch: Callable[[str | None], Page[T]]) -> Iterator[T]:
    """
    Yield the items of all pages, asking *fetch* for one page after the other.

    Raises:
        UnavailableError: A page leads to itself, and so the listing would never end.
    """
    page = fetch(None)
    yield from page.items
    while (cursor := page.cursor) is not None:
        page = fetch(cursor)
        if page.cursor == cursor:
            raise UnavailableError("the listing does not move on: a page has the cursor that led to it")
        yield from page.items
