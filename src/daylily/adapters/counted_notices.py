"""How much news this process has given up: figures are made of it."""

import threading

from attrs import define, field

from daylily.ports.dead_notices import DeadNotice, DeadNotices
from daylily.ports.paging import Page


@define(eq=False)
class CountedDeadNotices:
    """DeadNotices that count what is laid on another such list."""

    _list: DeadNotices
    laid: int = field(init=False, default=0)
    _mutex: threading.Lock = field(init=False, factory=threading.Lock)

    def lay(self, notice: DeadNotice) -> None:
        """See DeadNotices.lay."""
        self._list.lay(notice)
        with self._mutex:
            self.laid += 1

    def list(self, channel: str, *, after: str | None = None, limit: int = 100) -> Page[DeadNotice]:
        """See DeadNotices.list."""
        return self._list.list(channel, after=after, limit=limit)

    def clear(self, notice: DeadNotice) -> None:
        """See DeadNotices.clear."""
        self._list.clear(notice)
