"""Worksets kept in dicts: for tests, dry runs and demonstrations."""

import threading
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import islice

from attrs import define, evolve, field

from daylily.adapters.paging import (
    check_limit,
    decode_cursor,
    encode_cursor,
    history_page,
    page_of,
    time_key,
)
from daylily.domain.errors import AlreadyExistsError, ConcurrentUpdateError, NotFoundError
from daylily.domain.lifecycle import State
from daylily.domain.scheduling import queue_rank
from daylily.domain.workset import Transition, Workset
from daylily.ports.paging import Page
from daylily.ports.state_store import LOOKED_AT, Filter, Unreadable

_Keys = list[tuple[str, ...]]
"""Sorted pairs of what a listing is ordered by and a workset's id."""


@define
class InMemoryStateStore:
    """A StateStore whose worksets last as long as the process; safe to share between threads."""

    _worksets: dict[str, Workset] = field(init=False, factory=dict)
    _created: _Keys = field(init=False, factory=list)
    _queue: _Keys = field(init=False, factory=list)
    _due: _Keys = field(init=False, factory=list)
    _states: Counter[State] = field(init=False, factory=Counter)
    _mutex: threading.Lock = field(init=False, factory=threading.Lock)

    def add(self, workset: Workset) -> Workset:
        """See StateStore.add."""
        first = evolve(workset, version=1)
        with self._mutex:
            if workset.workset_id in self._worksets:
                raise AlreadyExistsError(f"there is a workset {workset.workset_id} already")
            self._enter(first)
        return first

    def get(self, workset_id: str) -> Workset:
        """See StateStore.get."""
        # A read of one dict entry is atomic, so it waits for no one.
        try:
            return self._worksets[workset_id]
        except KeyError:
            raise NotFoundError(f"there is no workset {workset_id}") from None

    def save(self, workset: Workset) -> Workset:
        """See StateStore.save."""
        saved = evolve(workset, version=workset.version + 1)
        with self._mutex:
            stored = self.get(workset.workset_id)
            if stored.version != workset.version:
                raise ConcurrentUpdateError(
                    f"{workset.workset_id} is at version {stored.version}, not {workset.version}"
                )
            self._leave(stored)
            self._enter(saved)
        return saved

    def history(
        self, workset_id: str, *, cursor: str | None = None, limit: int = 100
    ) -> Page[Transition]:
        """See StateStore.history."""
        whole = self.get(workset_id).history
        return history_page(workset_id, reversed(whole), len(whole), cursor, limit)

    def list(self, where: Filter, *, cursor: str | None = None, limit: int = 100) -> Page[Workset]:
        """See StateStore.list."""
        check_limit(limit)
        kind = f"list {where.fingerprint}"
        after = decode_cursor(kind, cursor, 2) if cursor is not None else None
        with self._mutex:
            most = max(LOOKED_AT, limit + 1)
            looked = self._range(where, after)[:most]
            walk = (self._worksets[self._created[i][1]] for i in looked)
            found = tuple(islice(filter(where.sieve(), walk), limit + 1))
            if len(found) > limit:
                return Page(found[:limit], encode_cursor(kind, *_created_key(found[limit - 1])))
            further = len(looked) == most  # on the next page there may be more
            return Page(found, encode_cursor(kind, *self._created[looked[-1]]) if further else None)

    def _range(self, where: Filter, after: tuple[str, ...] | None) -> range:
        """Return the indexes of what a filter's times leave, in the order in which it is listed."""
        keys, since, before = self._created, where.created_from, where.created_before
        start = 0 if since is None else bisect_left(keys, (time_key(since),))
        end = len(keys) if before is None else bisect_left(keys, (time_key(before),))
        if where.oldest_first:
            return range(start if after is None else max(start, bisect_right(keys, after)), end)
        last = end if after is None else min(end, bisect_left(keys, after))
        return range(last - 1, start - 1, -1)

    def queue(self, *, cursor: str | None = None, limit: int = 100) -> Page[Workset]:
        """See StateStore.queue."""
        return self._page("queue", self._queue, cursor, limit)

    def due(self, at: datetime, *, cursor: str | None = None, limit: int = 100) -> Page[Workset]:
        """See StateStore.due."""
        return self._page("due", self._due, cursor, limit, until=time_key(at))

    def count(self, states: Collection[State]) -> int:
        """See StateStore.count."""
        with self._mutex:
            return sum(self._states[state] for state in set(states))

    def known(self, workset_ids: Collection[str]) -> frozenset[str]:
        """See StateStore.known."""
        return frozenset(each for each in workset_ids if each in self._worksets)

    def scan(self, *, cursor: str | None = None, limit: int = 1000) -> Page[Workset | Unreadable]:
        """See StateStore.scan."""
        page = self._page("scan", self._created, cursor, limit)
        return Page(page.items, page.cursor)

    def _page(
        self, kind: str, keys: _Keys, cursor: str | None, limit: int, until: str | None = None
    ) -> Page[Workset]:
        check_limit(limit)
        after = decode_cursor(kind, cursor, 2) if cursor is not None else ()
        with self._mutex:
            start = bisect_right(keys, after)
            part = keys[start : start + limit + 1]
            if until is not None:
                part = [key for key in part if key[0] <= until]
            worksets = {key: self._worksets[key[1]] for key in part}
        page = page_of(part, limit, lambda last: encode_cursor(kind, *last))
        return Page(tuple(worksets[key] for key in page.items), page.cursor)

    def _enter(self, workset: Workset) -> None:
        self._worksets[workset.workset_id] = workset
        self._states[workset.state] += 1
        for keys, key in self._keys(workset):
            insort(keys, key)

    def _leave(self, workset: Workset) -> None:
        self._states[workset.state] -= 1
        for keys, key in self._keys(workset):
            del keys[bisect_left(keys, key)]

    def _keys(self, workset: Workset) -> Iterable[tuple[_Keys, tuple[str, ...]]]:
        yield self._created, _created_key(workset)
        if workset.state is State.READY:
            rank = queue_rank(workset.priority, workset.created_at)
            yield self._queue, (rank, workset.workset_id)
        if workset.due_at is not None:
            yield self._due, (time_key(workset.due_at), workset.workset_id)


def _created_key(workset: Workset) -> tuple[str, ...]:
    return time_key(workset.created_at), workset.workset_id
