"""Locks, fencing tokens, attempts and their lineage, cancels, and when a workset is due."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import pytest
from attrs import evolve

from daylily.domain.errors import IllegalTransitionError, LockHeldError
from daylily.domain.lifecycle import State
from daylily.domain.retry import ErrorCategory, Failure, RetryPolicy
from daylily.domain.workset import ALWAYS, DEBT_GRACE, Progress, Workset
from daylily.testing.samples import LOCK_TIMEOUT, NOON, a_workset, locked, running, settled

EXPIRY: Final = NOON + LOCK_TIMEOUT
MICROSECOND: Final = timedelta(microseconds=1)
LATER: Final = NOON + timedelta(hours=1)
TRANSIENT: Final = Failure(ErrorCategory.TRANSIENT, "node lost")
BROKEN: Final = Failure(ErrorCategory.DATA, "truncated input", 65)
POLICY: Final = RetryPolicy()


def failing(workset: Workset, failure: Failure = BROKEN, *, at: datetime = LATER) -> Workset:
    return workset.failed(failure, at=at, actor="monitor-a", policy=POLICY, jitter=1)


def due_again(workset: Workset) -> Workset:
    assert workset.retry_at is not None
    return workset.retry_due(at=workset.retry_at, actor="monitor-a")


WITH_TOKEN: Final[dict[str, Callable[[Workset, int], Workset]]] = {
    "release": lambda w, token: w.release(token, at=LATER, reason="too slow"),
    "launched": lambda w, token: w.launched(token, "job-1", at=LATER),
    "launch_failed": lambda w, token: w.launch_failed(token, BROKEN, at=LATER, policy=POLICY, jitter=0),
}


class TestLocks:
    """Who may launch."""

    def test_lock_names_its_holder_and_end(self) -> None:
        """The grant carries owner, token, start and expiry; the token is the fence."""
        lock = locked(a_workset(), owner="monitor-a").lock

        assert lock is not None
        assert (lock.owner, lock.token) == ("monitor-a", 1)
        assert (lock.acquired_at, lock.expires_at) == (NOON, EXPIRY)

    @pytest.mark.parametrize(
        ("at", "expired"),
        [(NOON, False), (EXPIRY - MICROSECOND, False), (EXPIRY, True), (EXPIRY + MICROSECOND, True)],
    )
    def test_expiry_is_exact(self, at: datetime, *, expired: bool) -> None:
        """A lock holds up to the last microsecond before its expiry, and not at it."""
        taken = locked(a_workset(), owner="monitor-a")
        assert taken.lock is not None

        assert taken.lock.expired(at) is expired
        if expired:
            assert taken.lock_for("monitor-b", at=at, timeout=LOCK_TIMEOUT).fence == 2
        else:
            with pytest.raises(LockHeldError, match="monitor-a"):
                taken.lock_for("monitor-b", at=at, timeout=LOCK_TIMEOUT)

    def test_an_inherited_lock_is_kept_until_the_engine_was_asked(self) -> None:
        """Whoever held it may have launched: so it is neither made ready nor handed over."""
        over = locked(a_workset()).lock_for("monitor-b", at=EXPIRY, timeout=LOCK_TIMEOUT)
        again = over.lock_for("monitor-b", at=EXPIRY, timeout=LOCK_TIMEOUT)
        renewed = locked(a_workset()).lock_for("monitor-a", at=NOON, timeout=LOCK_TIMEOUT)

        for workset in (over, again):
            assert workset.lock is not None
            assert workset.lock.inherited
            assert workset.release(workset.fence, at=LATER, reason="").state is State.LOCKED
            with pytest.raises(LockHeldError, match="may have been launched"):
                workset.handed_over("monitor-b", at=LATER, reason="by hand")
        assert renewed.release(renewed.fence, at=LATER, reason="").state is State.READY

    def test_what_is_given_up_is_so_until_the_next_attempt(self) -> None:
        """Be it about to be launched, or running; and it is nothing where there is neither."""
        taken = locked(a_workset()).giving_up()
        assert taken.gives_up
        assert running(a_workset()).giving_up().gives_up
        assert not locked(a_workset()).gives_up
        assert not taken.abandoned(taken.fence, at=LATER, reason="too slow").gives_up
        with pytest.raises(IllegalTransitionError, match="nothing is running"):
            a_workset().giving_up()

    def test_owner_may_renew_and_gets_a_new_token(self) -> None:
        """A renewal moves the expiry on; the old token is no longer valid."""
        renewed = locked(a_workset()).lock_for("monitor-a", at=LATER, timeout=LOCK_TIMEOUT)

        assert renewed.lock is not None
        assert renewed.lock.expires_at == LATER + LOCK_TIMEOUT
        assert renewed.lock.token == renewed.fence == 2

    @pytest.mark.parametrize("method", WITH_TOKEN)
    def test_late_holder_is_refused(self, method: str) -> None:
        """After a takeover the token of the first holder opens nothing; that of the second does."""
        taken = locked(a_workset(), owner="monitor-a")
        over = taken.lock_for("monitor-b", at=EXPIRY, timeout=LOCK_TIMEOUT)

        with pytest.raises(LockHeldError, match="token 1"):
            WITH_TOKEN[method](over, taken.fence)
        left = WITH_TOKEN[method](over, over.fence).lock
        assert left is None or left.expired(LATER)

    @pytest.mark.parametrize("method", WITH_TOKEN)
    def test_token_is_good_once(self, method: str) -> None:
        """After a release nobody's token is valid, and tokens are not handed out again."""
        taken = locked(a_workset())
        free = taken.release(taken.fence, at=LATER, reason="too slow")

        with pytest.raises(LockHeldError):
            WITH_TOKEN[method](free, taken.fence)
        assert locked(free).fence == taken.fence + 1

    @pytest.mark.parametrize("method", WITH_TOKEN)
    def test_holder_of_an_expired_lock_may_finish_if_nobody_took_it(self, method: str) -> None:
        """Expiry lets others in; it does not put the holder out."""
        taken = locked(a_workset())

        assert taken.lock is not None
        assert taken.lock.expired(LATER)
        assert WITH_TOKEN[method](taken, taken.fence).lock is None

    def test_takeover_launches_the_same_attempt(self) -> None:
        """The key is the attempt's, not the holder's: the engine sees one job."""
        taken = locked(a_workset(), owner="monitor-a")
        over = taken.lock_for("monitor-b", at=EXPIRY, timeout=LOCK_TIMEOUT)

        assert taken.attempt_key == over.attempt_key == "ws-1/1"

    def test_pending_cancel_keeps_out_even_the_owner(self) -> None:
        """Nobody renews or takes over a lock on what is to be canceled."""
        wanted_no_more = locked(a_workset()).request_cancel(by="ada", at=NOON)

        for owner in ("monitor-a", "monitor-b"):
            with pytest.raises(IllegalTransitionError, match="cancel"):
                wanted_no_more.lock_for(owner, at=LATER, timeout=LOCK_TIMEOUT)


