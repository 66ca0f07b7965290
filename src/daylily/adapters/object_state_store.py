"""Worksets kept in an object store alone: for installations without a database."""

import json
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Final, TypeVar

from attrs import evolve, field, frozen

from daylily.adapters.keys import check_folder
from daylily.adapters.object_markers import START, Marked, Markers, Walk, just_before, order_of
from daylily.adapters.paging import (
    check_limit,
    decode_cursor,
    encode_cursor,
    history_page,
    sifted,
    time_key,
)
from daylily.adapters.records import from_plain, to_plain
from daylily.adapters.remembered import Remembered
from daylily.domain.errors import (
    AlreadyExistsError,
    ConcurrentUpdateError,
    NotFoundError,
    UnavailableError,
)
from daylily.domain.lifecycle import State
from daylily.domain.names import is_id
from daylily.domain.workset import Transition, Workset
from daylily.ports.clock import Clock
from daylily.ports.object_store import ObjectInfo, ObjectStore
from daylily.ports.paging import Page, every
from daylily.ports.state_store import LOOKED_AT, Filter, Unreadable

T = TypeVar("T")
R = TypeVar("R")

SETTLED: Final = timedelta(days=1)
"""How old a marker of a workset that is not there has to be, for it to be of nobody who adds it yet."""
HASTE: Final = timedelta(hours=1)
"""Who took longer to add a workset puts its markers anew: they might have been taken for left over."""

_MOMENTARY: Final = frozenset({State.LOCKED, State.IN_PROGRESS, State.RETRYING})
"""States whose worksets are few, so that a count can look at each: room for others depends on it."""
_PASSING: Final = _MOMENTARY | {State.READY}
"""States that a workset does not stay in: looked for by state, even those of one customer."""
_FEW: Final = 50
"""Ids that are asked for one by one, rather than by a listing of all."""
_LISTED: Final = 10_000
_FEW_STATES: Final = 4
"""States whose folders are gone through at once, rather than that of all worksets."""

_log = logging.getLogger(__name__)


@frozen
class _Record:
    """What is stored under a workset's id; its markers stand, others of its version or below do not."""

    workset: Workset
    markers: frozenset[str]

    def encoded(self) -> bytes:
        plain = {"markers": sorted(self.markers), "workset": to_plain(self.workset)}
        return json.dumps(plain, separators=(",", ":")).encode()


