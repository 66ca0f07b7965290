"""
The directory of a workset, while payers of its debts are slow, die, repeat themselves or come late.

A monitor of old runs what shows ``daylily.ready`` and none of ignore, complete, error, in_progress
(contract 2.4); it does not look at locks. So that is what must never stand there, from the moment
when the directory was first told that the workset is not ready, until it is ready again.
"""

from collections.abc import Callable
from typing import Final

import pytest
from attrs import define, evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from daylily.domain.debts import Debt, PostSentinel, WithdrawSentinel
from daylily.domain.errors import ConflictError
from daylily.domain.lifecycle import State
from daylily.domain.retry import ErrorCategory, Failure, RetryPolicy
from daylily.domain.sentinels import Sentinel, projection, state_shown
from daylily.domain.workset import Workset
from daylily.testing.samples import LOCK_TIMEOUT, NOON, a_workset

COVERS: Final = {Sentinel.IGNORE, Sentinel.COMPLETE, Sentinel.ERROR, Sentinel.IN_PROGRESS}
POLICY: Final = RetryPolicy()
LATE: Final = NOON + LOCK_TIMEOUT
TRANSIENT: Final = Failure(ErrorCategory.TRANSIENT, "node lost")
BROKEN: Final = Failure(ErrorCategory.DATA, "truncated input")


@define
class Directory:
    """Which sentinels stand there, each with the number of the transition it shows; all are ours."""

    replaces: bool
    """Whether a post puts itself in the place of our own older form; otherwise that stays."""
    standing: dict[Sentinel, int]

    def post(self, sentinel: Sentinel, sequence: int) -> bool:
        there = self.standing.setdefault(sentinel, sequence)
        if there < sequence and self.replaces:
            there = self.standing[sentinel] = sequence
        return there == sequence

    def pay(self, debt: Debt) -> None:
        match debt:
            case PostSentinel(sentinel, body):
                assert body.sequence is not None
                self.post(sentinel, body.sequence)
            case WithdrawSentinel(sentinel, sequence):
                if self.standing.get(sentinel, sequence + 1) <= sequence:
                    del self.standing[sentinel]

    @property
    def runnable(self) -> bool:
        """Whether a monitor of old would run it."""
        return Sentinel.READY in self.standing and not COVERS & self.standing.keys()


@define
class Payer:
    """Somebody who read the workset once and pays the debts it had then, in order."""

    read: Workset
    paid: int = 0


def _told(state: State) -> Callable[[Workset], Workset]:
    return lambda w: w.adopt(state, at=LATE, reason="told", actor="worker", shown=False)


STEPS: Final[dict[str, Callable[[Workset], Workset]]] = {
    "take over": lambda w: w.lock_for("monitor-b", at=LATE, timeout=LOCK_TIMEOUT),
    "release": lambda w: w.release(w.fence, at=LATE, reason="too slow"),
    "complete": lambda w: w.completed(at=LATE, actor="m"),
    "fail": lambda w: w.failed(BROKEN, at=LATE, actor="m", policy=POLICY, jitter=1),
    "fail, retry": lambda w: w.failed(TRANSIENT, at=LATE, actor="m", policy=POLICY, jitter=1),
    "retry due": lambda w: w.retry_due(at=w.retry_at or LATE, actor="m"),
    "ask for cancel": lambda w: w.request_cancel(by="ada", at=LATE),
    "cancel": lambda w: w.canceled(at=LATE, actor="m"),
    "retry": lambda w: w.retry(by="ada", at=LATE),
    "ignore": lambda w: w.ignore(by="ada", at=LATE),
    "unignore": lambda w: w.unignore(by="ada", at=LATE),
    "archive": lambda w: w.archive(by="ada", at=LATE),
    "restore": lambda w: w.restore(by="ada", at=LATE),
    "delete": lambda w: w.delete(by="ada", at=LATE),
    "lock": lambda w: w.lock_for("worker", at=LATE, timeout=LOCK_TIMEOUT),
    "hand over": lambda w: w.handed_over("worker", at=LATE, reason="by other means"),
    "told start": _told(State.IN_PROGRESS),
    "told complete": _told(State.COMPLETE),
    "told error": _told(State.ERROR),
}