class TestAttempts:
    """Attempts, their numbers, and what each follows."""

    def test_attempts_are_numbered_from_one(self) -> None:
        """The running attempt gives the key; once it has ended, the next one does."""
        busy = running(a_workset())
        assert busy.running is not None
        assert (busy.running.number, busy.running.follows, busy.attempt_key) == (1, None, "ws-1/1")

        ended = failing(busy)
        assert ended.running is None
        assert ended.attempt_key == "ws-1/2"
        assert (ended.attempts[0].ended_at, ended.attempts[0].outcome) == (LATER, State.ERROR)
        assert ended.attempts[0].failure == BROKEN

    def test_retry_by_a_person_is_on_record(self) -> None:
        """The new attempt says what it follows and who asked; the count of retries starts anew."""
        tired = failing(running(due_again(failing(running(a_workset()), TRANSIENT))))
        assert tired.retries_used == 1

        again = running(tired.retry(by="ada", at=LATER, reason="new disk"), at=LATER)
        assert again.running is not None
        assert (again.running.follows, again.running.requested_by) == (2, "ada")
        assert (again.retries_used, again.failure, again.progress) == (0, None, None)
        assert again.history[-3].reason == "new disk"

    def test_automatic_retry_names_nobody(self) -> None:
        """A retry by policy has a predecessor and nobody who asked, even after one that had."""
        asked = running(failing(running(a_workset())).retry(by="ada", at=LATER))
        auto = running(due_again(failing(asked, TRANSIENT)))

        assert [(a.follows, a.requested_by) for a in auto.attempts] == [
            (None, None),
            (1, "ada"),
            (2, None),
        ]

    def test_lock_given_up_keeps_the_request(self) -> None:
        """Who asked for a retry is remembered until an attempt is made."""
        asked = failing(running(a_workset())).retry(by="ada", at=LATER)
        taken = locked(asked)
        again = running(taken.release(taken.fence, at=LATER, reason="too slow"))

        assert again.running is not None
        assert again.running.requested_by == "ada"
        assert len(again.attempts) == 2

    def test_refused_launch_is_an_attempt(self) -> None:
        """What the engine refused has a number: its key is spent."""
        taken = locked(a_workset())
        refused = taken.launch_failed(taken.fence, BROKEN, at=LATER, policy=POLICY, jitter=0)

        assert [(a.number, a.job, a.outcome) for a in refused.attempts] == [(1, "refused", State.ERROR)]
        assert refused.attempt_key == "ws-1/2"

    def test_launch_found_records_the_attempt(self) -> None:
        """An attempt whose launcher died is recorded under the number it was launched with."""
        found = locked(a_workset()).launch_found("job-1", at=LATER, actor="monitor-b")

        assert found.running is not None
        assert (found.running.number, found.running.job, found.lock) == (1, "job-1", None)

    def test_progress_is_of_the_running_attempt(self) -> None:
        """Progress is noted without a transition, and forgotten at the next launch."""
        half = running(a_workset()).with_progress(Progress(1, 2, "aligning"), at=NOON)
        assert half.progress == Progress(1, 2, "aligning")
        assert half.sequence == running(a_workset()).sequence

        assert running(failing(half).retry(by="ada", at=LATER)).progress is None

    @pytest.mark.parametrize("max_retries", [0, 1, 3, 10])
    def test_retries_are_counted_to_the_last(self, max_retries: int) -> None:
        """D-05: exactly ``max_retries`` automatic retries, each twice as late, then ``failed``."""
        workset, waits = a_workset(max_retries=max_retries), []
        for _ in range(max_retries):
            workset = failing(running(workset), TRANSIENT)
            assert workset.state is State.RETRYING
            assert workset.retry_at is not None
            waits.append((workset.retry_at - LATER).total_seconds())
            workset = due_again(workset)
        workset = failing(running(workset), TRANSIENT)

        assert workset.state is State.FAILED
        assert waits == [2.0 * 2**n for n in range(max_retries)]
        assert workset.retries_used == max_retries
        assert len(workset.attempts) == max_retries + 1

    @pytest.mark.parametrize("category", ErrorCategory)
    def test_what_a_failure_leads_to(self, category: ErrorCategory) -> None:
        """Transient failures and those for want of resources are tried again; others need a person."""
        retried = category in {ErrorCategory.TRANSIENT, ErrorCategory.RESOURCE}
        failure = Failure(category, "why")
        ended = failing(running(a_workset()), failure)

        assert ended.state is (State.RETRYING if retried else State.ERROR)
        assert ended.failure == failure

    def test_retry_is_due_to_the_microsecond(self) -> None:
        """The wait is not cut short, nor is a wait without an end ever over."""
        waiting = failing(running(a_workset()), TRANSIENT)
        assert waiting.retry_at is not None

        with pytest.raises(IllegalTransitionError):
            waiting.retry_due(at=waiting.retry_at - MICROSECOND, actor="m")
        with pytest.raises(IllegalTransitionError):
            evolve(waiting, retry_at=None).retry_due(at=LATER, actor="m")
        assert due_again(waiting).retry_at is None


