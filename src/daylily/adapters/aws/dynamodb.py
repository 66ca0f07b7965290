"""Worksets in a table of DynamoDB, which old versions of the system may read and write too."""

import time
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import structlog
from attrs import define, evolve, field, frozen

from daylily.adapters.aws import historic, items, listings
from daylily.adapters.aws.conditions import is_ours, loss, removable, unchanged
from daylily.adapters.aws.rows import NUMBER, KeptWorkset, Row, after, pack, present, unpack
from daylily.adapters.aws.schema import DUE, KEY, QUEUE
from daylily.adapters.aws.spill import MANIFEST_BYTES, Spill
from daylily.adapters.aws.table import Refused, Table, Terms
from daylily.adapters.paging import (
    check_limit,
    decode_cursor,
    encode_cursor,
    history_page,
    page_of,
    sifted,
    time_key,
)
from daylily.adapters.records import to_plain
from daylily.adapters.remembered import Remembered
from daylily.domain.errors import (
    AlreadyExistsError,
    ConflictError,
    NotFoundError,
    PerhapsOursError,
    UnavailableError,
)
from daylily.domain.lifecycle import State
from daylily.domain.names import is_id
from daylily.domain.workset import Transition, Workset
from daylily.ports.object_store import ObjectStore
from daylily.ports.paging import Page
from daylily.ports.state_store import LOOKED_AT, Filter, Sieve, Unreadable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

HISTORY_MOST: Final = 150
"""Entries of history in a row, at most; when there are more, all but the latest move out."""
HISTORY_LEFT: Final = 50
HISTORY_CHARACTERS: Final = 24_000
"""The same bound for entries with long reasons."""

Rows = list[Row]

_ADOPTED: Final = sorted(listings.PASSING, key=lambda state: (state is not State.READY, state))
"""States in which rows of other systems are looked for, those first that wait to be launched."""
_THREADS: Final = 16
_WORTH_A_PAGE: Final = 25
"""How many single questions a page of all ids is worth, which holds some hundreds of them."""

_log = structlog.get_logger()


@frozen
class _Before:
    """What has left a row already."""

    key: str | None


