"""Notice when somebody says in a directory that what ended in error is to be tried again."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from attrs import define, field

from daylily.application.sync_workset import Synced, SyncWorkset
from daylily.domain.errors import ConflictError
from daylily.domain.lifecycle import State
from daylily.domain.workset import Workset
from daylily.ports.clock import Clock
from daylily.ports.paging import every
from daylily.ports.state_store import Filter, StateStore

ROUND: Final = timedelta(minutes=1)
"""How long to wait, at least, before a directory is looked at again."""
PACE: Final = timedelta(seconds=1)
"""Time for each look, however many worksets have ended in error in the course of the years."""
AT_ONCE: Final = 20

_WATCHED: Final = Filter(states=frozenset({State.ERROR, State.FAILED}))


@define(kw_only=True)
class WatchEnded:
    """
    Look at the directories of worksets that ended in error, a few at a time, newest first.

    No index tells who has put what into which directory, so all there is to do is to look; and looks
    are paid for. At one a second, a thousand old errors are gone through in 17 minutes, for half a
    dollar a day. What is remembered here only says whose turn it is.
    """

    store: StateStore
    sync: SyncWorkset
    clock: Clock
    _round: Iterator[Workset] = field(init=False, factory=lambda: iter(()))
    _next_round: datetime | None = field(init=False, default=None)
    _looked: datetime | None = field(init=False, default=None)

    def __call__(self) -> Iterator[Synced]:
        """
        Yield what has been done to the directories whose turn it is.

        Raises:
            UnavailableError: A store does not answer; the next call goes on behind that workset.
        """
        now = self.clock()
        if self._looked is not None and now - self._looked < PACE:
            return
        passed = AT_ONCE if self._looked is None else int((now - self._looked) / PACE)
        self._looked = now
        for _ in range(min(passed, AT_ONCE)):
            workset = next(self._round, None) or self._begin(now)
            if workset is None:
                return
            try:
                synced = self.sync.watch(workset)
            except ConflictError:
                continue  # it has moved on since it was listed
            if synced.adopted:
                yield synced

    def _begin(self, now: datetime) -> Workset | None:
        """Begin a new round, unless it is too early, and return its first workset."""
        if self._next_round is not None and now < self._next_round:
            return None
        self._next_round = now + ROUND
        self._round = every(lambda cursor: self.store.list(_WATCHED, cursor=cursor, limit=AT_ONCE))
        return next(self._round, None)
