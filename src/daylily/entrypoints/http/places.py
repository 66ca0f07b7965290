"""How many streams there may be at a time: of everybody, and of each."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from attrs import define, field

from daylily.entrypoints.http.errors import TooManyStreamsError


@define(eq=False)
class Places:
    """
    Places for streams; nobody may have so many that others find none.

    A stream is looked at before its answer begins, and takes its place once it runs: an answer that
    is dropped before that has no place to give back.

    Args:
        most: Of everybody.
        most_each: Of one holder.
    """

    most: int
    most_each: int
    _held: "Counter[str]" = field(init=False, factory=Counter, repr=False)

    @property
    def taken(self) -> int:
        """How many there are."""
        return self._held.total()

    def check(self, whose: str) -> None:
        """
        See that there is a place.

        Raises:
            TooManyStreamsError: There is none, or *whose* are all that they may have.
        """
        if self._full(whose):
            raise TooManyStreamsError("too many streams are open: close some, or try again later")

    @contextmanager
    def hold(self, whose: str) -> Iterator[bool]:
        """Hold a place; yield whether there still was one."""
        if self._full(whose):
            yield False
            return
        self._held[whose] += 1
        try:
            yield True
        finally:
            self._held[whose] -= 1
            self._held += Counter()  # who holds none is forgotten

    def _full(self, whose: str) -> bool:
        return self._held[whose] >= self.most_each or self.taken >= self.most