@define(eq=False)
class DynamoDBStateStore:
    """
    A StateStore in one table, under the attributes and indexes that old readers know.

    - A save is one UpdateItem, conditional on the version and on what other systems write without
      moving it on (state, time, lock owner). Attributes that are not ours stay as they are.
    - Queues and listings read indexes, which lag; what they return is saved only if it is still true.
    - What other systems put into the table is taken into our indexes now and then (*adopt_every*): as
      a monitor's ``chore``; or, where there is none, when somebody asks for a queue.
    - A row that cannot be read is left out of listings, with a line in the log; ``get`` raises.

    Args:
        client: A low-level client, which threads may share.
        table: Its name.
        spill: Where history, texts and manifests go that a row cannot hold. Without it history beyond
            the latest entries, and the ends of long texts, are lost.
        prefix: The folder in *spill* in which each workset has its directory.
        bucket: What the rows say of where the directories are.
        adopt_every: How often to look for rows of other systems; None where there are none, or where
            nothing is to be written.
        elapsed: Seconds since some moment, by a clock that nobody puts back.
    """

    client: "DynamoDBClient"
    table: str
    spill: ObjectStore | None = None
    prefix: str = "worksets/"
    bucket: str | None = None
    adopt_every: timedelta | None = timedelta(minutes=5)
    elapsed: Callable[[], float] = time.monotonic
    _table: Table = field(init=False)
    _spill: Spill = field(init=False)
    _layout: items.Layout = field(init=False)
    _worksets: Remembered[Workset] = field(init=False, factory=Remembered)
    _adopted_at: dict[State, float] = field(init=False, factory=dict)
    _has_chores_done: bool = field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        self._table = Table(self.client, self.table, rows=Remembered())
        self._spill = Spill(self.spill, self.prefix)
        self._layout = items.Layout(self.bucket, self._spill.prefix)

    def add(self, workset: Workset) -> Workset:
        """See StateStore.add."""
        first = evolve(workset, version=1)
        fit = items.fitted(first)
        sets = self._sets(fit, first, None)
        row = {KEY: workset.workset_id, "metadata": items.metadata(fit), **sets}
        refused = self._table.create(present(row))
        if refused and not is_ours(refused, row):
            kind = PerhapsOursError if refused.repeated else AlreadyExistsError
            raise kind(f"there is a workset {workset.workset_id} already")
        return first if fit is first else self._decoded(row)

    def get(self, workset_id: str) -> Workset:
        """See StateStore.get."""
        return self._decoded(self._row(workset_id))

    def save(self, workset: Workset) -> Workset:
        """
        See StateStore.save.

        A row that has not got a version is given its first one, if no version has come meanwhile.
        """
        saved = evolve(workset, version=workset.version + 1)
        fit = items.fitted(saved)
        before = self._before(workset) if self._overflows(fit) else None
        sets = self._sets(fit, saved, before)
        terms = Terms()
        refused = self._table.update(
            workset.workset_id,
            to_set=present(sets),
            to_keep={"metadata": items.metadata(fit)},
            to_remove=sorted({name for name in (*removable(workset), *sets) if sets.get(name) is None}),
            condition=unchanged(workset, terms),
            terms=terms,
        )
        if refused and not is_ours(refused, sets):
            raise loss(workset, refused)
        if fit is saved and before is None and not isinstance(workset, KeptWorkset):
            return saved
        found = workset.kept.row if isinstance(workset, KeptWorkset) else {KEY: workset.workset_id}
        return self._decoded(after(found, sets))

    def list(self, where: Filter, *, cursor: str | None = None, limit: int = 100) -> Page[Workset]:
        """
        See StateStore.list.

        Of a customer's, those are listed that have its id in their row: what very old versions have
        registered is, once it has been adopted.
        """
        check_limit(limit)
        kind, after = f"list {where.fingerprint}", None
        if cursor is not None:
            created, workset_id = decode_cursor(kind, cursor, 2)
            after = created, workset_id
        # One more tells whether there is more, and one more that nothing is of the same instant.
        size = limit + 2 if not where.selective else max(limit + 2, LOOKED_AT // 4)
        keeps = where.sieve()
        return sifted(
            listings.created(self._table, where, after, size),
            lambda row: self._listed(where, keeps, row),
            limit,
            lambda row: encode_cursor(kind, row["created_at"], row[KEY]),
        )

    def _listed(self, where: Filter, keeps: Sieve, row: Row) -> Workset | None:
        if not listings.may_match(where, row):
            return None
        found = next((workset for _, workset in self._readable(iter([row]))), None)
        return found if found is not None and keeps(found) else None

    def queue(self, *, cursor: str | None = None, limit: int = 100) -> Page[Workset]:
        """See StateStore.queue."""
        check_limit(limit)
        (after,) = decode_cursor("queue", cursor, 1) if cursor is not None else ("",)
        self._adopt_if_due(cursor)
        rows = listings.ordered(self._table, QUEUE, "ready", after, None, limit + 1)
        return self._page("queue", QUEUE.order, rows, limit, lambda each: each.state is State.READY)

    def due(self, at: datetime, *, cursor: str | None = None, limit: int = 100) -> Page[Workset]:
        """See StateStore.due."""
        check_limit(limit)
        (after,) = decode_cursor("due", cursor, 1) if cursor is not None else ("",)
        self._adopt_if_due(cursor)
        # "~" comes after every character that an id can have.
        rows = listings.ordered(self._table, DUE, "due", after, f"{time_key(at)}#~", limit + 1)
        return self._page(
            "due", DUE.order, rows, limit, lambda each: each.due_at is not None and each.due_at <= at
        )

    def count(self, states: Collection[State]) -> int:
        """See StateStore.count."""
        return listings.count(self._table, states)

    def known(self, workset_ids: Collection[str]) -> frozenset[str]:
        """See StateStore.known."""
        wanted = {each for each in workset_ids if each}
        found, whole = self._among_all(wanted)
        left = [] if whole else sorted(wanted - found)
        if not left:
            return found
        # The guide's policy has no BatchGetItem.
        with ThreadPoolExecutor(min(_THREADS, len(left))) as pool:
            there = pool.map(lambda each: self._table.get(each, KEY) is not None, left)
            return found.union(each for each, known in zip(left, there, strict=True) if known)

    def _among_all(self, wanted: set[str]) -> tuple[frozenset[str], bool]:
        """
        Look for many ids among all that are stored; return those found, and whether that was all.

        Pages of ids are read only as long as they cost less than a question for each id does.
        """
        found: set[str] = set()
        # A monitor's policy may leave out Scan: then each is asked for.
        with suppress(UnavailableError):
            for keys, last in islice(self._table.keys(), len(wanted) // _WORTH_A_PAGE):
                found |= wanted.intersection(keys)
                if last:
                    return frozenset(found), True
        return frozenset(found), False

    def scan(self, *, cursor: str | None = None, limit: int = 1000) -> Page[Workset | Unreadable]:
        """
        See StateStore.scan.

        One Scan of the table itself, which does not lag; DynamoDB ends a page at 1 MB, too.
        """
        check_limit(limit)
        (after,) = decode_cursor("scan", cursor, 1) if cursor is not None else (None,)
        rows, last = self._table.scanned(after, limit)
        found = tuple(map(self._read, rows))
        return Page(found, encode_cursor("scan", last) if last is not None else None)

    def history(
        self, workset_id: str, *, cursor: str | None = None, limit: int = 100
    ) -> Page[Transition]:
        """
        See StateStore.history; what has left the row is read only as far as the page goes.

        Raises:
            UnavailableError: A part of it is not where the row says.
        """
        row = self._row(workset_id)
        workset = self._decoded(row)
        return history_page(workset_id, self._steps(row, workset), workset.sequence, cursor, limit)

    def _steps(self, row: Row, workset: Workset) -> Iterator[Transition]:
        cut = items.cut_entries(row)
        first = workset.sequence - len(workset.history) + 1
        for number, step in reversed(list(enumerate(workset.history, first))):
            yield self._whole(workset.workset_id, cut[number]) if number in cut else step
        for chunk in self._spill.chunks(workset.workset_id, row.get("history_key")):
            yield from (self._whole(workset.workset_id, entry) for entry in reversed(chunk))

    def adopt(self, states: Collection[State] = listings.PASSING) -> int:
        """
        Take rows that other systems wrote last into our indexes, as they are; return how many.

        Harmless at any time and any number of times: each is a save of what has been read.
        """
        rows = listings.left_by_others(self._table, states)
        return sum(self._adopted(workset) for _, workset in self._readable(rows))

    def chore(self) -> Callable[[], object] | None:
        """Return what takes rows of one state into our indexes, by one call, if that is due."""
        self._has_chores_done = True
        due = self._to_be_adopted()
        return (lambda: self._adopt(due[:1])) if due else None

    # Reading

    def _row(self, workset_id: str) -> Row:
        row = self._table.get(workset_id) if workset_id else None
        if row is None:
            raise NotFoundError(f"there is no workset {workset_id}")
        return row

    def _decoded(self, row: Row) -> Workset:
        return self._worksets.read(
            str(row[KEY]), row, lambda: items.decoded(row, self._layout, self._manifest)
        )

    def _manifest(self, row: Row) -> Any:
        key = row.get("manifest_key")
        return self._spill.read(str(row[KEY]), key) if key else unpack(row["manifest"])

    def _readable(self, rows: Iterator[Row]) -> Iterator[tuple[Row, Workset]]:
        for row in rows:
            try:
                yield row, self._decoded(row)
            except UnavailableError as error:
                # One that nobody can read must not keep monitors from all others.
                _log.error("row unreadable", table=self.table, workset_id=row[KEY], error=str(error))

    def _read(self, row: Row) -> Workset | Unreadable:
        try:
            return self._decoded(row)
        except UnavailableError as error:
            return Unreadable(str(row[KEY]), str(error))

    def _page(
        self, kind: str, order: str, rows: Iterator[Row], limit: int, wanted: Any
    ) -> Page[Workset]:
        found: list[tuple[str, Workset]] = []
        for row, workset in self._readable(rows):
            if wanted(workset):
                found.append((row[order], workset))
            elif isinstance(workset, KeptWorkset) and self.adopt_every is not None:
                # Another system has moved it on, and our index has it where it was.
                self._adopted(workset)
            if len(found) > limit:
                break
        page = page_of(found, limit, lambda last: encode_cursor(kind, last[0]))
        return Page(tuple(workset for _, workset in page.items), page.cursor)

    def _whole(self, workset_id: str, entry: Row) -> Transition:
        if "whole" not in entry:
            return historic.transition(entry)
        (first, *_) = next(self._spill.chunks(workset_id, entry["whole"]))
        return historic.transition(first)

    # What others wrote

    def _adopt_if_due(self, cursor: str | None) -> None:
        first = not self._adopted_at
        if cursor is None and (first or not self._has_chores_done) and (due := self._to_be_adopted()):
            self._adopt(due)

    def _to_be_adopted(self) -> Sequence[State]:
        """Return the states in which nobody has looked for as long as may be."""
        if self.adopt_every is None:
            return ()
        before = self.elapsed() - self.adopt_every.total_seconds()
        return [each for each in _ADOPTED if self._adopted_at.get(each, before) <= before]

    def _adopt(self, states: Sequence[State]) -> None:
        self.adopt(states)
        self._adopted_at |= dict.fromkeys(states, self.elapsed())

    def _adopted(self, workset: Workset) -> bool:
        if not is_id(workset.workset_id):
            return False
        try:
            self.save(workset)
        except (ConflictError, NotFoundError):
            return False
        except UnavailableError as error:
            # It may be this row alone: there is no room in it, or none for what has to leave it. That
            # must not keep monitors from all others; a table that is away raises here.
            self._table.get(workset.workset_id, KEY)
            _log.error(
                "row cannot be adopted",
                table=self.table,
                workset_id=workset.workset_id,
                error=str(error),
            )
            return False
        return True

    # Writing

    def _sets(self, fit: Workset, whole: Workset, before: "_Before | None") -> Row:
        """Return every attribute that a write sets, and those it removes as None."""
        if isinstance(fit, KeptWorkset):
            sets = items.changes(fit, self._layout)
            written = {
                name: value for name, value in (fit.kept.row | sets).items() if value is not None
            }
        else:
            sets = items.historic_attributes(fit, self._layout)
            written = sets
        sets = {**sets, **items.own_attributes(fit, written), "write_id": uuid.uuid4().hex}
        entries = self._entries(fit, whole)
        if before is not None:
            leaving = entries[:-HISTORY_LEFT] or entries[: len(entries) // 2]
            entries = entries[len(leaving) :]
            sets["history_key"] = self._spill.history(fit.workset_id, leaving, before.key) or before.key
        sets["state_history"] = entries
        return sets | self._manifest_attributes(fit)

    def _entries(self, fit: Workset, whole: Workset) -> Rows:
        entries = items.entries(fit)
        for entry, cut, full in zip(entries, fit.history, whole.history, strict=True):
            if cut.reason != full.reason and "whole" not in entry:
                key = self._spill.history(fit.workset_id, [items.entry(full, entry[NUMBER])], None)
                if key:
                    entry["whole"] = key
        return entries

    def _manifest_attributes(self, workset: Workset) -> Row:
        plain = to_plain(workset.manifest)
        packed = pack(plain)
        if len(packed) > MANIFEST_BYTES:
            key = self._spill.manifest(workset.workset_id, plain)
            if key:
                return {"manifest_key": key, "manifest": None}
        return {"manifest": packed, "manifest_key": None}

    def _overflows(self, workset: Workset) -> bool:
        reasons = sum(len(step.reason) for step in workset.history)
        return len(workset.history) > HISTORY_MOST or (
            reasons > HISTORY_CHARACTERS and len(workset.history) > 2
        )

    def _before(self, workset: Workset) -> "_Before":
        """Return what has left the row already: only a look at it can tell."""
        if isinstance(workset, KeptWorkset):
            return _Before(workset.kept.row.get("history_key"))
        row = self._table.get(workset.workset_id, "version", "history_key")
        if row is None or row.get("version") != workset.version:
            raise loss(workset, Refused(row))
        return _Before(row.get("history_key"))
