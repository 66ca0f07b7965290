"""A stream of unknown length, let through as far as there is room for it."""

import io
from collections.abc import Callable
from typing import Any, BinaryIO, Final

from attrs import frozen

FIRST: Final = 1 << 20
"""Bytes that room is asked for at first; each time it is twice as many."""
MOST: Final = 64 << 20


@frozen
class Holding:
    """Room that is held."""

    holder: str
    size: int


class BoundedSource(io.RawIOBase):
    """
    A source whose bytes are handed on once there is room for them.

    Args:
        hold: Holds more room, and returns whose it is and how much that makes; given the holder, what
            they have, what would be welcome and what is needed. Raises where that is not to be had.
    """

    def __init__(self, source: BinaryIO, hold: Callable[[str, int, int, int], Holding]) -> None:
        super().__init__()
        self._source, self._hold = source, hold
        self._holding, self._step = Holding("", 0), FIRST
        self.came = 0
        """Bytes that have been handed on."""

    @property
    def holder(self) -> str:
        """Whose the room is that is held."""
        return self._holding.holder

    def readable(self) -> bool:
        """See io.RawIOBase."""
        return True

    def readinto(self, buffer: Any) -> int:
        """See io.RawIOBase; raises what *hold* raises."""
        piece = self._source.read(len(buffer))
        missing = self.came + len(piece) - self._holding.size
        if missing > 0:
            self.make_room(max(missing, self._step), at_least=missing)
            self._step = min(2 * self._step, MOST)
        buffer[: len(piece)] = piece
        self.came += len(piece)
        return len(piece)

    def make_room(self, more: int, *, at_least: int) -> None:
        """Have more room held; raises what *hold* raises."""
        self._holding = self._hold(self._holding.holder, self._holding.size, more, at_least)