class TestCancel:
    """A cancel, asked for at any time."""

    def test_waiting_workset_is_canceled_at_once(self) -> None:
        """No engine has it, so there is nobody to wait for."""
        for waiting in (a_workset(), failing(running(a_workset()), TRANSIENT)):
            canceled = waiting.request_cancel(by="ada", at=LATER, reason="wrong genome")

            assert canceled.state is State.CANCELED
            assert (canceled.cancel, canceled.retry_at) == (None, None)
            assert canceled.history[-1].reason == "canceled by ada: wrong genome"

    def test_running_attempt_is_canceled_when_the_engine_says_so(self) -> None:
        """Until then the wish is on record, and a second one is refused."""
        asked = running(a_workset()).request_cancel(by="ada", at=LATER)
        assert (asked.state, asked.sequence) == (State.IN_PROGRESS, 3)
        with pytest.raises(IllegalTransitionError, match="pending"):
            asked.request_cancel(by="bo", at=LATER)

        stopped = asked.canceled(at=LATER, actor="monitor-a")
        assert (stopped.state, stopped.cancel, stopped.running) == (State.CANCELED, None, None)
        assert stopped.attempts[0].outcome is State.CANCELED
        assert stopped.history[-1].reason == "canceled by ada"

    def test_cancel_that_came_too_late_is_let_go(self) -> None:
        """What completed, completed."""
        done = running(a_workset()).request_cancel(by="ada", at=LATER).completed(at=LATER, actor="m")

        assert (done.state, done.cancel) == (State.COMPLETE, None)

    def test_failure_under_a_pending_cancel_is_no_reason_to_retry(self) -> None:
        """Nobody wants it tried again."""
        asked = running(a_workset()).request_cancel(by="ada", at=LATER)

        assert failing(asked, TRANSIENT).state is State.CANCELED

    def test_cancel_during_a_launch(self) -> None:
        """A late launcher may still record its job; the cancel stays pending, then stops it."""
        asked = locked(a_workset()).request_cancel(by="ada", at=LATER)
        launched = asked.launched(asked.fence, "job-1", at=LATER)

        assert (launched.state, launched.cancel) == (State.IN_PROGRESS, asked.cancel)
        assert launched.canceled(at=LATER, actor="m").state is State.CANCELED
        assert asked.canceled(at=LATER, actor="m").attempts == ()
        assert asked.canceled(at=LATER, actor="m").lock is None

    def test_lock_given_up_under_a_pending_cancel_stays_out_of_the_queue(self) -> None:
        """It is locked by a lock that has run out, and due at once: a monitor sees it through."""
        asked = locked(a_workset()).request_cancel(by="ada", at=LATER)
        free = settled(asked.release(asked.fence, at=LATER, reason="too slow"))

        assert free.state is State.LOCKED
        assert free.lock is not None
        assert free.lock.expired(LATER)
        assert free.due_at == ALWAYS

    def test_refused_launch_under_a_pending_cancel_is_canceled(self) -> None:
        """The attempt ends as canceled; no cancel stays pending on what has ended."""
        asked = locked(a_workset()).request_cancel(by="ada", at=LATER)
        refused = asked.launch_failed(asked.fence, TRANSIENT, at=LATER, policy=POLICY, jitter=0)

        assert (refused.state, refused.cancel) == (State.CANCELED, None)
        assert refused.attempts[0].outcome is State.CANCELED


