"""What other systems did to a workset, taken over as facts."""

from datetime import timedelta
from typing import Final

import pytest

from daylily.domain.debts import PostSentinel, SendNotice
from daylily.domain.errors import IllegalTransitionError, LockHeldError
from daylily.domain.lifecycle import State
from daylily.domain.retry import ErrorCategory, Failure, RetryPolicy
from daylily.domain.sentinels import Sentinel, SentinelBody, known, projection
from daylily.domain.workset import ALWAYS, RUN_GONE_GRACE, Workset
from daylily.testing.samples import NOON, a_workset, locked, running, settled

LATER: Final = NOON + timedelta(minutes=1)
TRANSIENT: Final = Failure(ErrorCategory.TRANSIENT, "node lost")


def adopting(workset: Workset, state: State, reason: str = "daylily.x found") -> Workset:
    return workset.adopt(state, at=LATER, reason=reason, actor="monitor-a")


def tried_before() -> Workset:
    """Return a workset that is ready again after a failed attempt of ours."""
    waiting = running(a_workset()).failed(TRANSIENT, at=NOON, actor="m", policy=RetryPolicy(), jitter=0)
    assert waiting.retry_at is not None
    return settled(waiting.retry_due(at=waiting.retry_at, actor="m"))


def news(workset: Workset) -> list[tuple[str, str | None]]:
    return [
        (debt.event.kind, debt.event.error_details)
        for debt in workset.debts
        if isinstance(debt, SendNotice)
    ]


def test_complete_forgets_what_our_last_attempt_failed_of() -> None:
    """A workset that another system completed carries no failure, nor does the news of it."""
    adopted = adopting(tried_before(), State.COMPLETE)

    assert adopted.failure is None
    assert news(adopted) == [("complete", None)]


def test_error_says_what_was_found() -> None:
    """The failure of an adopted error is what the sentinel said; no policy retries it."""
    adopted = adopting(tried_before(), State.ERROR, "daylily.error found: disk full")

    assert adopted.failure == Failure(ErrorCategory.PERMANENT, "daylily.error found: disk full")
    assert news(adopted) == [("error", "daylily.error found: disk full")]
    assert adopted.retry_at is None


def test_run_by_others_is_looked_at_again_and_has_no_attempt() -> None:
    """While another system runs it, it is due at once, and nothing of ours is running."""
    adopted = adopting(settled(a_workset()), State.IN_PROGRESS)

    assert adopted.foreign_run
    assert adopted.running is None
    assert adopted.due_at == ALWAYS
    assert adopted.attempts == ()
    assert news(adopted) == []


def test_run_by_others_cannot_be_canceled_here() -> None:
    """We have no hand on another system's job."""
    with pytest.raises(IllegalTransitionError, match="another system"):
        adopting(a_workset(), State.IN_PROGRESS).request_cancel(by="ada", at=LATER)


@pytest.mark.parametrize("state", [State.IN_PROGRESS, State.COMPLETE, State.ERROR, State.IGNORED])
def test_owes_no_post(state: State) -> None:
    """Theirs stands there: posting ours too would be refused for ever."""
    adopted = adopting(a_workset(), state)

    assert not [debt for debt in adopted.debts if isinstance(debt, PostSentinel)]


@pytest.mark.parametrize("state", [State.IN_PROGRESS, State.COMPLETE, State.ERROR, State.IGNORED])
def test_what_nothing_shows_is_owed(state: State) -> None:
    """Who tells us without a sentinel leaves it to us to show it."""
    told = settled(a_workset()).adopt(state, at=LATER, reason="told", actor="worker", shown=False)

    posts = {debt.sentinel for debt in told.debts if isinstance(debt, PostSentinel)}
    assert posts == projection(state) - {Sentinel.READY}


def test_the_holder_of_a_lock_may_run_it_by_other_means() -> None:
    """Then another system is at it: in_progress is owed, no engine is asked, and people are told."""
    theirs = settled(locked(a_workset(), owner="worker-1")).handed_over(
        "worker-1", at=LATER, reason="started on node 7"
    )

    assert theirs.foreign_run
    assert theirs.lock is None
    assert theirs.attempts == ()
    assert theirs.due_at == ALWAYS
    assert [debt.sentinel for debt in theirs.debts if isinstance(debt, PostSentinel)] == [
        Sentinel.IN_PROGRESS
    ]
    assert news(theirs) == [("started", None)]
    assert theirs.adopt(
        State.COMPLETE, at=LATER, reason="done", actor="worker-1", shown=False
    ).posted == {Sentinel.COMPLETE}


def test_only_the_holder_hands_over() -> None:
    """Anybody else might say so of a workset that a monitor is about to launch."""
    for workset in (a_workset(), locked(a_workset(), owner="monitor-a")):
        with pytest.raises(LockHeldError, match="not locked by worker-1"):
            workset.handed_over("worker-1", at=LATER, reason="started")


