"""Outcomes of samples: what is known of each, and which of them the next attempt is for."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

import pytest

from daylily.domain.errors import IllegalTransitionError
from daylily.domain.lifecycle import State
from daylily.domain.results import OUTCOMES_MOST, SampleOutcome
from daylily.domain.retry import ErrorCategory, Failure, RetryPolicy
from daylily.domain.workset import Workset
from daylily.testing.samples import NOON, a_manifest, a_workset, locked, running

LATER: Final = NOON + timedelta(minutes=1)
BROKEN: Final = Failure(ErrorCategory.DATA, "truncated input")
LOST: Final = Failure(ErrorCategory.TRANSIENT, "node lost")


def trio() -> Workset:
    """Return a workset of three samples."""
    return a_workset(manifest=a_manifest("A", "B", "C"))


def ended(workset: Workset, failure: Failure = BROKEN, *, fine: str = "", bad: str = "") -> Workset:
    """Return what becomes of a workset whose attempt fails, given names of samples."""
    told = [SampleOutcome.of(name, None) for name in fine]
    told += [SampleOutcome.of(name, f"{name} is cut short") for name in bad]
    ran = running(workset).with_samples(told)
    return ran.failed(failure, at=LATER, actor="m", policy=RetryPolicy(), jitter=0)


def known(workset: Workset) -> dict[str, tuple[int, bool]]:
    """Return by sample the attempt that tells of it, and whether it failed."""
    return {
        name: (attempt.number, outcome.failed) for name, (attempt, outcome) in workset.outcomes.items()
    }


def test_outcomes_stay_with_their_attempt() -> None:
    """They are no transition, come in the order of the manifest, and name none but its samples."""
    before = running(trio())
    after = before.with_samples(
        [SampleOutcome.of("X", None), SampleOutcome.of("B", "cut short"), SampleOutcome.of("A", None)]
    )

    assert (after.sequence, after.debts) == (before.sequence, before.debts)
    assert [each.sample_id for each in after.attempts[-1].samples] == ["A", "B"]
    assert known(after) == {"A": (1, False), "B": (1, True)}


def test_failed_samples_alone() -> None:
    """The next attempt is for those that have not come out well, also those of which nobody knows."""
    asked = ended(trio(), fine="A", bad="B").retry(by="ada", at=LATER, failed_samples=True)
    assert asked.retry_only == ("B", "C")
    assert asked.history[-1].reason == "retry of 2 of 3 samples requested by ada"

    again = running(asked)
    assert (again.attempts[-1].only, again.retry_only) == (("B", "C"), ())


def test_a_later_outcome_counts() -> None:
    """A sample that was run again is told of by its latest attempt, the others by theirs."""
    asked = ended(trio(), fine="A", bad="BC").retry(by="ada", at=LATER, failed_samples=True)
    again = ended(asked, fine="B", bad="C")

    assert known(again) == {"A": (1, False), "B": (2, False), "C": (2, True)}
    assert [len(attempt.samples) for attempt in again.attempts] == [1, 2]
    assert again.retry(by="ada", at=LATER, failed_samples=True).retry_only == ("C",)


def test_all_failed_is_a_retry_as_a_whole() -> None:
    """Where no sample came out well, the failed samples are all samples."""
    asked = ended(trio(), bad="ABC").retry(by="ada", at=LATER, failed_samples=True)
    assert asked.state is State.READY
    assert asked.retry_only == ()


@pytest.mark.parametrize("fine", ["", "ABC"])
def test_no_sample_failed_by_itself(fine: str) -> None:
    """What failed as a whole has no failed samples to be retried alone; it stays as it was."""
    with pytest.raises(IllegalTransitionError, match="retry it as a whole"):
        ended(trio(), fine=fine).retry(by="ada", at=LATER, failed_samples=True)


def test_a_retry_is_of_all_unless_asked_otherwise() -> None:
    """A person who names no samples means all of them."""
    assert ended(trio(), fine="A", bad="B").retry(by="ada", at=LATER).retry_only == ()


def test_automatic_retry_is_of_what_is_left() -> None:
    """What came out well is not run again because a node was lost."""
    waiting = ended(trio(), LOST, fine="A")
    assert (waiting.state, waiting.retry_only) == (State.RETRYING, ("B", "C"))
    assert waiting.retry_at is not None
    again = running(waiting.retry_due(at=waiting.retry_at, actor="m"), at=waiting.retry_at)
    assert again.attempts[-1].only == ("B", "C")


def test_a_lock_given_up_keeps_the_samples() -> None:
    """Which samples were to be retried is remembered until an attempt is made, or handed over."""
    asked = ended(trio(), fine="A", bad="B").retry(by="ada", at=LATER, failed_samples=True)
    taken = locked(asked)
    assert taken.release(taken.fence, at=LATER, reason="too slow").retry_only == ("B", "C")
    assert taken.lock is not None
    assert taken.handed_over(taken.lock.owner, at=LATER, reason="by hand").retry_only == ()


def ids(count: int) -> Iterable[str]:
    """Return names of samples."""
    return (f"S{number}" for number in range(count))


def test_too_many_to_be_named_are_retried_as_a_whole() -> None:
    """A record holds so many names: more samples than that are no list, but the workset."""
    big = running(a_workset(manifest=a_manifest(*ids(OUTCOMES_MOST + 2))))
    one = big.with_samples([SampleOutcome.of("S0", None)])
    two = big.with_samples([SampleOutcome.of(name, None) for name in ids(2)])

    def left(workset: Workset) -> int:
        failed = workset.failed(LOST, at=LATER, actor="m", policy=RetryPolicy(), jitter=0)
        return len(failed.retry_only)

    assert (left(one), left(two)) == (0, OUTCOMES_MOST)
