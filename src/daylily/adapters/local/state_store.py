"""Worksets in one SQLite file, for any number of processes on one machine."""

import json
import sqlite3
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from attrs import evolve, field, frozen

from daylily.adapters.local.database import Database, InDatabase
from daylily.adapters.local.records import from_record, to_record
from daylily.adapters.paging import (
    check_limit,
    decode_cursor,
    encode_cursor,
    history_page,
    page_of,
    time_key,
)
from daylily.adapters.remembered import Remembered
from daylily.domain.errors import (
    AlreadyExistsError,
    ConcurrentUpdateError,
    NotFoundError,
    UnavailableError,
)
from daylily.domain.lifecycle import State
from daylily.domain.scheduling import queue_rank
from daylily.domain.workset import Transition, Workset
from daylily.ports.paging import Page
from daylily.ports.state_store import LOOKED_AT, Filter, Unreadable

_ADD: Final = """
    INSERT INTO worksets (workset_id, customer_id, state, priority, name, created_at,
                          queue_rank, due_at, version, record)
    VALUES (:workset_id, :customer_id, :state, :priority, :name, :created_at,
            :queue_rank, :due_at, :version, :record)
"""
_SAVE: Final = """
    UPDATE worksets SET customer_id = :customer_id, state = :state, priority = :priority,
        name = :name, created_at = :created_at, queue_rank = :queue_rank, due_at = :due_at,
        version = :version, record = :record
    WHERE workset_id = :workset_id AND version = :version - 1
"""
QUEUE: Final = """
    SELECT queue_rank, workset_id, record FROM worksets
    WHERE queue_rank IS NOT NULL AND (queue_rank, workset_id) > (:key, :workset_id)
    ORDER BY queue_rank, workset_id LIMIT :limit
"""
DUE: Final = """
    SELECT due_at, workset_id, record FROM worksets
    WHERE due_at IS NOT NULL AND due_at <= :until AND (due_at, workset_id) > (:key, :workset_id)
    ORDER BY due_at, workset_id LIMIT :limit
"""
SCAN: Final = """
    SELECT workset_id, record FROM worksets WHERE workset_id > :after ORDER BY workset_id LIMIT :limit
"""
# JSON arrays rather than one question mark for each: there may be more than SQLite takes.
COUNT: Final = "SELECT count(*) FROM worksets WHERE state IN (SELECT value FROM json_each(?))"
KNOWN: Final = "SELECT workset_id FROM worksets WHERE workset_id IN (SELECT value FROM json_each(?))"


@frozen(eq=False)
class SQLiteStateStore(InDatabase):
    """
    A StateStore in one file.

    Args:
        path: Made, with its folder, if it is not there; other stores of this package may share it.
        patience: How long to wait for another process's write before the store counts as unavailable.

    Raises:
        InvalidInputError: A newer version of Daylily has written the file.
        UnavailableError: The file cannot be made or opened.
    """

    path: Path
    patience: timedelta = timedelta(seconds=10)
    _database: Database = field(init=False)
    _worksets: Remembered[Workset] = field(init=False, factory=Remembered)

    @_database.default
    def _open(self) -> Database:
        return Database(self.path, self.patience)

    def add(self, workset: Workset) -> Workset:
        """See StateStore.add."""
        first = evolve(workset, version=1)
        try:
            self._database.write(_ADD, _columns(first))
        except sqlite3.IntegrityError as error:
            raise AlreadyExistsError(f"there is a workset {workset.workset_id} already") from error
        return first

    def get(self, workset_id: str) -> Workset:
        """See StateStore.get."""
        rows = self._database.rows("SELECT record FROM worksets WHERE workset_id = ?", (workset_id,))
        if not rows:
            raise NotFoundError(f"there is no workset {workset_id}")
        return self._workset(workset_id, rows[0][0])

    def save(self, workset: Workset) -> Workset:
        """See StateStore.save."""
        saved = evolve(workset, version=workset.version + 1)
        if not self._database.write(_SAVE, _columns(saved)):
            # Rows are never removed, so what stood in the way can still be asked for.
            if not self.known([workset.workset_id]):
                raise NotFoundError(f"there is no workset {workset.workset_id}")
            raise ConcurrentUpdateError(f"{workset.workset_id} is not at version {workset.version}")
        return saved

    def history(
        self, workset_id: str, *, cursor: str | None = None, limit: int = 100
    ) -> Page[Transition]:
        """See StateStore.history."""
        whole = self.get(workset_id).history
        return history_page(workset_id, reversed(whole), len(whole), cursor, limit)

    def list(self, where: Filter, *, cursor: str | None = None, limit: int = 100) -> Page[Workset]:
        """See StateStore.list."""
        kind, most = f"list {where.fingerprint}", max(LOOKED_AT, check_limit(limit))
        query = ListQuery.of(where, after=cursor is not None)
        page = self._page(kind, query.page, query.parameters | {"most": most}, cursor, limit)
        if page.cursor is not None or not where.selective:
            return page
        # Fewer than asked for: perhaps because it has looked at all that one page may.
        key, workset_id = ("", "") if cursor is None else decode_cursor(kind, cursor, 2)
        place = {"key": key, "workset_id": workset_id, "most": most}
        last = self._database.rows(query.last, query.parameters | place)
        return evolve(page, cursor=encode_cursor(kind, *last[0])) if last else page

    def queue(self, *, cursor: str | None = None, limit: int = 100) -> Page[Workset]:
        """See StateStore.queue."""
        return self._page("queue", QUEUE, {}, cursor, limit)

    def due(self, at: datetime, *, cursor: str | None = None, limit: int = 100) -> Page[Workset]:
        """See StateStore.due."""
        return self._page("due", DUE, {"until": time_key(at)}, cursor, limit)

    def count(self, states: Collection[State]) -> int:
        """See StateStore.count."""
        ((number,),) = self._database.rows(COUNT, (json.dumps(list(states)),))
        return int(number)

    def known(self, workset_ids: Collection[str]) -> frozenset[str]:
        """See StateStore.known."""
        rows = self._database.rows(KNOWN, (json.dumps(list(workset_ids)),))
        return frozenset(workset_id for (workset_id,) in rows)

    def scan(self, *, cursor: str | None = None, limit: int = 1000) -> Page[Workset | Unreadable]:
        """See StateStore.scan."""
        (after,) = ("",) if cursor is None else decode_cursor("scan", cursor, 1)
        rows = self._database.rows(SCAN, {"after": after, "limit": check_limit(limit) + 1})
        page = page_of(rows, limit, lambda row: encode_cursor("scan", row[0]))
        return Page(tuple(self._read(*row) for row in page.items), page.cursor)

    def _workset(self, workset_id: str, record: str) -> Workset:
        return self._worksets.read(workset_id, record, lambda: from_record(Workset, record, workset_id))

    def _read(self, workset_id: str, record: str) -> Workset | Unreadable:
        try:
            return self._workset(workset_id, record)
        except UnavailableError as error:
            return Unreadable(workset_id, str(error))

    def _page(
        self, kind: str, sql: str, parameters: dict[str, Any], cursor: str | None, limit: int
    ) -> Page[Workset]:
        key, workset_id = ("", "") if cursor is None else decode_cursor(kind, cursor, 2)
        limits = {"key": key, "workset_id": workset_id, "limit": check_limit(limit) + 1}
        rows = self._database.rows(sql, parameters | limits)
        page = page_of(rows, limit, lambda row: encode_cursor(kind, row[0], row[1]))
        return Page(tuple(self._workset(row[1], row[2]) for row in page.items), page.cursor)


