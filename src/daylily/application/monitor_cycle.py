"""One cycle of a monitor: look at the world, and move each workset one step (design idea 4)."""

import logging
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator
from datetime import datetime, timedelta
from heapq import merge
from itertools import chain, islice
from math import ceil
from typing import Final, Self

from attrs import define, evolve, field, frozen

from daylily.application.discover_worksets import DiscoverWorksets
from daylily.application.index_logs import WriteIndexLogs
from daylily.application.ledger import Ledger, Payment
from daylily.application.poll_worksets import PollWorksets
from daylily.application.resting import Resting
from daylily.application.room import MakeRoom, Room
from daylily.application.start_workset import LaunchInDoubtError, StartWorkset
from daylily.application.subject import about
from daylily.application.sync_workset import SyncWorkset
from daylily.application.turns import Turns
from daylily.application.watch_ended import WatchEnded
from daylily.application.workers import Workers
from daylily.domain.clusters import Cluster, Placed, Unplaced
from daylily.domain.errors import ConflictError, DaylilyError, UnavailableError
from daylily.domain.lifecycle import State
from daylily.domain.scheduling import queue_rank
from daylily.domain.workset import DEBT_GRACE, Workset
from daylily.ports.clock import Clock
from daylily.ports.paging import every
from daylily.ports.state_store import StateStore

OUTAGES: Final = 3
"""
How many worksets of a cycle may meet an outage before no more are launched in it. Not the first: it may
be the one directory that cannot be read. Not all: where nothing answers, each takes long to fail.
"""
READ_AHEAD: Final = 1000
"""
How far down the queue a cycle looks for what can be launched. Where more than that waits for limits of
its own, the next cycle goes on from there: a long queue neither slows the cycle nor hides what is last.
"""
LOOK_EVERY: Final = timedelta(minutes=1)
"""How long the hand of a person or another system on a running or held workset may go unnoticed."""
CALLS: Final = 5
"""
How many calls a cycle makes that launches nothing, where a listing of all directories is one of them.
It is one more for each thousand directories.
"""

_log = logging.getLogger(__name__)


@define(kw_only=True)
class CycleReport:
    """What a cycle did."""

    moved: list[Workset] = field(factory=list)
    """Worksets as they stood after a step."""
    settled: int = 0
    """Worksets whose overdue debts were paid."""
    faults: list[str] = field(factory=list)
    """What went wrong, one line each; the rest of the cycle went on."""

    @property
    def idle(self) -> bool:
        """Whether nothing was to be done."""
        return not (self.moved or self.settled or self.faults)


@frozen
class Step:
    """What a cycle would do next with a workset."""

    workset: Workset
    action: str


