"""Worksets on random walks, with a clock wound by hand: what holds whatever happens."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from daylily.domain.debts import SendNotice
from daylily.domain.errors import IllegalTransitionError, LockHeldError
from daylily.domain.events import Event
from daylily.domain.lifecycle import Priority, State
from daylily.domain.retry import ErrorCategory, Failure, RetryPolicy
from daylily.domain.sentinels import Sentinel, SentinelBody, known
from daylily.domain.workset import Progress, Workset
from daylily.testing.samples import LOCK_TIMEOUT, NOON, a_workset

POLICY: Final = RetryPolicy()
OWNERS: Final = st.sampled_from(["monitor-a", "monitor-b", "monitor-c"])
FAILURES: Final = st.builds(Failure, st.sampled_from(ErrorCategory), st.just("why"))

IGNORE: Final = known([Sentinel.IGNORE], {Sentinel.IGNORE: SentinelBody(None)})
BEGUN: Final = known([Sentinel.IN_PROGRESS], {Sentinel.IN_PROGRESS: SentinelBody(NOON)})

Step = Callable[[Workset, datetime], Workset]

BY_ENGINES: Final[dict[str, Step]] = {
    "completed": lambda w, at: w.completed(at=at, actor="m"),
    "canceled": lambda w, at: w.canceled(at=at, actor="m"),
    "launch_found": lambda w, at: w.launch_found("job", at=at, actor="m"),
    "with_progress": lambda w, at: w.with_progress(Progress(1, 2), at=at),
    "retry_due": lambda w, at: w.retry_due(at=at, actor="m"),
}
BY_PEOPLE: Final[dict[str, Step]] = {
    "retry": lambda w, at: w.retry(by="ada", at=at),
    "ignore": lambda w, at: w.ignore(by="ada", at=at),
    "unignore": lambda w, at: w.unignore(by="ada", at=at),
    "archive": lambda w, at: w.archive(by="ada", at=at),
    "restore": lambda w, at: w.restore(by="ada", at=at),
    "delete": lambda w, at: w.delete(by="ada", at=at),
    "hurry": lambda w, at: w.prioritised(Priority.URGENT, by="ada", at=at),
    "wait": lambda w, at: w.prioritised(Priority.LOW, by="ada", at=at),
}


class WorksetMachine(RuleBasedStateMachine):
    """One workset in the hands of monitors, people, engines and other systems."""

    @initialize(max_retries=st.integers(0, 3))
    def register(self, max_retries: int) -> None:
        """Begin with a new workset."""
        self.now = NOON
        self.workset = a_workset(max_retries=max_retries)
        self.winner: tuple[str, int] | None = None
        self.events: dict[str, Event] = {}
        self.final: frozenset[State] | None = None
        self.attempts_at_the_end = 0

    def take(self, step: Callable[[], Workset]) -> bool:
        """Take a step if it is legal; tell whether it was."""
        try:
            after = step()
        except IllegalTransitionError:
            return False
        if after.lock is None:
            self.winner = None
        self.workset = after
        for debt in after.debts:
            if isinstance(debt, SendNotice):
                known = self.events.setdefault(debt.event.event_id, debt.event)
                assert known == debt.event, "one id stands for one piece of news"
        return True

    @rule(seconds=st.sampled_from([0.000001, 1, 60, LOCK_TIMEOUT.total_seconds(), 86400]))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    @rule(owner=OWNERS)
    def lock(self, owner: str) -> None:
        """Try to win the lock: refused while another's has not run out."""
        held = self.workset.lock
        try:
            won = self.take(lambda: self.workset.lock_for(owner, at=self.now, timeout=LOCK_TIMEOUT))
        except LockHeldError:
            assert held is not None
            assert held.owner != owner
            assert self.now < held.expires_at
            return
        assert held is None or held.owner == owner or self.now >= held.expires_at
        if won:
            self.winner = (owner, self.workset.fence)

    @rule(
        age=st.integers(0, 2),
        end=st.sampled_from(["release", "launched", "refused"]),
        failure=FAILURES,
    )
    def use_token(self, age: int, end: str, failure: Failure) -> None:
        """Come back with the latest token, or an older one: only the winner's opens anything."""
        workset, token, at = self.workset, self.workset.fence - age, self.now
        steps: dict[str, Callable[[], Workset]] = {
            "release": lambda: workset.release(token, at=at, reason="too slow"),
            "launched": lambda: workset.launched(token, "job", at=at),
            "refused": lambda: workset.launch_failed(token, failure, at=at, policy=POLICY, jitter=0.5),
        }
        valid = self.winner is not None and token == self.winner[1]
        try:
            self.take(steps[end])
        except LockHeldError:
            assert not valid
        else:
            assert valid

    @rule(owner=OWNERS)
    def launch(self, owner: str) -> None:
        """Lock and launch without a hitch, so that walks get beyond the beginning."""
        self.lock(owner)
        self.use_token(0, "launched", Failure(ErrorCategory.DATA, "unused"))

    @rule()
    def give_up(self) -> None:
        """Release whatever lock there is."""
        self.use_token(0, "release", Failure(ErrorCategory.DATA, "unused"))

    @rule()
    def cancel(self) -> None:
        """Ask for a cancel."""
        self.take(lambda: self.workset.request_cancel(by="bo", at=self.now))

    @rule(name=st.sampled_from(sorted(BY_ENGINES)))
    def engine(self, name: str) -> None:
        """Hear news of the engine, right or wrong."""
        self.take(lambda: BY_ENGINES[name](self.workset, self.now))

    @rule(failure=FAILURES, jitter=st.floats(0, 1))
    def fail(self, failure: Failure, jitter: float) -> None:
        """Hear that the attempt failed."""
        workset, at = self.workset, self.now
        self.take(lambda: workset.failed(failure, at=at, actor="m", policy=POLICY, jitter=jitter))

    @rule(name=st.sampled_from(sorted(BY_PEOPLE)))
    def person(self, name: str) -> None:
        """Do as a person says."""
        self.take(lambda: BY_PEOPLE[name](self.workset, self.now))

    @rule(state=st.sampled_from(State), shown=st.booleans())
    def others(self, state: State, *, shown: bool) -> None:
        """Find, or be told, what another system did."""
        at = self.now
        self.take(lambda: self.workset.adopt(state, at=at, reason="found", actor="m", shown=shown))

    @rule()
    def hold(self) -> None:
        """Find somebody's daylily.ignore beside what is running."""
        at = self.now
        self.take(lambda: self.workset.request_hold(by="m", at=at, reason="found", known=IGNORE))

    @rule(state=st.sampled_from([State.IN_PROGRESS, State.IGNORED]))
    def others_show(self, state: State) -> None:
        """Find what stays under observation: a run of others, or their wish that nobody touches it."""
        at, found = self.now, IGNORE if state is State.IGNORED else BEGUN
        self.take(
            lambda: self.workset.adopt(state, at=at, reason="found", actor="m", known=found),
        )

    @rule(ready=st.booleans())
    def others_are_gone(self, *, ready: bool) -> None:
        """Find that what ran it elsewhere has vanished."""
        self.take(lambda: self.workset.run_gone(at=self.now, actor="m", ready=ready))

    @rule(owner=OWNERS)
    def hand_over(self, owner: str) -> None:
        """Hear that the holder of the lock runs it by other means: only the winner is believed."""
        valid = self.winner is not None and owner == self.winner[0]
        try:
            self.take(lambda: self.workset.handed_over(owner, at=self.now, reason="by hand"))
        except LockHeldError:
            assert not valid
        else:
            assert valid

    @rule(count=st.integers(0, 20))
    def settle(self, count: int) -> None:
        """Strike off the first debts."""
        self.workset = self.workset.settled(self.workset.debts[:count])

    @invariant()
    def what_has_ended_for_good_stays_so(self) -> None:
        """Complete never runs again, and a canceled workset never completes."""
        workset = self.workset
        if self.final is None and workset.state in {State.COMPLETE, State.CANCELED}:
            self.final = frozenset({workset.state, State.ARCHIVED, State.DELETED})
            self.attempts_at_the_end = len(workset.attempts)
        if self.final is not None:
            assert workset.state in self.final
            assert len(workset.attempts) == self.attempts_at_the_end

    @invariant()
    def holder_is_the_last_winner(self) -> None:
        """There is a lock if and only if the state is ``locked``; it is that of the last winner."""
        lock = self.workset.lock
        assert (lock is not None) is (self.workset.state is State.LOCKED)
        assert (lock and (lock.owner, lock.token)) == self.winner

    @invariant()
    def attempts_are_in_order(self) -> None:
        """Attempts are numbered from 1 without gaps; at most the last one is running."""
        attempts = self.workset.attempts
        assert [attempt.number for attempt in attempts] == list(range(1, len(attempts) + 1))
        assert [attempt.follows for attempt in attempts] == [None, *range(1, len(attempts))][
            : len(attempts)
        ]
        assert all(attempt.ended_at and attempt.outcome for attempt in attempts[:-1])
        ours = self.workset.state is State.IN_PROGRESS and not self.workset.foreign_run
        assert (self.workset.running is not None) is ours

    @invariant()
    def history_is_complete(self) -> None:
        """Each transition is counted and recorded, and no time goes back."""
        workset = self.workset
        times = [entry.at for entry in workset.history]
        assert workset.sequence == len(workset.history)
        assert times == sorted(times)
        assert workset.history[-1].state is workset.state
        assert workset.updated_at == times[-1]

    @invariant()
    def retries_are_bounded(self) -> None:
        """No more automatic retries than were granted; a wait belongs to ``retrying``."""
        workset = self.workset
        assert 0 <= workset.retries_used <= workset.max_retries
        assert (workset.retry_at is not None) is (workset.state is State.RETRYING)

    @invariant()
    def nothing_is_lost(self) -> None:
        """Whatever is on its way is due at some time; a pending cancel can be seen through."""
        workset = self.workset
        if workset.state in {State.LOCKED, State.IN_PROGRESS, State.RETRYING} or workset.debts:
            assert workset.due_at is not None
        if workset.cancel:
            assert workset.lock or workset.running, "it is in no queue, and has not ended"
            assert workset.canceled(at=self.now, actor="m").state is workset.cancel.then
        if workset.held:
            assert workset.due_at is not None, "somebody has to notice when it is let go"

    @invariant()
    def debts_are_bounded(self) -> None:
        """Unpaid for however long, the directory is owed the files and at most two debts a sentinel."""
        owed = [debt for debt in self.workset.debts if not isinstance(debt, SendNotice)]
        assert len(owed) <= 2 * 6 + 1
        assert len(set(self.workset.debts)) == len(self.workset.debts)


TestWorksetMachine = WorksetMachine.TestCase
TestWorksetMachine.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
