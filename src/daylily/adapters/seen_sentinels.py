"""What sentinels said when last read or written: it saves asking again, and decides nothing."""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from attrs import define, field, frozen

from daylily.domain.sentinels import SentinelBody

REMEMBERED: Final = 10_000


@frozen
class SeenSentinel:
    """A sentinel as it was; one of the same etag says the same today."""

    etag: str
    body: SentinelBody

    def ours_until(self, sequence: int) -> bool:
        """Tell whether we wrote it, for a transition not after *sequence*."""
        return self.body.sequence is not None and self.body.sequence <= sequence


@define
class SeenSentinels:
    """
    Sentinels by their keys, the latest of them.

    Whatever is done on its word has to be conditional on the etag: then an old word does no harm.
    """

    _seen: OrderedDict[str, SeenSentinel] = field(init=False, factory=OrderedDict)
    _mutex: threading.Lock = field(init=False, factory=threading.Lock, repr=False, eq=False)

    def get(self, key: str) -> SeenSentinel | None:
        """Return what was seen last under *key*, if that is still known."""
        with self._mutex:
            return self._seen.get(key)

    def note(self, key: str, seen: SeenSentinel) -> None:
        """Take note of what stands under *key*."""
        with self._mutex:
            self._seen[key] = seen
            self._seen.move_to_end(key)
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)

    def forget(self, keys: Iterable[str]) -> None:
        """Ask next time what stands under *keys*."""
        with self._mutex:
            for key in keys:
                self._seen.pop(key, None)
