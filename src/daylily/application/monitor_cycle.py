"""One cycle of a monitor: look at the world, and move each workset one step (design idea 4)."""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import chain
from typing import Final, Self

from attrs import define, field, frozen

from daylily.application.discover_worksets import DiscoverWorksets
from daylily.application.ledger import Ledger, Payment
from daylily.application.poll_worksets import PollWorksets
from daylily.application.resting import Resting
from daylily.application.start_workset import LaunchInDoubtError, StartWorkset
from daylily.application.sync_workset import SyncWorkset
from daylily.application.watch_ended import WatchEnded
from daylily.domain.errors import ConflictError, DaylilyError, UnavailableError
from daylily.domain.lifecycle import State
from daylily.domain.workset import DEBT_GRACE, Workset
from daylily.ports.clock import Clock
from daylily.ports.paging import Page, every
from daylily.ports.state_store import StateStore

OUTAGES: Final = 3
"""
How many worksets of a cycle may meet an outage before no more are launched in it. Not the first: it may
be the one directory that cannot be read. Not all: where nothing answers, each takes long to fail.
"""
LOOK_EVERY: Final = timedelta(minutes=1)
"""How long the hand of a person or another system on a running or held workset may go unnoticed."""

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

    Cost: two queries when there is nothing to do; then as many calls as there is work. Directories are
    looked at where somebody may have a hand in them: of what is to be launched, what runs or is held,
    at most once in a minute each, and, one a second, of what has ended in error.
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
    max_concurrent: int
    resting: Resting = field(init=False, factory=Resting)
    looks: Resting = field(init=False, factory=lambda: Resting(LOOK_EVERY))
    doubtful: list[Workset] = field(init=False, factory=list)
    """What was locked when the engine stopped answering: one at most, or the whole queue would be."""

    def __call__(self) -> CycleReport:
        """
        Pay debts, poll, put back what is due, discover and launch.

        Raises:
            UnavailableError: The state store does not answer. Whatever else is down is in the report.
        """
        report = CycleReport()
        now = self.clock()
        due = list(every(lambda cursor: self.store.due(now, cursor=cursor)))
        due = self._heed(self._pay(due, now, report), now, report)
        engine_answers = self._poll([workset for workset in due if _at_engine(workset)], report)
        for workset in due:
            if not _at_engine(workset):
                self._attend(workset, now, report)
        self._discover(report)
        self._watch_ended(report)
        if engine_answers:
            foreign = sum(workset.foreign_run for workset in due)
            self._launch([each for each in due if _lock_ran_out(each, now)], foreign, report)
        return report

    def plan(self) -> Iterator[Step]:
        """Yield what the next cycle would do, without doing it."""
        now = self.clock()
        foreign = 0
        for workset in every(lambda cursor: self.store.due(now, cursor=cursor)):
            foreign += workset.foreign_run
            yield Step(workset, _action(workset, now))
        free = self._free(foreign)
        for rank, workset in enumerate(every(lambda cursor: self.store.queue(cursor=cursor))):
            yield Step(workset, "launch" if rank < free else "wait: no free slot")

    def _pay(self, due: list[Workset], now: datetime, report: CycleReport) -> list[Workset]:
        """Pay overdue debts, and return the worksets as they stand then."""
        notify = True
        paid = []
        for workset in due:
            after = workset
            # Whoever holds a lock, or takes it over, pays before anything else.
            overdue = workset.debts and not workset.lock and now - workset.updated_at >= DEBT_GRACE
            if overdue and self.resting.over(f"debts of {workset.workset_id}", now):
                with _reported(report, workset.workset_id):
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
        for workset in due:
            after, name = workset, workset.workset_id
            if _watched(workset) and self.looks.over(name, now) and outages < OUTAGES:
                self.looks.begin(name, now)
                with _reported(report, name) as trouble:
                    look = self.sync if workset.foreign_run else self.sync.watch
                    synced = look(workset)
                    after = synced.workset
                    if synced.adopted:
                        self.looks.end(name)
                        report.moved.append(after)
                outages += trouble.outage
            heeded.append(after)
        return heeded

    def _poll(self, worksets: list[Workset], report: CycleReport) -> bool:
        with _reported(report, "poll") as trouble:
            if worksets:
                report.moved.extend(self.poll(worksets))
        return not trouble.outage

    def _attend(self, workset: Workset, now: datetime, report: CycleReport) -> None:
        with _reported(report, workset.workset_id):
            if workset.state is State.RETRYING and workset.retry_at and workset.retry_at <= now:
                report.moved.append(
                    self.ledger.rest(workset.retry_due(at=self.clock(), actor=self.owner))
                )

    def _discover(self, report: CycleReport) -> None:
        with _reported(report, "discovery"):
            found = self.discover()
            report.moved.extend(found.registered)
            report.faults.extend(
                f"{damaged.workset_id}: {'; '.join(map(str, damaged.error.faults))}"
                for damaged in found.damaged
            )
            report.faults.extend(f"discovery: {error}" for error in found.outages)

    def _watch_ended(self, report: CycleReport) -> None:
        with _reported(report, "directories of what ended in error"):
            report.moved.extend(synced.workset for synced in self.ended())

    def _launch(self, left: list[Workset], foreign: int, report: CycleReport) -> None:
        if not self._resume(report):
            return
        first = self._queue(None)
        if not (left or first.items):
            return
        free = self._free(foreign)
        waiting = every(lambda cursor: self._queue(cursor) if cursor else first)
        outages = 0
        # A lock that ran out is among the busy ones: its slot is its own.
        for workset in chain(left, waiting):
            if workset.state is State.READY and free <= 0:
                return
            if not self.resting.over(workset.workset_id, self.clock()):
                continue
            with _reported(report, workset.workset_id) as trouble:
                free -= self._start(workset, report)
            outages += trouble.outage
            if self.doubtful or outages == OUTAGES:
                return

    def _start(self, workset: Workset, report: CycleReport) -> bool:
        """Launch a workset, or let it rest; tell whether it has taken a free slot."""
        try:
            started = self.start(workset, self.owner)
        except LaunchInDoubtError as error:
            self.doubtful.append(error.workset)
            raise
        except UnavailableError:
            self.resting.begin(workset.workset_id, self.clock())
            raise
        if started.sequence != workset.sequence:
            report.moved.append(started)
        if started.state is State.READY:
            self.resting.begin(workset.workset_id, self.clock())
            return False
        self.resting.end(workset.workset_id)
        return workset.state is State.READY

    def _resume(self, report: CycleReport) -> bool:
        """Ask the engine again for what was left in doubt; tell whether it answers."""
        for locked in self.doubtful.copy():
            with _reported(report, locked.workset_id) as trouble:
                if locked.lock and not locked.lock.expired(self.clock()):
                    report.moved.append(self.start.resume(locked))
            if trouble.outage:
                return False
            self.doubtful.remove(locked)
        return True

    def _queue(self, cursor: str | None) -> Page[Workset]:
        return self.store.queue(cursor=cursor, limit=max(1, self.max_concurrent))

    def _free(self, foreign: int) -> int:
        """
        Return how many slots are free.

        What *foreign* runs other systems have are theirs. Were they to take our slots, a bucket with a
        few that were killed years ago and never tidied up would keep us from launching anything.
        """
        return self.max_concurrent - self.store.count({State.IN_PROGRESS, State.LOCKED}) + foreign


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