def test_nothing_is_handed_over_under_a_pending_cancel() -> None:
    """Whoever asked for the stop was promised that nothing begins any more."""
    asked = locked(a_workset(), owner="worker-1").request_cancel(by="ada", at=LATER)

    with pytest.raises(IllegalTransitionError, match="cancel is pending"):
        asked.handed_over("worker-1", at=LATER, reason="started")


def test_retry_of_an_adopted_error_withdraws_only_ours() -> None:
    """What others posted is theirs to remove; a withdrawal that finds no mark of ours does nothing."""
    again = adopting(settled(a_workset()), State.ERROR).retry(by="ada", at=LATER)

    assert again.posted == {Sentinel.READY}
    assert again.retry_requested_by == "ada"


def theirs(*sentinels: Sentinel) -> dict[Sentinel, SentinelBody]:
    """Return sentinels as another system has written them."""
    return {sentinel: SentinelBody(NOON, "theirs") for sentinel in sentinels}


def found(state: State, *sentinels: Sentinel) -> Workset:
    """Return a workset that was adopted as *sentinels* of another system show it."""
    standing = theirs(*sentinels)
    return settled(a_workset()).adopt(
        state, at=LATER, reason="found", actor="m", known=known(sentinels, standing)
    )


def test_held_until_their_ignore_is_gone() -> None:
    """Somebody has to look again; then it is ready, and the next ignore counts, whatever it says."""
    held = found(State.IGNORED, Sentinel.IGNORE, Sentinel.READY)

    assert held.held
    assert held.due_at == ALWAYS
    free = held.unignore(by="m", at=LATER, reason="daylily.ignore is gone")
    assert free.history[-1].reason == "daylily.ignore is gone"
    assert [each.sentinel for each in free.known] == [Sentinel.READY]


def test_ignored_by_us_is_nobody_elses() -> None:
    """What a person has ignored here is not due, and stays so until a person says otherwise."""
    ours = settled(a_workset()).ignore(by="ada", at=LATER)

    assert not ours.held
    assert settled(ours).due_at is None


def test_hold_stops_the_attempt_and_no_more() -> None:
    """The attempt ends as canceled; what is then ready again gets a new one, under a new key."""
    stopping = running(a_workset()).request_hold(
        by="m",
        at=LATER,
        reason="daylily.ignore found",
        known=known(theirs(Sentinel.IGNORE), theirs(Sentinel.IGNORE)),
    )
    held = stopping.canceled(at=LATER, actor="m")

    assert held.held
    assert held.history[-1].reason == "stopped: daylily.ignore found"
    assert [attempt.outcome for attempt in held.attempts] == [State.CANCELED]
    assert not [debt for debt in held.debts if isinstance(debt, PostSentinel)]
    assert held.unignore(by="m", at=LATER).attempt_key == "ws-1/2"


def test_cancel_beats_a_pending_hold() -> None:
    """What a person wants stopped for good does not come back when the ignore is taken away."""
    stopping = running(a_workset()).request_hold(by="m", at=LATER, reason="found", known=())

    assert stopping.request_cancel(by="ada", at=LATER).canceled(at=LATER, actor="m").state is (
        State.CANCELED
    )


def test_a_run_that_vanished_is_tried_again_after_a_grace() -> None:
    """Whoever took their in_progress away may be about to say how it ended; no retry is spent."""
    gone = found(State.IN_PROGRESS, Sentinel.IN_PROGRESS, Sentinel.READY).run_gone(
        at=LATER, actor="m", ready=True
    )

    assert (gone.state, gone.retry_at) == (State.RETRYING, LATER + RUN_GONE_GRACE)
    assert gone.retries_used == 0
    posts = {debt.sentinel for debt in gone.debts if isinstance(debt, PostSentinel)}
    assert posts == projection(State.RETRYING)
    assert news(gone) == []


def test_a_run_that_vanished_without_a_trace_needs_a_person() -> None:
    """Nothing says that it may be run, and nothing that it was."""
    gone = found(State.IN_PROGRESS, Sentinel.IN_PROGRESS).run_gone(at=LATER, actor="m", ready=False)

    assert gone.state is State.ERROR
    assert gone.failure is not None
    assert "nothing says how its run ended" in gone.failure.message
    assert [kind for kind, _ in news(gone)] == ["error"]


def test_what_it_waits_for_is_no_transition() -> None:
    """It is told, and forgotten with the next step."""
    waiting = settled(a_workset()).with_wait("another system holds daylily.lock")

    assert waiting.history == a_workset().history
    assert waiting.due_at is None
    assert locked(waiting).waits_for is None
