"""What other systems did to a workset, taken over as facts."""

from datetime import timedelta
from typing import Final

import pytest

from daylily.domain.debts import PostSentinel, SendNotice
from daylily.domain.errors import IllegalTransitionError, LockHeldError
from daylily.domain.lifecycle import State
from daylily.domain.retry import ErrorCategory, Failure, RetryPolicy
from daylily.domain.sentinels import Sentinel, projection
from daylily.domain.workset import Workset
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
    assert adopted.due_at == LATER
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
    assert theirs.due_at == LATER
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
