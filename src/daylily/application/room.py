"""Who may be launched now: limits of the installation, of clusters and of customers."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from attrs import define, evolve, field, frozen

from daylily.application.engines import Engines
from daylily.application.resting import within
from daylily.domain.clusters import Cluster, Load, Placed, Shortage, Unplaced, place
from daylily.domain.errors import InvalidInputError, NotFoundError, NotSetUpError
from daylily.domain.lifecycle import State
from daylily.domain.pipelines import PipelineRegistry
from daylily.domain.workset import Workset
from daylily.ports.clock import Clock
from daylily.ports.customers import Customers
from daylily.ports.paging import every
from daylily.ports.state_store import Filter, StateStore

REMEMBERED: Final = timedelta(minutes=1)
"""How long a change of a customer's limit may go unnoticed."""

_log = logging.getLogger(__name__)


@define(kw_only=True)
class Room:
    """What is free at one moment. It counts what is placed, so that nobody is promised too much."""

    max_concurrent: int
    running: int
    """How many of all that may run do."""
    loads: dict[Cluster, Load]
    """Of clusters whose engines answer; none in an installation without clusters."""
    customers: Counter[str]
    """How many worksets of each customer run."""
    limit: Callable[[str], int | None]
    """How many worksets of a customer may run."""
    pipelines: PipelineRegistry
    clustered: bool
    answers: bool = True
    """Whether the one engine of an installation without clusters does."""

    @property
    def full(self) -> bool:
        """Whether nothing more can be launched, whatever it is."""
        silent = not (self.loads if self.clustered else self.answers)
        return silent or self.running >= self.max_concurrent

    def place(self, workset: Workset) -> Placed | Unplaced:
        """
        Say where a workset can be launched, or what it waits for.

        Raises:
            UnavailableError: The limit of its customer cannot be read.
        """
        if self.running >= self.max_concurrent:
            taken = f"a free slot: {self.running} of {self.max_concurrent} are taken"
            return Unplaced(Shortage.SLOT, taken)
        limit = self.limit(workset.customer_id)
        runs = self.customers[workset.customer_id]
        if limit is not None and runs >= limit:
            others = f"other worksets of {workset.customer_id}: {runs} run of {limit} that may"
            return Unplaced(Shortage.QUOTA, others)
        if self.clustered:
            return place(workset.requirements, self._vcpus(workset), self.loads)
        if workset.requirements.cluster is not None:
            wanted = f"cluster {workset.requirements.cluster}: there are no clusters here"
            return Unplaced(Shortage.CLUSTER, wanted)
        return Placed(None)

    def close(self, cluster: Cluster | None) -> None:
        """Place nothing more where the engine has stopped to answer."""
        if cluster is None:
            self.answers = False
        else:
            self.loads.pop(cluster, None)

    def take(self, workset: Workset, cluster: Cluster | None) -> None:
        """Count a workset that is being launched."""
        self._count(workset, cluster, 1)

    def give_back(self, workset: Workset, cluster: Cluster | None) -> None:
        """Count no more a workset that was not launched after all."""
        self._count(workset, cluster, -1)

    def _count(self, workset: Workset, cluster: Cluster | None, number: int) -> None:
        self.running += number
        self.customers[workset.customer_id] += number
        if cluster in self.loads:
            load = self.loads[cluster]
            vcpus = load.vcpus + number * self._vcpus(workset)
            self.loads[cluster] = evolve(load, worksets=load.worksets + number, vcpus=vcpus)

    def _vcpus(self, workset: Workset) -> int:
        try:
            return self.pipelines.get(workset.manifest.pipeline).resources.cpus
        except InvalidInputError:
            return 1  # the launch will say what is wrong with it


@frozen
class _Limit:
    read_at: datetime
    worksets: int | None


