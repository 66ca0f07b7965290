"""Keep the index logs: one object for each sentinel, that lists the worksets which it stands for."""

import logging
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final

from attrs import define, field

from daylily.domain.errors import NotFoundError
from daylily.domain.index_log import LAST, log_line, log_name, log_texts, sentinels_of
from daylily.domain.sentinels import Sentinel
from daylily.ports.clock import Clock
from daylily.ports.object_store import ObjectStore
from daylily.ports.paging import every
from daylily.ports.state_store import StateStore, Unreadable

EVERY: Final = timedelta(minutes=5)
"""How often the logs are rewritten, however many monitors there are."""

_log = logging.getLogger(__name__)


@define(kw_only=True)
class WriteIndexLogs:
    """
    Rewrite the index logs, if that is due.

    All of them are written each time, also those that have become empty: what the old monitor left out,
    it left to say for ever what had once been so (D-32).

    Cost, every 5 minutes: one question whether another monitor has done it; if none has, one scan of
    the store and six puts. Memory: a line for each workset, some 150 bytes.

    Args:
        folder: Where the logs stand, ending in ``/``.
    """

    store: StateStore
    objects: ObjectStore
    folder: str
    clock: Clock
    _next: datetime | None = field(init=False, default=None)

    def __call__(self) -> bool:
        """
        Rewrite them, and return whether they were due.

        Raises:
            UnavailableError: A store does not answer; the logs stay as they are until the next time.
        """
        now = self.clock()
        if self._next is not None and now < self._next:
            return False
        self._next = now + EVERY
        written = self._written()
        # One that is far in the future was written by a clock that was wrong, and would stay for ever.
        if written is not None and abs(now - written) < EVERY:
            self._next = written + EVERY
            return False
        lines = self._lines()
        for sentinel, text in log_texts(lines):
            self.objects.put(self.folder + log_name(sentinel), text.encode())
        return True

    def _written(self) -> datetime | None:
        """Return when some monitor last rewrote them."""
        try:
            return self.objects.info(self.folder + log_name(LAST)).modified_at
        except NotFoundError:
            return None

    def _lines(self) -> dict[Sentinel, list[str]]:
        lines: defaultdict[Sentinel, list[str]] = defaultdict(list)
        for stored in every(lambda cursor: self.store.scan(cursor=cursor)):
            if isinstance(stored, Unreadable):
                _log.warning("%s: left out of the index logs: %s", stored.workset_id, stored.error)
                continue
            for sentinel, body in sentinels_of(stored):
                lines[sentinel].append(log_line(stored.workset_id, body))
        return lines