def _record(workset_id: str, content: bytes) -> _Record:
    try:
        plain = json.loads(content)
        workset = from_plain(Workset, plain["workset"], workset_id)
        return _Record(workset, frozenset(map(str, plain["markers"])))
    except (UnavailableError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise DamagedRecordError(f"the stored record of {workset_id}: {error!r}") from error


@frozen(eq=False)
class ObjectStateStore:
    """
    A StateStore on top of any ObjectStore: one record a workset, replaced only as it was read.

    Beside the records stand markers, one folder a listing. New ones are put before the record that
    names them, and those that it names no more are removed after it. So a crash leaves markers too
    many and never too few; whoever comes by one looks at its record, and removes it if that has moved
    on without it (docs/adr/0022).

    Costs: ``get`` 1 call; ``add`` 6 or 7; ``save`` 3, and 1 for each marker that comes and 2 for each
    that goes, in the time of 5 at most; a page 1 for each listing, and 1 for each workset on it.

    Args:
        folder: Where all of it is; nothing else may write there.
        threads: How many calls go out at once.
    """

    objects: ObjectStore
    clock: Clock
    folder: str = field(default="worksets/.daylily/state/", converter=check_folder)
    threads: int = 1
    ahead: int = 100
    """Markers to ask for at once, at least: a page of them costs no more than one alone."""
    tidy: bool = True
    """Whether readers remove what those who died have left."""
    _markers: Markers = field(init=False)
    _records: Remembered[_Record] = field(init=False, factory=Remembered)

    @_markers.default
    def _new_markers(self) -> Markers:
        return Markers(self.folder)

    def add(self, workset: Workset) -> Workset:
        """See StateStore.add."""
        first = evolve(workset, version=1)
        began, key = self.clock(), self._key(first.workset_id)
        taken = f"there is a workset {first.workset_id} already"
        if self._there(key):
            raise AlreadyExistsError(taken)
        record = _Record(first, self._markers.of(first))
        self._mark(record.markers)
        try:
            self.objects.put(key, record.encoded(), if_absent=True)
        except AlreadyExistsError as error:
            self._clear(first.workset_id, record.markers)
            raise type(error)(taken) from error
        if self.clock() - began > HASTE:
            self._mark(record.markers)
        return first

    def get(self, workset_id: str) -> Workset:
        """See StateStore.get."""
        return self._read(workset_id).workset

    def save(self, workset: Workset) -> Workset:
        """See StateStore.save."""
        name, key = workset.workset_id, self._key(workset.workset_id)
        moved = ConcurrentUpdateError(f"{name} is not at version {workset.version}")
        try:
            # The etag first: what is read is then that object, or the replacing refuses.
            etag = self.objects.info(key).etag
        except NotFoundError:
            raise _unknown(name) from None
        stored = self._read(name)
        if stored.workset.version != workset.version:
            raise moved
        saved = evolve(workset, version=workset.version + 1)
        record = _Record(saved, self._markers.of(saved, stored.markers))
        self._mark(record.markers - stored.markers)
        if not self.objects.replace(key, record.encoded(), if_etag=etag):
            self._clear(name, record.markers - stored.markers)
            raise moved
        self._unmark(stored.markers - record.markers)
        return saved

    def history(
        self, workset_id: str, *, cursor: str | None = None, limit: int = 100
    ) -> Page[Transition]:
        """See StateStore.history."""
        whole = self.get(workset_id).history
        return history_page(workset_id, reversed(whole), len(whole), cursor, limit)

    def list(self, where: Filter, *, cursor: str | None = None, limit: int = 100) -> Page[Workset]:
        """
        See StateStore.list.

        Where the oldest come first, and before a time that is long gone, the names of all markers
        are listed: a call for each thousand worksets.
        """
        folders, kind = self._folders(where), f"list {where.fingerprint}"
        if where.oldest_first:
            return self._oldest(kind, folders, where, cursor, limit)
        return self._page(
            kind,
            folders,
            cursor,
            limit,
            where.sieve(),
            since=None if where.created_before is None else just_before(where.created_before),
            until=None if where.created_from is None else order_of(where.created_from),
        )

    def _oldest(
        self, kind: str, folders: Sequence[str], where: Filter, cursor: str | None, limit: int
    ) -> Page[Workset]:
        check_limit(limit)
        (after,) = decode_cursor(kind, cursor, 1) if cursor is not None else (None,)
        since = "" if where.created_before is None else just_before(where.created_before)
        walk = Walk(self.objects, folders, [START for _ in folders], since, _LISTED)
        until = None if where.created_from is None else order_of(where.created_from)
        marked = takewhile(lambda each: until is None or each.order <= until, iter(walk))
        backwards = [each for each in marked if after is None or each.place < after]
        backwards.reverse()
        return self._sifted(kind, backwards, where, limit)

    def _sifted(self, kind: str, marked: Sequence[Marked], where: Filter, limit: int) -> Page[Workset]:
        batch, keeps = max(limit + 1, self.threads), where.sieve()

        def walk() -> Iterator[tuple[Marked, Workset | None]]:
            for start in range(0, len(marked), batch):
                part = marked[start : start + batch]
                yield from zip(part, self._each(self._behind, part), strict=True)

        return sifted(
            walk(),
            lambda each: each[1] if each[1] is not None and keeps(each[1]) else None,
            limit,
            lambda last: encode_cursor(kind, last[0].place),
        )

    def queue(self, *, cursor: str | None = None, limit: int = 100) -> Page[Workset]:
        """See StateStore.queue."""
        return self._page("queue", [self._markers.queue], cursor, limit)

    def due(self, at: datetime, *, cursor: str | None = None, limit: int = 100) -> Page[Workset]:
        """See StateStore.due."""
        return self._page("due", [self._markers.due], cursor, limit, until=time_key(at))

    def count(self, states: Collection[State]) -> int:
        """
        See StateStore.count.

        Where worksets stay for long it counts markers: what a writer that died has left among them is
        counted until a listing comes by, and for a day if it was about to add a workset.
        """
        return sum(map(self._count, set(states)))

    def known(self, workset_ids: Collection[str]) -> frozenset[str]:
        """See StateStore.known; costs a call for each, or for many one for each thousand stored."""
        wanted = sorted(filter(is_id, set(workset_ids)))
        if len(wanted) > _FEW:
            return frozenset(wanted).intersection(map(_id_of, self._all("worksets/")))
        there = self._each(lambda each: self._there(self._key(each)), wanted)
        return frozenset(each for each, found in zip(wanted, there, strict=True) if found)

    def scan(self, *, cursor: str | None = None, limit: int = 1000) -> Page[Workset | Unreadable]:
        """See StateStore.scan; a call for each workset, as objects are read one by one."""
        (inner,) = decode_cursor("scan", cursor, 1) if cursor is not None else (None,)
        page = self.objects.list(f"{self.folder}worksets/", cursor=inner, limit=check_limit(limit))
        found = self._each(self._seen, list(map(_id_of, page.items)))
        items = tuple(each for each in found if each is not None)
        return Page(items, None if page.cursor is None else encode_cursor("scan", page.cursor))

    def holds_any(self) -> bool:
        """Tell whether there is any workset."""
        return bool(self.objects.list(f"{self.folder}worksets/", limit=1).items)

    # Records

    def _key(self, workset_id: str) -> str:
        return f"{self.folder}worksets/{workset_id}.json"

    def _there(self, key: str) -> bool:
        try:
            self.objects.info(key)
        except NotFoundError:
            return False
        return True

    def _read(self, workset_id: str) -> _Record:
        if not is_id(workset_id):
            raise _unknown(workset_id)
        try:
            with self.objects.open(self._key(workset_id)) as stream:
                content = stream.read()
        except NotFoundError:
            raise _unknown(workset_id) from None
        return self._records.read(workset_id, content, lambda: _record(workset_id, content))

    def _seen(self, workset_id: str) -> Workset | Unreadable | None:
        try:
            return self.get(workset_id)
        except DamagedRecordError as error:
            return Unreadable(workset_id, str(error))
        except NotFoundError:
            return None  # no record of ours has such a name

    def _all(self, folder: str) -> Iterator[ObjectInfo]:
        whole = f"{self.folder}{folder}"
        return every(lambda cursor: self.objects.list(whole, cursor=cursor, limit=_LISTED))

    def _each(self, call: Callable[[T], R], things: Collection[T]) -> Iterable[R]:
        if self.threads == 1 or len(things) <= 1:
            return [call(each) for each in things]
        with ThreadPoolExecutor(min(self.threads, len(things))) as pool:
            return list(pool.map(call, things))

    # Listings

    def _folders(self, where: Filter) -> Sequence[str]:
        states = where.states
        few = where.customer_id is None and len(states or ()) <= _FEW_STATES
        if states is not None and (few or states <= _PASSING):
            return [self._markers.in_state(state) for state in sorted(states)]
        if where.customer_id is not None:
            return [self._markers.of_customer(where.customer_id)]
        return [self._markers.newest]

    def _page(
        self,
        kind: str,
        folders: Sequence[str],
        cursor: str | None,
        limit: int,
        wanted: Callable[[Workset], bool] = lambda _: True,
        since: str | None = None,
        until: str | None = None,
    ) -> Page[Workset]:
        check_limit(limit)
        # A cursor says where in which folders: under another filter it makes no sense.
        named = f"{kind} {' '.join(folders)}"
        after, *tokens = (
            decode_cursor(named, cursor, 1 + len(folders))
            if cursor is not None
            else (since or "", *(START for _ in folders))
        )
        walk = Walk(self.objects, folders, tokens, after, max(limit, self.ahead))
        # Whoever took one that is too late would have gone by it.
        within = (
            iter(walk) if until is None else takewhile(lambda each: each.order <= until, iter(walk))
        )
        found: list[Workset] = []
        looked = 0
        while batch := list(islice(within, limit - len(found))):
            behind = self._each(self._behind, batch)
            found += [each for each in behind if each is not None and wanted(each)]
            looked += len(batch)
            if len(found) == limit or looked >= LOOKED_AT:
                head = walk.head()
                more = head is not None and (until is None or head.rpartition("~")[0] <= until)
                return Page(tuple(found), encode_cursor(named, *walk.position) if more else None)
        return Page(tuple(found))

    def _behind(self, marked: Marked) -> Workset | None:
        """Return the workset that markers are of, if one of them stands; remove what never will."""
        keys = frozenset(info.key for info in marked.markers)
        try:
            record = self._read(marked.workset_id)
        except NotFoundError:
            old = self.clock() - SETTLED
            self._sweep(info.key for info in marked.markers if info.modified_at < old)
            return None
        except DamagedRecordError as error:
            _log.error("passed over: %s", error)  # it must not keep monitors from all others
            return None
        self._sweep(each for each in keys - record.markers if _over(each, record))
        return record.workset if keys & record.markers else None

    def _count(self, state: State) -> int:
        # Monitors read the queue all the time, and so keep it clean.
        folder = self._markers.queue if state is State.READY else self._markers.in_state(state)
        walk = Walk(self.objects, [folder], [START], "", _LISTED)
        if state not in _MOMENTARY:
            return sum(1 for _ in walk)
        return sum(1 for workset in self._each(self._behind, list(walk)) if workset is not None)

    # Markers

    def _mark(self, keys: Iterable[str]) -> None:
        self._each(lambda key: self.objects.put(key, b""), sorted(keys))

    def _unmark(self, keys: Iterable[str]) -> None:
        # What cannot be removed now is passed over by readers, until one of them can.
        with suppress(UnavailableError):
            self._each(self.objects.delete, sorted(keys))

    def _sweep(self, keys: Iterable[str]) -> None:
        if self.tidy:
            self._unmark(keys)

    def _clear(self, workset_id: str, keys: Collection[str]) -> None:
        """Remove markers of a write that another one has come before, unless that put them too."""
        with suppress(UnavailableError, NotFoundError):
            record = self._read(workset_id)
            self._unmark(each for each in keys if each not in record.markers and _over(each, record))


class DamagedRecordError(UnavailableError):
    """A record that cannot be read, whose store answers all the same."""


def _over(key: str, record: _Record) -> bool:
    """Tell whether no later record can name a marker that this one does not."""
    version = key.rpartition("~")[2]
    return version.isdecimal() and int(version) <= record.workset.version


def _id_of(info: ObjectInfo) -> str:
    return info.key.rpartition("/")[2].removesuffix(".json")


def _unknown(workset_id: str) -> NotFoundError:
    return NotFoundError(f"there is no workset {workset_id}")
