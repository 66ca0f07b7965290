"""What a store is asked for figures: how much there is of what, since when, and what is owed."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final, Self

from attrs import frozen

from daylily.application.monitor_cycle import CycleReport
from daylily.domain.lifecycle import State
from daylily.domain.retry import Failure
from daylily.ports.paging import every
from daylily.ports.state_store import Filter

if TYPE_CHECKING:
    from daylily.bootstrap import World

LIVE: Final = (State.READY, State.LOCKED, State.IN_PROGRESS, State.RETRYING)
"""States that are counted when somebody asks; to count what is over would cost more every day."""
MOST_DUE: Final = 1000
"""How many worksets that are due are looked at."""
_READY: Final = Filter(states=frozenset({State.READY}), oldest_first=True)


@frozen(kw_only=True)
class Figures:
    """The queue and what is amiss, as they are now."""

    worksets: Mapping[State, int]
    head_age: timedelta
    """How old the next workset to run is."""
    oldest_ready: timedelta
    """How old the oldest is that is ready."""
    debts: int
    """What is owed and overdue, to the bucket and to people."""
    unknown: int
    """Worksets of which their engine does not tell how they are."""

    @classmethod
    def of(cls, world: "World") -> Self:
        """
        Ask the store: a count for each live state, the head of the queue, the oldest, and what is due.

        Raises:
            UnavailableError: It does not answer.
        """
        now, store = world.clock(), world.store
        head = store.queue(limit=1).items
        oldest = store.list(_READY, limit=1).items
        due = tuple(islice(every(lambda cursor: store.due(now, cursor=cursor)), MOST_DUE))
        return cls(
            worksets={state: store.count([state]) for state in LIVE},
            head_age=now - head[0].created_at if head else timedelta(),
            oldest_ready=now - oldest[0].created_at if oldest else timedelta(),
            debts=sum(len(workset.debts) for workset in due),
            unknown=sum(workset.unknown_since is not None for workset in due),
        )


def launches(report: CycleReport) -> int:
    """Return how many attempts a cycle has started."""
    return sum(each.state is State.IN_PROGRESS and each.running is not None for each in report.moved)


def retries(report: CycleReport) -> list[str]:
    """Return what the attempts failed of that a cycle has put down to be tried again."""
    failures = (each.failure for each in report.moved if each.state is State.RETRYING)
    return [code_of(failure) for failure in failures if failure is not None]


def code_of(failure: Failure) -> str:
    """Return a word for a failure: that of the catalogue, or the exit code."""
    if failure.code is not None:
        return failure.code
    if failure.lost:
        return "lost"
    return str(failure.category) if failure.exit_code is None else f"exit-{failure.exit_code}"