@frozen(kw_only=True)
class ListQuery:
    """
    The queries of a listing: what indexes lead to comes first, and only so much of it is looked into.

    They go on after the place given by ``:key`` and ``:workset_id``, if there is one.
    """

    page: str
    """``:limit`` records of those looked at, of which there are ``:most``."""
    last: str
    """The place of the last of these, if there are so many."""
    parameters: dict[str, Any]

    @classmethod
    def of(cls, where: Filter, *, after: bool) -> "ListQuery":
        """Return the queries for a filter, and the parameters that it gives them."""
        order, beyond = ("ASC", ">") if where.oldest_first else ("DESC", "<")
        reached, told, parameters = [], [], {}
        if after:
            reached.append(f"(created_at, workset_id) {beyond} (:key, :workset_id)")
        for name, value, condition in _reached_by(where):
            reached.append(condition)
            parameters[name] = value
        for name, value, condition in _told_by(where):
            told.append(condition)
            parameters[name] = value
        from_where = (
            f"FROM worksets WHERE {' AND '.join(reached) or 'true'}"
            f" ORDER BY created_at {order}, workset_id {order}"
        )
        # Made of fixed words alone.
        page = (
            f"SELECT created_at, workset_id, record FROM (SELECT * {from_where} LIMIT :most)"  # noqa: S608
            f" WHERE {' AND '.join(told) or 'true'} LIMIT :limit"
        )
        last = f"SELECT created_at, workset_id {from_where} LIMIT 1 OFFSET :most - 1"
        if not told:
            page = f"SELECT created_at, workset_id, record {from_where} LIMIT min(:limit, :most + 1)"
        return cls(page=page, last=last, parameters=parameters)


_Condition = tuple[str, str, str]
"""A parameter, its value, and the condition in which it stands."""


def _reached_by(where: Filter) -> Iterator[_Condition]:
    """Yield the conditions for which there is an index in the order of listings."""
    if where.customer_id is not None:
        yield "customer_id", where.customer_id, "customer_id = :customer_id"
    if where.created_from is not None:
        yield "since", time_key(where.created_from), "created_at >= :since"
    if where.created_before is not None:
        yield "before", time_key(where.created_before), "created_at < :before"


def _told_by(where: Filter) -> Iterator[_Condition]:
    """Yield the conditions for which each row has to be looked into."""
    if where.priority is not None:
        yield "priority", where.priority, "priority = :priority"
    if where.states is not None:
        states = json.dumps(sorted(where.states))
        yield "states", states, "state IN (SELECT value FROM json_each(:states))"
    if where.name_contains is not None:
        # instr() knows no wildcards that would need escaping
        yield "name", _searchable(where.name_contains), "instr(name, :name) > 0"
    if where.pipeline is not None:
        yield "pipeline", where.pipeline, "json_extract(record, '$.manifest.pipeline') = :pipeline"
    if where.tag is not None:
        tags = "SELECT value FROM json_each(record, '$.tags')"
        yield "tag", where.tag, f":tag IN ({tags})"


def _columns(workset: Workset) -> dict[str, Any]:
    ready, due_at = workset.state is State.READY, workset.due_at
    return {
        "workset_id": workset.workset_id,
        "customer_id": workset.customer_id,
        "state": workset.state,
        "priority": workset.priority,
        "name": _searchable(workset.name),
        "created_at": time_key(workset.created_at),
        "queue_rank": queue_rank(workset.priority, workset.created_at) if ready else None,
        "due_at": None if due_at is None else time_key(due_at),
        "version": workset.version,
        "record": to_record(workset),
    }


def _searchable(name: str) -> str:
    # SQLite folds the case of ASCII only, so names are folded before they get there.
    return name.casefold()
