"""Listings over indexes: lazily page by page, in one order over several partitions."""

import heapq
from collections.abc import Collection, Iterator
from itertools import groupby
from typing import Final

from daylily.adapters.aws import historic
from daylily.adapters.aws.rows import Row
from daylily.adapters.aws.schema import CREATED, CUSTOMER, KEY, Index
from daylily.adapters.aws.table import Table, Terms
from daylily.adapters.paging import time_key
from daylily.domain.lifecycle import State
from daylily.ports.state_store import Filter

PASSING: Final = frozenset({State.READY, State.LOCKED, State.IN_PROGRESS, State.RETRYING})
"""States that worksets do not stay in: those of one customer are looked for among the few of all."""

_FIRST: Final = " "
_LAST: Final = "~"
"""Before and after every time."""
_MOST: Final = 1000
"""Rows asked for in one call; DynamoDB gives 1 MB of them at most, whatever is asked."""


def words(states: Collection[State]) -> list[str]:
    """Return the words under which rows in any of *states* stand, those of other versions too."""
    found = [str(state) for state in State if state in states]
    return [*found, *historic.STRANGE_STATES] if State.IGNORED in states else found


def created(table: Table, where: Filter, after: tuple[str, str] | None, size: int) -> Iterator[Row]:
    """
    Yield the rows among which a filter chooses, in its order, those of one instant by id.

    Args:
        after: ``created_at`` and id of the row to go on after.
        size: How many are likely to be wanted.
    """
    states, newest_first = where.states, not where.oldest_first
    if where.customer_id is not None and (states is None or not states <= PASSING):
        partitions, index = [where.customer_id], CUSTOMER
    else:
        partitions, index = words(states if states is not None else set(State)), CREATED
    streams = [_partition(table, index, each, where, after, size) for each in partitions]
    return heapq.merge(*streams, key=_position, reverse=newest_first)


def _partition(
    table: Table,
    index: Index,
    partition: str,
    where: Filter,
    after: tuple[str, str] | None,
    size: int,
) -> Iterator[Row]:
    """Yield the rows of one partition, in order."""
    terms, newest_first = Terms(), not where.oldest_first
    condition = f"{terms.name(index.partition)} = {terms.value(partition)}"
    low = time_key(where.created_from) if where.created_from is not None else _FIRST
    high = time_key(where.created_before) if where.created_before is not None else _LAST
    if after is not None:
        low, high = (low, min(high, after[0])) if newest_first else (max(low, after[0]), high)
    if low > high:
        return
    if (low, high) != (_FIRST, _LAST):
        between = f"{terms.value(low)} AND {terms.value(high)}"
        condition += f" AND {terms.name(index.order)} BETWEEN {between}"
    rows = table.query(index, condition, terms, size=min(size, _MOST), newest_first=newest_first)
    # Among rows of one instant the index has no order that a cursor could name: they get ours.
    for _, same in groupby(rows, key=_created):
        for row in sorted(same, key=_position, reverse=newest_first):
            if after is None or (_position(row) < after if newest_first else _position(row) > after):
                yield row


def _created(row: Row) -> str:
    return str(row["created_at"])


def _position(row: Row) -> tuple[str, str]:
    return _created(row), str(row[KEY])


def may_match(where: Filter, row: Row) -> bool:
    """Tell whether it is worth reading the whole row; the workset it holds decides."""
    if where.states is None or "version" not in row or historic.touched(row):
        return True
    return historic.state_of(row) in where.states


def ordered(
    table: Table, index: Index, partition: str, after: str, until: str | None, size: int
) -> Iterator[Row]:
    """
    Yield the rows of a sparse index, whose order is unique: each value ends with the row's id.

    Args:
        after: The value to go on after; empty from the start.
        until: The last value that is wanted; None for all.
    """
    terms = Terms()
    condition = f"{terms.name(index.partition)} = {terms.value(partition)}"
    if until is not None:
        if until < after:
            return
        between = f"{terms.value(after or ' ')} AND {terms.value(until)}"
        condition += f" AND {terms.name(index.order)} BETWEEN {between}"
    elif after:
        condition += f" AND {terms.name(index.order)} > {terms.value(after)}"
    for row in table.query(index, condition, terms, size=min(size, _MOST)):
        if row[index.order] != after:
            yield row


def count(table: Table, states: Collection[State]) -> int:
    """Return how many rows are in any of *states*."""
    found = 0
    for word in words(states):
        terms = Terms()
        found += table.count(CREATED, f"{terms.name('state')} = {terms.value(word)}", terms)
    return found


def left_by_others(table: Table, states: Collection[State]) -> Iterator[Row]:
    """Yield the rows in any of *states* that another system wrote last."""
    for word in words(states):
        terms = Terms()
        condition = f"{terms.name('state')} = {terms.value(word)}"
        lock, written = terms.name("lock_owner"), terms.name("written_lock")
        same_lock = (
            f"{lock} = {written} OR (attribute_not_exists({lock}) AND attribute_not_exists({written}))"
        )
        ours = (
            f"attribute_exists({terms.name('version')})"
            f" AND {terms.name('state')} = {terms.name('written_state')}"
            f" AND {terms.name('updated_at')} = {terms.name('written_at')} AND ({same_lock})"
        )
        rows = table.query(CREATED, condition, terms, size=_MOST, FilterExpression=f"NOT ({ours})")
        yield from (row for row in rows if "version" not in row or historic.touched(row))