class TestDue:
    """When a monitor has to look again."""

    def test_debts_are_left_to_their_maker_for_a_while(self) -> None:
        """A debt is overdue after the grace, counted from the step that made it."""
        assert a_workset().due_at == NOON + DEBT_GRACE

    def test_settled_ready_workset_is_never_due(self) -> None:
        """The queue finds it."""
        assert settled(a_workset()).due_at is None

    def test_lock_is_due_at_its_expiry(self) -> None:
        """Then anyone may take it over."""
        assert settled(locked(a_workset())).due_at == EXPIRY

    def test_running_attempt_is_always_due(self) -> None:
        """It is polled in every cycle, though the clock that it was started by was ahead."""
        assert settled(running(a_workset())).due_at == ALWAYS

    def test_pending_cancel_is_due_at_once(self) -> None:
        """It is seen to before the lock runs out."""
        asked = settled(locked(a_workset())).request_cancel(by="ada", at=NOON + MICROSECOND)

        assert asked.due_at == ALWAYS

    def test_retry_is_due_when_its_wait_is_over(self) -> None:
        """And not before."""
        waiting = settled(failing(running(a_workset()), TRANSIENT))

        assert waiting.due_at == waiting.retry_at == LATER + timedelta(seconds=2)

    def test_earliest_reason_counts(self) -> None:
        """An unpaid debt does not wait for the lock, nor the lock for the debt."""
        taken = a_workset().lock_for("m", at=NOON, timeout=timedelta(seconds=5))

        assert taken.due_at == NOON + timedelta(seconds=5)
        assert locked(a_workset()).due_at == NOON + DEBT_GRACE

    @pytest.mark.parametrize("by", ["ignore", "request_cancel", "archive"])
    def test_put_aside_is_never_due(self, by: str) -> None:
        """Once its debts are paid, nobody has to look at it."""
        waiting = failing(running(a_workset()), TRANSIENT)
        aside = {
            "ignore": waiting.ignore(by="ada", at=LATER),
            "request_cancel": waiting.request_cancel(by="ada", at=LATER),
            "archive": failing(running(a_workset())).archive(by="ada", at=LATER),
        }[by]

        assert settled(aside).due_at is None
