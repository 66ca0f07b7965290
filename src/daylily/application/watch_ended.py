"""Notice when somebody says in a directory that what ended in error is to be tried again."""

from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from attrs import define, field

from daylily.application.resting import within
from daylily.application.sync_workset import Synced, SyncWorkset
from daylily.application.turns import Turns
from daylily.domain.errors import ConflictError
from daylily.domain.lifecycle import State
from daylily.domain.workset import Workset
from daylily.ports.clock import Clock
from daylily.ports.state_store import Filter, StateStore

ROUND: Final = timedelta(minutes=1)
"""How long to wait, at least, before a directory is looked at again."""
PACE: Final = timedelta(seconds=1)
"""Time for each look, however many worksets have ended in error in the course of the years."""
AT_ONCE: Final = 20

_WATCHED: Final = (State.ERROR, State.FAILED)


@define(kw_only=True)
class WatchEnded:
    """
    Look at the directories of worksets that ended in error, one after the other, newest first.

    No index tells who has put what into which directory, so all there is to do is to look; and looks
    are paid for. There is at most one a second, and in each cycle no more than it has turns for: with
    a cycle every two seconds, a thousand old errors are gone through in half an hour. What is
    remembered here only says whose turn it is.
    """

    store: StateStore
    sync: SyncWorkset
    clock: Clock
    turns: Turns
    _asks: deque[tuple[State, str | None]] = field(init=False, factory=deque)
    """What is to be listed yet in this round: states, and where to go on; each is one question."""
    _page: deque[Workset] = field(init=False, factory=deque)
    _began: datetime | None = field(init=False, default=None)
    """When this round did."""
    _looked: datetime | None = field(init=False, default=None)

    def __call__(self) -> Iterator[Synced]:
        """
        Yield what has been done to the directories whose turn it is.

        Raises:
            UnavailableError: A store does not answer; the next call goes on behind that workset.
        """
        now = self.clock()
        if self._looked is not None and within(PACE, self._looked, now):
            return
        passed = AT_ONCE if self._looked is None else int((now - self._looked) / PACE)
        self._looked = now
        for _ in range(min(passed, AT_ONCE)):
            if not (self._list(now) and self._is_our_turn()):
                return
            try:
                synced = self.sync.watch(self._page.popleft())
            except ConflictError:
                continue  # it has moved on since it was listed
            if synced.adopted:
                yield synced

    def _is_our_turn(self) -> bool:
        return self.turns.take("directories of what ended in error")

    def _list(self, now: datetime) -> bool:
        """Tell whether there is a workset to look at; listed, a page in a turn, if need be."""
        while not self._page:
            if not self._asks and self._began is not None and within(ROUND, self._began, now):
                return False
            if not self._is_our_turn():
                return False
            if not self._asks:
                self._began = now
                self._asks.extend((state, None) for state in _WATCHED)
            state, cursor = self._asks.popleft()
            where = Filter(states=frozenset({state}))
            page = self.store.list(where, cursor=cursor, limit=AT_ONCE)
            if page.cursor is not None:
                self._asks.appendleft((state, page.cursor))
            self._page.extend(page.items)
        return True