class DirectoryMachine(RuleBasedStateMachine):
    """Any number of payers, each as slow as it likes; a post replaces our own older form."""

    replaces = True
    payers_at_once = 4

    @initialize(max_retries=st.integers(0, 2))
    def register(self, max_retries: int) -> None:
        """Begin with an empty directory that is owed everything."""
        self.directory = Directory(self.replaces, {})
        self.workset = a_workset(max_retries=max_retries)
        self.ready_since = self.workset.sequence
        self.payers: list[Payer] = []
        self.told = False

    def save(self, after: Workset) -> None:
        self.workset = evolve(after, version=self.workset.version + 1)
        if self.workset.state is State.READY:
            self.ready_since, self.told = self.workset.sequence, False

    @rule(name=st.sampled_from(sorted(STEPS)))
    def step(self, name: str) -> None:
        """Take a step without paying for it: its maker died, or is slow."""
        try:
            self.save(STEPS[name](self.workset))
        except ConflictError:
            return

    @precondition(lambda self: self.workset.state in {State.READY, State.LOCKED})
    @rule(outcome=st.sampled_from(["launched", "died", "refused", "refused, retry"]))
    def launch(self, outcome: str) -> None:
        """Lock, pay everything, post in_progress, and only if that stands ask the engine."""
        try:
            self.save(self.workset.lock_for("monitor-a", at=LATE, timeout=LOCK_TIMEOUT))
        except ConflictError:
            return
        locked = self.workset
        for debt in locked.debts:
            self.directory.pay(debt)
        if not self.directory.post(Sentinel.IN_PROGRESS, locked.sequence):
            # It shows an older launch, whose withdrawal may still be on its way: start again.
            self.save(locked.release(locked.fence, at=LATE, reason="in_progress stands there"))
            return
        clear = locked.settled(locked.debts)
        failure = TRANSIENT if outcome == "refused, retry" else BROKEN
        match outcome:
            case "launched":
                self.save(clear.launched(locked.fence, "job", at=LATE))
            case "died":
                self.save(clear.launch_found("job", at=LATE, actor="monitor-b"))
            case _:
                self.save(clear.launch_failed(locked.fence, failure, at=LATE, policy=POLICY, jitter=1))

    @precondition(lambda self: len(self.payers) < self.payers_at_once)
    @rule()
    def payer_comes(self) -> None:
        """Somebody reads the workset, to pay what it owes."""
        self.payers.append(Payer(self.workset))

    @precondition(lambda self: self.payers)
    @rule(which=st.integers(0, 3), count=st.integers(1, 8))
    def payer_pays(self, which: int, count: int) -> None:
        """A payer pays some more, in order, whatever has become of the workset since."""
        payer = self.payers[which % len(self.payers)]
        for debt in payer.read.debts[payer.paid : payer.paid + count]:
            self.directory.pay(debt)
            self.ready_never_shows_again()
        payer.paid += count

    @precondition(lambda self: self.payers)
    @rule(which=st.integers(0, 3))
    def payer_starts_again(self, which: int) -> None:
        """A payer does not know how far it came, and pays everything twice."""
        self.payers[which % len(self.payers)].paid = 0

    @precondition(lambda self: self.payers)
    @rule(which=st.integers(0, 3))
    def payer_goes(self, which: int) -> None:
        """A payer strikes off what it has paid, unless the workset has moved on; or it dies."""
        payer = self.payers.pop(which % len(self.payers))
        if payer.read.version == self.workset.version:
            self.workset = evolve(
                self.workset.settled(payer.read.debts[: payer.paid]),
                version=self.workset.version + 1,
            )

    @invariant()
    def ready_never_shows_again(self) -> None:
        """Once told that it is not ready, the directory shows nothing that old monitors would run."""
        self.told = self.check(self.directory, told=self.told)

    def check(self, directory: Directory, *, told: bool) -> bool:
        """Check what stands there; return whether it has been told that the workset is not ready."""
        state = self.workset.state
        covered = COVERS & directory.standing.keys()
        if any(directory.standing[sentinel] > self.ready_since for sentinel in covered):
            told = state is not State.READY
        if told and state is not State.LOCKED:
            assert not directory.runnable, f"{state}: {directory.standing}"
        return told

    @invariant()
    def every_payment_leaves_it_right(self) -> None:
        """Whoever pays all debts now may die after any of them; paid in full, all is shown."""
        directory = Directory(self.replaces, dict(self.directory.standing))
        told = self.told
        for debt in self.workset.debts:
            directory.pay(debt)
            told = self.check(directory, told=told)
        self.check_paid(directory)

    def check_paid(self, directory: Directory) -> None:
        """Check what stands there after all debts have been paid."""
        wanted = projection(self.workset.state, self.workset.archived_from)
        # A late withdrawal may have taken a ready that was posted again, which nobody runs by.
        assert wanted - directory.standing.keys() <= {Sentinel.READY}


class OnePayerMachine(DirectoryMachine):
    """One payer at a time, who may die after any payment; a post never replaces anything."""

    replaces = False
    payers_at_once = 1

    @rule(name=st.sampled_from(sorted(STEPS)))
    def step(self, name: str) -> None:
        """Take a step; whoever was paying before is dead."""
        self.payers.clear()
        super().step(name)

    def check_paid(self, directory: Directory) -> None:
        """Check that nothing but the state's own sentinels stands there."""
        workset = self.workset
        assert directory.standing.keys() <= workset.posted
        if workset.state is not State.LOCKED:
            assert directory.standing.keys() == projection(workset.state, workset.archived_from)


TestDirectoryMachine = DirectoryMachine.TestCase
TestDirectoryMachine.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestOnePayerMachine = OnePayerMachine.TestCase
TestOnePayerMachine.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


@pytest.mark.parametrize(("replaces", "shown"), [(True, State.IGNORED), (False, State.READY)])
def test_why_a_post_should_replace_our_own_older_form(*, replaces: bool, shown: State) -> None:
    """
    Two payers that were stalled for a whole life of the workset make an ignored one show ``ready``.

    Not if a post replaces what shows an earlier transition of ours. Without that, it takes a payer
    that brings an old ``ignore`` back, and a second one that then withdraws it.
    """
    directory = Directory(replaces, {})
    ignored = a_workset().ignore(by="ada", at=NOON)
    ready = ignored.unignore(by="ada", at=NOON)
    again = ready.settled(ready.debts).ignore(by="ada", at=NOON)

    for payments in (ready.debts, ignored.debts, again.debts, ready.debts):
        for debt in payments:
            directory.pay(debt)

    assert state_shown(directory.standing) is shown