@define
class Limits:
    """How many worksets of a customer may run at a time; read once a minute."""

    customers: Customers
    clock: Clock
    _known: dict[str, _Limit] = field(init=False, factory=dict)
    _told_of: dict[str, None] = field(init=False, factory=dict)
    """Whose limits ``last`` has told since they were read."""
    _told: bool = field(init=False, default=False)

    def of(self, customer_id: str) -> int | None:
        """
        Return the limit of a customer; None if there is none.

        Raises:
            UnavailableError: It cannot be read.
        """
        known = self._known.get(customer_id)
        if known is None or self._is_old(known):
            return self.refresh(customer_id)
        return known.worksets

    def last(self, customer_id: str) -> int | None:
        """Return the limit of a customer as it was last read; None also if it never was."""
        known = self._known.get(customer_id)
        if known is None:
            return None
        self._told_of[customer_id] = None
        return known.worksets

    @property
    def outdated(self) -> str | None:
        """One of the customers whose limits ``last`` has told, and that were read a minute ago."""
        return next((each for each in self._told_of if self._is_old(self._known[each])), None)

    def refresh(self, customer_id: str) -> int | None:
        """
        Read the limit of a customer.

        Raises:
            UnavailableError: It cannot be read.
        """
        known = self._known[customer_id] = _Limit(self.clock(), self._read(customer_id))
        self._told_of.pop(customer_id, None)
        return known.worksets

    def _is_old(self, known: _Limit) -> bool:
        return not within(REMEMBERED, known.read_at, self.clock())

    def _read(self, customer_id: str) -> int | None:
        try:
            return self.customers.get(customer_id).max_concurrent_worksets
        except NotFoundError:
            return None  # a workset from elsewhere
        except NotSetUpError as error:
            if not self._told:
                _log.warning("customers' limits are not kept: %s", error)
                self._told = True
            return None


@frozen(kw_only=True)
class MakeRoom:
    """Count what runs."""

    store: StateStore
    engines: Engines
    pipelines: PipelineRegistry
    limits: Limits
    max_concurrent: int

    def __call__(self, running: Iterable[Workset], down: Iterable[str | None] = ()) -> Room:
        """
        Return what is free.

        Args:
            running: What engines of ours, or other systems, are known to run; others are passed over.
            down: Clusters whose engines do not answer.

        Raises:
            UnavailableError: The store does not answer.
        """
        busy = {each.workset_id: each for each in running if each.state is State.IN_PROGRESS}
        foreign = sum(workset.foreign_run for workset in busy.values())
        # Counted now, as other monitors launch while this one polls. What *foreign* runs other systems
        # have are theirs: were they to take our slots, a bucket with a few that were killed years ago
        # would keep us from launching anything.
        started = self.store.count({State.IN_PROGRESS}) - foreign
        locked = tuple(self._locked()) if started < self.max_concurrent else ()
        busy |= {workset.workset_id: workset for workset in locked}
        return self._room(busy.values(), started + len(locked), down, self.limits.of)

    def roughly(self, running: Iterable[Workset], down: Iterable[str | None] = ()) -> Room:
        """
        Return what is free as far as is known without asking: more than there is, if anything.

        Where that is nothing for anybody who waits, nobody need be asked.

        Args:
            running: What is known to run.
            down: Clusters whose engines do not answer.
        """
        busy = [each for each in running if each.state is State.IN_PROGRESS]
        started = sum(not workset.foreign_run for workset in busy)
        return self._room(busy, started, down, self.limits.last)

    def _room(
        self,
        busy: Iterable[Workset],
        taken: int,
        down: Iterable[str | None],
        limit: Callable[[str], int | None],
    ) -> Room:
        silent = set(down)
        room = Room(
            max_concurrent=self.max_concurrent,
            running=0,
            loads={each: Load() for each in self.engines.clusters if each.name not in silent},
            customers=Counter(),
            limit=limit,
            pipelines=self.pipelines,
            clustered=bool(self.engines.clusters),
            answers=None not in silent,
        )
        clusters = {cluster.name: cluster for cluster in room.loads}
        for workset in busy:
            if not workset.foreign_run:
                room.take(workset, clusters.get(workset.cluster or ""))
        room.running = taken
        return room

    def _locked(self) -> Iterator[Workset]:
        where = Filter(states=frozenset({State.LOCKED}))
        return every(lambda cursor: self.store.list(where, cursor=cursor))
