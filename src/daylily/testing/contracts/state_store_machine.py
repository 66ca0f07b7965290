"""
Random lives of several worksets, played on a StateStore and on a dict that says what must come out.

Subclass it and let pytest collect its test case::

    class MyStateStoreMachine(StateStoreMachine):
        def make_store(self) -> StateStore:
            return MyStateStore()

    TestMyStateStoreMachine = MyStateStoreMachine.TestCase
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import pytest
from attrs import evolve
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from daylily.domain.errors import (
    AlreadyExistsError,
    ConcurrentUpdateError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
)
from daylily.domain.lifecycle import Priority, State
from daylily.domain.retry import ErrorCategory, Failure, RetryPolicy
from daylily.domain.scheduling import queue_rank
from daylily.domain.workset import Workset
from daylily.ports.paging import every
from daylily.ports.state_store import Filter, StateStore
from daylily.testing.clock import ManualClock
from daylily.testing.samples import LOCK_TIMEOUT, NOON, a_workset

POLICY: Final = RetryPolicy(base=timedelta(minutes=1))
NEVER_AGAIN: Final = frozenset({State.COMPLETE, State.ARCHIVED, State.DELETED})

Step = Callable[[Workset, datetime], Workset]

STEPS: Final[tuple[Step, ...]] = (
    lambda w, at: w.lock_for("monitor-a", at=at, timeout=LOCK_TIMEOUT),
    lambda w, at: w.lock_for("monitor-b", at=at, timeout=LOCK_TIMEOUT),
    lambda w, at: w.release(w.fence, at=at, reason="no room"),
    lambda w, at: w.launched(w.fence, f"job-{w.fence}", at=at),
    lambda w, at: w.launch_found(f"job-{w.fence}", at=at, actor="monitor-b"),
    lambda w, at: w.completed(at=at, actor="monitor-a"),
    lambda w, at: _failed(w, at, ErrorCategory.TRANSIENT),
    lambda w, at: _failed(w, at, ErrorCategory.DATA),
    lambda w, at: w.retry_due(at=at, actor="monitor-a"),
    lambda w, at: w.retry(by="ada", at=at),
    lambda w, at: w.request_cancel(by="ada", at=at),
    lambda w, at: w.canceled(at=at, actor="monitor-a"),
    lambda w, at: w.ignore(by="ada", at=at),
    lambda w, at: w.unignore(by="ada", at=at),
    lambda w, at: w.archive(by="ada", at=at),
    lambda w, at: w.restore(by="ada", at=at),
    lambda w, at: w.prioritised(Priority.LOW, by="ada", at=at),
    lambda w, _: w.settled(w.debts),
    lambda w, _: evolve(w, priority=Priority.URGENT),
)

NAMES: Final = ("ws-1", "ws-2", "ws-3", "ws-4")
IDS: Final = st.sampled_from(NAMES)


def _failed(workset: Workset, at: datetime, category: ErrorCategory) -> Workset:
    failure = Failure(category, "it broke", 1)
    return workset.failed(failure, at=at, actor="monitor-a", policy=POLICY, jitter=0.5)


def _possible(workset: Workset, at: datetime) -> list[Workset]:
    """Return what may become of a workset in one step, or the workset itself where nothing may."""
    after = []
    for step in STEPS:
        with suppress(ConflictError):
            after.append(step(workset, at))
    return after or [workset]


class StateStoreMachine(RuleBasedStateMachine):
    """What a store says must be what a dict would say, after any steps in any order."""

    snapshots = Bundle("snapshots")
    """Worksets as they were once read; most are stale by the time they are saved."""

    def make_store(self) -> StateStore:
        """Return an empty store."""
        raise NotImplementedError("override make_store with one that returns an empty store")

    def catch_up(self) -> None:
        """Wait until queues and listings show what is stored; for stores in which they lag."""

    def __init__(self) -> None:
        super().__init__()
        self.store = self.make_store()
        self.model: dict[str, Workset] = {}
        self.completed: set[str] = set()
        self.clock = ManualClock()

    # What happens

    @initialize(target=snapshots)
    def begin(self) -> object:
        """There is a workset to begin with, so that no life is spent on an empty store."""
        return self.add("ws-1", Priority.NORMAL, "acme")

    @rule(
        target=snapshots,
        workset_id=IDS,
        priority=st.sampled_from(Priority),
        customer_id=st.sampled_from(["acme", "zenith"]),
    )
    def add(self, workset_id: str, priority: Priority, customer_id: str) -> Workset:
        """A new id is stored under version 1; a known one is refused."""
        workset = a_workset(workset_id, at=self.clock(), priority=priority, customer_id=customer_id)
        if workset_id in self.model:
            with pytest.raises(AlreadyExistsError):
                self.store.add(workset)
            return self.model[workset_id]
        added = self.store.add(workset)
        assert added == evolve(workset, version=1)
        self.model[workset_id] = added
        return added

    @rule(minutes=st.sampled_from([0, 1, 4, 5, 60]))
    def wait(self, minutes: int) -> None:
        """Time passes."""
        self.clock.advance(timedelta(minutes=minutes))

    @rule(target=snapshots, workset_id=IDS)
    def read(self, workset_id: str) -> object:
        """A stored workset reads as it was last saved; any other raises."""
        if workset_id not in self.model:
            with pytest.raises(NotFoundError):
                self.store.get(workset_id)
            return multiple()
        found = self.store.get(workset_id)
        assert found == self.model[workset_id]
        return found

    @rule(
        target=snapshots, workset_id=IDS, choices=st.lists(st.integers(0, 63), min_size=1, max_size=8)
    )
    def live_on(self, workset_id: str, choices: list[int]) -> object:
        """Each step that the lifecycle has is saved under the next version."""
        if workset_id not in self.model:
            return multiple()
        before = self.store.get(workset_id)
        for choice in choices:
            read = self.store.get(workset_id)
            possible = _possible(read, self.clock())
            self._save(read, possible[choice % len(possible)])
            self.clock.advance(timedelta(minutes=choice % 3))
        return before

    @rule(old=snapshots, choice=st.integers(0, 63))
    def save_late(self, old: Workset, choice: int) -> None:
        """A step from what was read earlier is saved only if nothing has changed since."""
        possible = _possible(old, self.clock())
        after = possible[choice % len(possible)]
        if old.version == self.model[old.workset_id].version:
            self._save(old, after)
            return
        with pytest.raises(ConcurrentUpdateError):
            self.store.save(after)
        assert self.store.get(old.workset_id) == self.model[old.workset_id]

    @rule(workset_id=IDS)
    def save_unknown(self, workset_id: str) -> None:
        """What was never added cannot be saved."""
        if workset_id not in self.model:
            with pytest.raises(NotFoundError):
                self.store.save(a_workset(workset_id))

    def _save(self, read: Workset, after: Workset) -> None:
        saved = self.store.save(after)
        assert saved == evolve(after, version=read.version + 1)
        assert self.store.get(read.workset_id) == saved
        self.model[read.workset_id] = saved
        if saved.state is State.COMPLETE:
            self.completed.add(read.workset_id)

    # What is asked

    @rule(
        customer_id=st.none() | st.sampled_from(["acme", "zenith"]),
        states=st.none() | st.frozensets(st.sampled_from(State), max_size=3),
        priority=st.none() | st.sampled_from(Priority),
        name=st.none() | st.sampled_from(["WORKSET", "ws-1", "%"]),
        since=st.none() | st.integers(0, 300),
        before=st.none() | st.integers(0, 300),
        oldest_first=st.booleans(),
        limit=st.integers(1, 7),
    )
    def list_some(
        self,
        customer_id: str | None,
        states: frozenset[State] | None,
        priority: Priority | None,
        name: str | None,
        since: int | None,
        before: int | None,
        oldest_first: bool,
        limit: int,
    ) -> None:
        """A listing has what the filter lets through, in order of creation, each once."""
        self.catch_up()
        where = Filter(
            customer_id=customer_id,
            states=states,
            priority=priority,
            name_contains=name,
            created_from=None if since is None else NOON + timedelta(seconds=since),
            created_before=None if before is None else NOON + timedelta(seconds=before),
            oldest_first=oldest_first,
        )
        listed = list(every(lambda cursor: self.store.list(where, cursor=cursor, limit=limit)))
        expected = [
            workset
            for workset in self.model.values()
            if (customer_id in {None, workset.customer_id})
            and (states is None or workset.state in states)
            and (priority in {None, workset.priority})
            and (name is None or name.lower() in workset.name.lower())
            and (since is None or workset.created_at >= NOON + timedelta(seconds=since))
            and (before is None or workset.created_at < NOON + timedelta(seconds=before))
        ]
        assert {each.workset_id: each for each in listed} == {
            each.workset_id: each for each in expected
        }
        assert len(listed) == len(expected)
        created = [workset.created_at for workset in listed]
        assert created == sorted(created, reverse=not oldest_first)

    @rule(limit=st.integers(1, 7))
    def queue_up(self, limit: int) -> None:
        """The queue has what is ready, in the order of its ranks."""
        self.catch_up()
        queued = list(every(lambda cursor: self.store.queue(cursor=cursor, limit=limit)))
        ready = [workset for workset in self.model.values() if workset.state is State.READY]
        assert {each.workset_id: each for each in queued} == {each.workset_id: each for each in ready}
        ranks = [workset_rank(workset) for workset in queued]
        assert ranks == sorted(workset_rank(workset) for workset in ready)

    @rule(minutes=st.integers(-1, 70), limit=st.integers(1, 7))
    def fall_due(self, minutes: int, limit: int) -> None:
        """What is due at a time is due, nothing else is, longest due first."""
        self.catch_up()
        at = self.clock() + timedelta(minutes=minutes)
        due = list(every(lambda cursor: self.store.due(at, cursor=cursor, limit=limit)))
        expected = [each for each in self.model.values() if each.due_at and each.due_at <= at]
        assert {each.workset_id: each for each in due} == {each.workset_id: each for each in expected}
        times = [workset.due_at for workset in due if workset.due_at]
        assert len(due) == len(expected)
        assert times == sorted(times)

    @rule(cursor=st.text(max_size=20))
    def bring_a_foreign_cursor(self, cursor: str) -> None:
        """No text that somebody made up opens a listing."""
        with pytest.raises(InvalidInputError):
            self.store.queue(cursor=cursor)

    @invariant()
    def counts_add_up(self) -> None:
        """Every workset is counted in its state, and known."""
        self.catch_up()
        for state in State:
            expected = sum(workset.state is state for workset in self.model.values())
            assert self.store.count([state]) == expected
        assert self.store.known(NAMES) == self.model.keys()

    @invariant()
    def nothing_complete_runs_again(self) -> None:
        """What was once complete is never in the queue, locked or running again."""
        assert all(self.model[each].state in NEVER_AGAIN for each in self.completed)
        queued = {workset.workset_id for workset in self.store.queue().items}
        assert not queued & self.completed


def workset_rank(workset: Workset) -> str:
    """Return what the queue is sorted by."""
    return queue_rank(workset.priority, workset.created_at)
