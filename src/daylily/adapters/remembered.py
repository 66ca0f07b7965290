"""What stored things were read as, remembered for as long as they stay the same."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from attrs import define, field

T = TypeVar("T")

MOST: Final = 1000
"""Things; a workset of a hundred samples takes some 100 KB."""


@define(eq=False)
class Remembered(Generic[T]):
    """
    Spares a store to read again what it has read before, which is most of what a look costs.

    The store is asked each time, and what it says is compared whole with what it said before: nothing
    old is ever returned. What is returned is shared: nobody may change it.
    """

    most: int = MOST
    _known: OrderedDict[str, tuple[object, T]] = field(init=False, repr=False, factory=OrderedDict)
    _mutex: threading.Lock = field(init=False, repr=False, factory=threading.Lock)

    def read(self, key: str, stored: object, read: Callable[[], T]) -> T:
        """
        Return what *read* makes of *stored*, or has made of the same before.

        Args:
            key: What the thing is known by; of each the last is remembered.
        """
        known = self._known.get(key)
        if known is not None and known[0] == stored:
            return known[1]
        made = read()
        with self._mutex:
            self._known[key] = stored, made
            self._known.move_to_end(key)
            if len(self._known) > self.most:
                self._known.popitem(last=False)
        return made
