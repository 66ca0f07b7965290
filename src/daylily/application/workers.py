"""Do the same for many worksets, a few at a time: most of the time of a call is spent on its way."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from attrs import frozen

T = TypeVar("T")
R = TypeVar("R")


@frozen
class Workers:
    """
    Threads that share a list of work.

    Args:
        number: How many; 1 works in the caller's thread, one after the other.
    """

    number: int = 1

    def each(self, call: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """Return what *call* returned for each item, in the order of the items."""
        if self.number == 1 or len(items) < 2:
            return [call(item) for item in items]
        with ThreadPoolExecutor(min(self.number, len(items)), "worker") as pool:
            return list(pool.map(call, items))
