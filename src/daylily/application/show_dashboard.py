"""How things stand: what runs, waits and failed, what the month has cost, and the last thirty days."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Final

from attrs import define, field, frozen

from daylily.domain.customers import Principal
from daylily.domain.lifecycle import State
from daylily.domain.workset import Workset
from daylily.ports.clock import Clock
from daylily.ports.paging import every
from daylily.ports.state_store import Filter, StateStore

DAYS: Final = 30
MOST: Final = 1000
"""How many worksets of a kind are counted; beyond it there are more."""
REMEMBERED: Final = timedelta(minutes=1)
"""For how long days are not added up anew."""

WAITING: Final = frozenset({State.READY, State.RETRYING})
RUNNING: Final = frozenset({State.LOCKED, State.IN_PROGRESS})
ATTENTION: Final = frozenset({State.ERROR, State.FAILED})
_PAGE: Final = 500
_SHOWN: Final = 5


@define
class Day:
    """What was submitted on a day of UTC, and what has become of it."""

    day: date
    complete: int = 0
    failed: int = 0
    under_way: int = 0
    other: int = 0
    """Canceled, or set aside."""

    @property
    def submitted(self) -> int:
        """How many there were."""
        return self.complete + self.failed + self.under_way + self.other

    def add(self, workset: Workset) -> None:
        """Count a workset."""
        state = workset.archived_from or workset.state
        if state is State.COMPLETE:
            self.complete += 1
        elif state in ATTENTION:
            self.failed += 1
        elif state in WAITING | RUNNING:
            self.under_way += 1
        else:
            self.other += 1


@frozen(kw_only=True)
class Dashboard:
    """How things stand for whoever asks."""

    waiting: int
    running: int
    failed: int
    more: bool
    """Whether there are more than were counted."""
    attention: tuple[Workset, ...]
    """The newest of those that a person has to look at."""
    longest_waiting: Workset | None
    month: str
    """``2026-05``."""
    estimated_usd: Decimal
    recorded_usd: Decimal
    days: tuple[Day, ...]
    """The last thirty, the latest last."""

    @property
    def finished(self) -> int:
        """How many of these days' worksets are complete."""
        return sum(day.complete for day in self.days)


@frozen(kw_only=True)
class _Past:
    at: datetime
    estimated_usd: Decimal
    recorded_usd: Decimal
    days: tuple[Day, ...]


@frozen(kw_only=True)
class ShowDashboard:
    """
    Tell how things stand: operators for all customers, others for their own.

    Cost: the pages of what is not over, and, once a minute, those of the worksets of thirty days.
    """

    store: StateStore
    clock: Clock
    _past: dict[str | None, _Past] = field(init=False, factory=dict)

    def __call__(self, who: Principal) -> Dashboard:
        """
        Return how things stand now.

        Raises:
            UnavailableError: The store does not answer.
        """
        customer_id = None if who.operator else who.customer_id
        now = self.clock()
        past = self._past.get(customer_id)
        if past is None or now - past.at >= REMEMBERED:
            past = self._past[customer_id] = self._add_up(customer_id, now)
        found = {
            kind: tuple(islice(self._each(customer_id, kind), MOST + 1))
            for kind in (WAITING, RUNNING, ATTENTION)
        }
        return Dashboard(
            waiting=len(found[WAITING][:MOST]),
            running=len(found[RUNNING][:MOST]),
            failed=len(found[ATTENTION][:MOST]),
            more=any(len(each) > MOST for each in found.values()),
            attention=found[ATTENTION][:_SHOWN],
            longest_waiting=min(found[WAITING], key=lambda each: each.created_at, default=None),
            month=f"{now:%Y-%m}",
            estimated_usd=past.estimated_usd,
            recorded_usd=past.recorded_usd,
            days=past.days,
        )

    def _each(self, customer_id: str | None, states: frozenset[State]) -> Iterator[Workset]:
        where = Filter(customer_id=customer_id, states=states)
        return every(lambda cursor: self.store.list(where, cursor=cursor, limit=_PAGE))

    def _add_up(self, customer_id: str | None, now: datetime) -> _Past:
        today = now.astimezone(UTC).date()
        first = today - timedelta(days=DAYS - 1)
        days = {first + timedelta(days=n): Day(first + timedelta(days=n)) for n in range(DAYS)}
        since = min(first, today.replace(day=1))
        where = Filter(
            customer_id=customer_id,
            created_from=datetime(since.year, since.month, since.day, tzinfo=UTC),
        )
        estimated = recorded = Decimal(0)
        for workset in every(lambda cursor: self.store.list(where, cursor=cursor, limit=_PAGE)):
            day = workset.created_at.astimezone(UTC).date()
            if day in days:
                days[day].add(workset)
            if (day.year, day.month) == (today.year, today.month):
                recorded += workset.recorded_usd or 0
                estimated += workset.estimate.total_usd if workset.estimate is not None else 0
        return _Past(at=now, estimated_usd=estimated, recorded_usd=recorded, days=tuple(days.values()))