@frozen(kw_only=True)
class MonitorCycle:
    """
    The reconciler. It holds nothing that matters, so monitors share the work and may die: what it
    remembers (who rests, which launch is in doubt) only saves time.

    Cost: what is due, the directories' names, how all that runs stands at its engine, and, unless all
    slots are taken, the queue. Who launches something asks first what others have launched; then come
    as many calls as there is work. All else takes turns (``turns``): looks at directories that
    somebody may have a hand in, for they run, or are held, or have ended in error; customers' limits;
    chores of the store.
    """

    store: StateStore
    ledger: Ledger
    discover: DiscoverWorksets
    sync: SyncWorkset
    poll: PollWorksets
    start: StartWorkset
    ended: WatchEnded
    clock: Clock
    owner: str
    room: MakeRoom
    turns: Turns
    chore: Callable[[], Callable[[], object] | None] = lambda: None
    """Returns what the store needs done by one call, if there is something."""
    only: frozenset[str] = frozenset()
    """Ids or names of the worksets to see to; empty for all."""
    workers: Workers = Workers()
    index: WriteIndexLogs | None = None
    resting: Resting = field(init=False, factory=Resting)
    looks: Resting = field(init=False, factory=lambda: Resting(LOOK_EVERY))
    doubtful: list[Workset] = field(init=False, factory=list)
    """What was locked when an engine stopped answering: a few at most, or the whole queue would be."""
    passed: list[str | None] = field(init=False, factory=list)
    """Where in the queue the next cycle goes on, if the last one did not come to its end."""
    before: list[datetime] = field(init=False, factory=list)
    """When the last cycle began, if there was one."""

    def __call__(
        self, stopping: Callable[[], bool] = lambda: False, *, alone: bool = False
    ) -> CycleReport:
        """
        Pay debts, poll, put back what is due, discover and launch; then keep the index logs, if any.

        Args:
            stopping: Whether to come to an end: then nothing more is launched.
            alone: Whether somebody calls it for a cycle now and then: then all that is due is done.

        Raises:
            UnavailableError: The state store does not answer. Whatever else is down is in the report.
        """
        report = CycleReport()
        now = self.clock()
        self.turns.begin(alone=alone)
        due = [each for each in self._due(now) if self._concerns(each)]
        self.turns.add(CALLS - 1 - self._needed(due))
        due = self._heed(self._pay(due, now, report), now, report)
        down = self._poll([workset for workset in due if _at_engine(workset)], report)
        waiting = [workset for workset in due if not _at_engine(workset)]
        self.workers.each(lambda workset: self._attend(workset, now, report), waiting)
        if not self.only:
            self._discover(report)
            self._watch_ended(report)
            if (chore := self.chore()) is not None and self.turns.take("the store"):
                with _reported(report, "rows of other systems"):
                    chore()
        if not stopping():
            self._launch(due, down | self._resume(due, down, report), report, stopping)
        if self.index is not None and not (self.only or stopping()):
            with _reported(report, "index logs"):
                self.index()
        return report

    def plan(self, report: CycleReport | None = None) -> Iterator[Step]:
        """
        Yield what the next cycle would do, without doing it.

        Args:
            report: Where to note what is wrong with directories that would be passed over.

        Raises:
            UnavailableError: A store does not answer.
        """
        now = self.clock()
        due = [each for each in self._due(now) if self._concerns(each)]
        for workset in due:
            yield Step(workset, _action(workset, now))
        room = self.room(due)
        new = []
        # Who names some worksets has no others looked for, as in a cycle.
        for found in () if self.only else self.discover.foresee():
            if isinstance(found, Workset):
                new.append(found)
            elif report is not None:
                report.faults.append(str(found))
        yield from (
            Step(each, f"take over from its directory as {each.state}")
            for each in new
            if each.state is not State.READY
        )
        queue = every(lambda cursor: self.store.queue(cursor=cursor))
        ready = sorted((each for each in new if each.state is State.READY), key=_rank)
        for workset in filter(self._concerns, merge(queue, ready, key=_rank)):
            placed = room.place(workset)
            if isinstance(placed, Unplaced):
                yield Step(workset, f"wait for {placed.reason}")
                continue
            room.take(workset, placed.cluster)
            yield Step(workset, f"launch on {placed.cluster.name}" if placed.cluster else "launch")

    def _due(self, now: datetime) -> Iterator[Workset]:
        return every(lambda cursor: self.store.due(now, cursor=cursor))

    def _concerns(self, workset: Workset) -> bool:
        return not self.only or bool(self.only & {workset.workset_id, workset.name})

    def _needed(self, due: list[Workset]) -> int:
        """Return how many calls this cycle needs for what it has to know."""
        engines = {workset.cluster for workset in due if _at_engine(workset)}
        queue = not self.room.roughly(due).full
        return len(["what is due", "the directories"]) + len(engines) + queue

    def _pay(self, due: list[Workset], now: datetime, report: CycleReport) -> list[Workset]:
        """Pay overdue debts, and return the worksets as they stand then."""
        notify = True
        paid = []
        for workset in due:
            after = workset
            # Whoever holds a lock, or takes it over, pays before anything else.
            overdue = workset.debts and not workset.lock and now - workset.updated_at >= DEBT_GRACE
            if overdue and self.resting.over(f"debts of {workset.workset_id}", now):
                with about(workset), _reported(report, workset.workset_id):
                    payment = self.ledger.pay(workset, notify=notify)
                    # A channel that is down is down for all: each try may take it long to fail.
                    notify = notify and not payment.notices_owed
                    after = self._settle(payment, now, report)
            paid.append(after)
        return paid

    def _settle(self, payment: Payment, now: datetime, report: CycleReport) -> Workset:
        name = f"debts of {payment.workset.workset_id}"
        report.settled += payment.paid > 0
        if payment.workset.debts:
            self.resting.begin(name, now)
        else:
            self.resting.end(name)
        return self.ledger.settle(payment)

    def _heed(self, due: list[Workset], now: datetime, report: CycleReport) -> list[Workset]:
        """Look what others do to worksets they may have a hand in; return all as they stand then."""
        heeded = []
        outages = 0
        looks = self._looks(due, now)
        for workset in due:
            after, name = workset, workset.workset_id
            if name in looks and outages < OUTAGES:
                self.looks.begin(name, now)
                with about(workset), _reported(report, name) as trouble:
                    look = self.sync if workset.foreign_run else self.sync.watch
                    synced = look(workset)
                    after = synced.workset
                    if synced.adopted:
                        self.looks.end(name)
                        report.moved.append(after)
                outages += trouble.outage
            heeded.append(after)
        return heeded

    def _looks(self, due: list[Workset], now: datetime) -> frozenset[str]:
        """Return whose directories it is the turn of; so many that all are looked at in a minute."""
        watched = [each.workset_id for each in due if _watched(each)]
        turn = [name for name in watched if self.looks.over(name, now)]
        share = len(watched)
        if self.before:
            passed = max(now - self.before.pop(), timedelta(0))
            share = max(1, min(share, ceil(2 * share * (passed / LOOK_EVERY))))
        self.before.append(now)
        return frozenset(turn[:share] if turn and self.turns.take("running directories") else ())

    def _poll(self, worksets: list[Workset], report: CycleReport) -> frozenset[str | None]:
        """Ask each engine for what it has; return the clusters of those that do not answer."""

        def failed(workset: Workset, error: Exception) -> None:
            with _reported(report, workset.workset_id):
                raise error

        found: defaultdict[str | None, list[Workset]] = defaultdict(list)
        for workset in worksets:
            found[workset.cluster].append(workset)
        down = set()
        for cluster, there in found.items():
            with _reported(report, f"poll {cluster}" if cluster else "poll") as trouble:
                report.moved.extend(self.poll(there, cluster, failed=failed))
            if trouble.outage:
                down.add(cluster)
        return frozenset(down)

    def _attend(self, workset: Workset, now: datetime, report: CycleReport) -> None:
        with about(workset), _reported(report, workset.workset_id):
            if workset.state is State.RETRYING and workset.retry_at and workset.retry_at <= now:
                report.moved.append(
                    self.ledger.rest(workset.retry_due(at=self.clock(), actor=self.owner))
                )

    def _discover(self, report: CycleReport) -> None:
        with _reported(report, "discovery"):
            found = self.discover()
            report.moved.extend(found.registered)
            report.faults.extend(map(str, found.damaged))
            report.faults.extend(f"discovery: {error}" for error in found.outages)

    def _watch_ended(self, report: CycleReport) -> None:
        with _reported(report, "directories of what ended in error"):
            report.moved.extend(synced.workset for synced in self.ended())

    def _launch(
        self,
        due: list[Workset],
        down: frozenset[str | None],
        report: CycleReport,
        stopping: Callable[[], bool],
    ) -> None:
        now = self.clock()
        left = [each for each in due if _lock_ran_out(each, now) and each.cluster not in down]
        moved = {workset.workset_id: workset for workset in report.moved}
        standing = [moved.get(each.workset_id, each) for each in due]
        limits = self.room.limits
        if (outdated := limits.outdated) is not None and self.turns.take("limits of customers"):
            with _reported(report, f"limits of {outdated}"):
                limits.refresh(outdated)
        room = self.room.roughly(standing, down)
        waiting = iter(()) if room.full else self._waiting()
        first = next((each for each in waiting if self._fits(each, room)), None)
        if first is None and not left:
            return
        if first is not None:
            room = self.room(standing, down)
        queue = chain(left, () if first is None else (first,), waiting)
        launches = self._launches(filter(self._concerns, queue), room, report)
        outages = 0
        # A handful at a time: what one of them learns of an outage spares those that come after.
        while outages < OUTAGES and not stopping():
            batch = list(islice(launches, self.workers.number))
            if not batch:
                return
            for launch in self.workers.each(lambda launch: self._start(launch, report), batch):
                if launch.in_doubt:
                    room.close(launch.cluster)
                elif not launch.took_slot:
                    room.give_back(launch.workset, launch.cluster)
                outages += launch.outage

    def _fits(self, workset: Workset, room: Room) -> bool:
        """Tell whether, for all that is known, a workset can be launched."""
        return (
            self._concerns(workset)
            and self.resting.over(workset.workset_id, self.clock())
            and isinstance(room.place(workset), Placed)
        )

    def _waiting(self) -> Iterator[Workset]:
        """Yield the head of the queue, and then more of it from where the last cycle came to."""
        end = yield from self._read_ahead(None)
        if end is not None:
            self.passed.append((yield from self._read_ahead(self.passed.pop() if self.passed else end)))

    def _read_ahead(self, cursor: str | None) -> Generator[Workset, None, str | None]:
        """Yield a part of the queue; return where the next begins, None at the queue's end."""
        size = min(max(50, 2 * self.room.max_concurrent), READ_AHEAD)
        for _ in range(READ_AHEAD // size):
            page = self.store.queue(cursor=cursor, limit=size)
            yield from page.items
            cursor = page.cursor
            if cursor is None:
                break
        return cursor

    def _launches(
        self, queue: Iterator[Workset], room: Room, report: CycleReport
    ) -> Iterator["_Launch"]:
        """Yield what can be launched, and take room for it."""
        outages = 0
        for workset in queue:
            if workset.state is not State.READY:  # a lock that ran out is among those that run
                if self.resting.over(workset.workset_id, self.clock()):
                    yield _Launch(workset, None, took_slot=True)
                continue
            if room.full or outages == OUTAGES:
                return
            if not self.resting.over(workset.workset_id, self.clock()):
                continue
            with _reported(report, workset.workset_id) as trouble:
                placed = room.place(workset)
                if isinstance(placed, Placed):
                    room.take(workset, placed.cluster)
                    yield _Launch(workset, placed.cluster)
            outages += trouble.outage

    def _start(self, launch: "_Launch", report: CycleReport) -> "_Launch":
        """Launch a workset, or let it rest; return what came of it."""
        workset = launch.workset
        with about(workset), _reported(report, workset.workset_id) as trouble:
            launch = self._started(launch, report)
        if trouble.outage and not launch.in_doubt:
            self.resting.begin(workset.workset_id, self.clock())
            return evolve(launch, outage=True)
        return launch

    def _started(self, launch: "_Launch", report: CycleReport) -> "_Launch":
        workset, cluster = launch.workset, launch.cluster
        try:
            started = self.start(workset, self.owner, cluster.name if cluster else None)
        except LaunchInDoubtError as error:
            self.doubtful.append(error.workset)
            report.faults.append(f"{workset.workset_id}: {error}")
            return evolve(launch, in_doubt=True)
        if started.sequence != workset.sequence:
            report.moved.append(started)
        if started.state is State.READY:
            self.resting.begin(workset.workset_id, self.clock())
            return launch
        self.resting.end(workset.workset_id)
        return evolve(launch, took_slot=True)

    def _resume(
        self, due: list[Workset], down: frozenset[str | None], report: CycleReport
    ) -> frozenset[str | None]:
        """Ask engines again for what was left in doubt; return the clusters of those still silent."""
        silent: set[str | None] = set()
        stored = {workset.workset_id: workset.version for workset in due}
        for locked in self.doubtful.copy():
            if stored.get(locked.workset_id, locked.version) != locked.version:
                self.doubtful.remove(locked)  # it was canceled since, and its engine may not know yet
                continue
            if locked.cluster in down | silent:
                continue
            with about(locked), _reported(report, locked.workset_id) as trouble:
                if locked.lock and not locked.lock.expired(self.clock()):
                    report.moved.append(self.start.resume(locked))
            if trouble.outage:
                silent.add(locked.cluster)
            else:
                self.doubtful.remove(locked)
        return frozenset(silent)


@frozen
class _Launch:
    """A workset that is being launched, and what came of it."""

    workset: Workset
    cluster: Cluster | None
    took_slot: bool = False
    in_doubt: bool = False
    outage: bool = False


@define
class _reported:  # noqa: N801 - reads as a verb
    """Keep one workset's trouble from stopping the others: note it and go on."""

    report: CycleReport
    what: str
    outage: bool = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        self.outage = isinstance(error, UnavailableError)
        if isinstance(error, ConflictError):
            _log.info("%s: %s", self.what, error)
            return True
        if isinstance(error, DaylilyError):
            self.report.faults.append(f"{self.what}: {error}")
            return True
        if isinstance(error, Exception):
            # A bug that one workset brings to light would stop every monitor at it, in every cycle.
            _log.error("%s: %s", self.what, error, exc_info=error)
            self.report.faults.append(f"{self.what}: {type(error).__name__}: {error}")
            return True
        return False


def _rank(workset: Workset) -> tuple[str, str]:
    """Return what sorts a queue, whoever keeps it."""
    return queue_rank(workset.priority, workset.created_at), workset.workset_id


def _at_engine(workset: Workset) -> bool:
    return workset.running is not None or (workset.lock is not None and workset.cancel is not None)


def _watched(workset: Workset) -> bool:
    return workset.held or (workset.state is State.IN_PROGRESS and workset.cancel is None)


def _lock_ran_out(workset: Workset, now: datetime) -> bool:
    return workset.lock is not None and workset.cancel is None and workset.lock.expired(now)


def _action(workset: Workset, now: datetime) -> str:
    checks: tuple[tuple[Callable[[], bool], str], ...] = (
        (lambda: workset.cancel is not None, "cancel at the engine"),
        (lambda: _at_engine(workset), "poll"),
        (lambda: _lock_ran_out(workset, now), "take over the lock that ran out"),
        (lambda: workset.state is State.RETRYING, "make ready again"),
        (lambda: workset.foreign_run, "look at what the other system has done"),
        (lambda: workset.held, "see whether daylily.ignore is gone"),
    )
    return next((action for holds, action in checks if holds()), "pay its debts")
