"""What other systems did to a workset, taken over as facts."""

from datetime import timedelta
from typing import Final

import pytest

from daylily.domain.debts import PostSentinel, SendNotice
from daylily.domain.errors import IllegalTransitionError
from daylily.domain.lifecycle import State
from daylily.domain.retry import ErrorCategory, Failure, RetryPolicy
from daylily.domain.sentinels import Sentinel
from daylily.domain.workset import Workset
from daylily.testing.samples import NOON, a_workset, running, settled

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


def test_retry_of_an_adopted_error_withdraws_only_ours() -> None:
    """What others posted is theirs to remove; a withdrawal that finds no mark of ours does nothing."""
    again = adopting(settled(a_workset()), State.ERROR).retry(by="ada", at=LATER)

    assert again.posted == {Sentinel.READY}
    assert again.retry_requested_by == "ada"
