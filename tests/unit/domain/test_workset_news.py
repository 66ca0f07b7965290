"""News of a workset beyond that of its transitions."""

from datetime import timedelta

from attrs import evolve

from daylily.domain.debts import SendNotice
from daylily.domain.events import EventKind
from daylily.domain.retry import ErrorCategory, Failure, RetryPolicy
from daylily.domain.workset import MOST_SETTLED, Progress, Workset
from daylily.testing.samples import LOCK_TIMEOUT, NOON, a_workset, locked, running, settled

LATER = NOON + timedelta(hours=1)


def news(workset: Workset) -> list[tuple[EventKind, str, str]]:
    """Return kind, id and message of all news that is owed."""
    events = [debt.event for debt in workset.debts if isinstance(debt, SendNotice)]
    return [(event.kind, event.event_id, event.message) for event in events]


def test_a_lock_that_ran_out_and_was_taken_over_is_news() -> None:
    """Somebody may want to know why; a renewal by the same owner is none."""
    held = settled(locked(settled(a_workset()), owner="monitor-a"))
    taken = held.lock_for("monitor-b", at=LATER, timeout=LOCK_TIMEOUT)
    assert news(taken) == [
        (
            EventKind.LOCK_EXPIRED,
            "ws-1-3-lock_expired",
            "locked by monitor-b to launch ws-1/1, token 2",
        )
    ]
    assert news(held.lock_for("monitor-a", at=LATER, timeout=LOCK_TIMEOUT)) == []


def test_to_have_come_further_is_news() -> None:
    """Once for each step, under an id of its own; to hear the same again is none."""
    fresh = settled(running(settled(a_workset())))
    assert news(fresh.with_progress(None, at=LATER)) == []
    assert news(fresh.with_progress(Progress(0, 3, "staging"), at=LATER)) == []
    first = fresh.with_progress(Progress(1, 3, "staged"), at=LATER)
    assert news(first) == [(EventKind.STEP, "ws-1-3-step-1", "attempt 1: 1 of 3 done, staged")]
    assert news(settled(first).with_progress(Progress(1, 3, "still"), at=LATER)) == []
    second = settled(first).with_progress(Progress(2, 3), at=LATER)
    assert news(second) == [(EventKind.STEP, "ws-1-3-step-2", "attempt 1: 2 of 3 done")]


def test_an_engine_that_says_nothing_is_news() -> None:
    """Of each time that it falls silent."""
    fresh = settled(running(settled(a_workset())))
    unknown = fresh.with_unknown(LATER)
    assert news(unknown) == [
        (
            EventKind.ATTENTION,
            "ws-1-3-attention-20250602T130000Z",
            "the engine has said nothing of ws-1/1 since 2025-06-02T13:00:00Z",
        )
    ]
    again = evolve(settled(unknown), unknown_since=None).with_unknown(LATER + timedelta(hours=1))
    assert [event_id for _, event_id, _ in news(again)] == ["ws-1-3-attention-20250602T140000Z"]


def broken(workset: Workset, failure: Failure) -> Workset:
    """Return *workset* with its next attempt failed, and made ready by a person, all news told."""
    policy = RetryPolicy()
    failed = running(workset).failed(failure, at=NOON, actor="m", policy=policy, jitter=0)
    return settled(failed.retry(by="ada", at=NOON))


def test_completion_says_which_errors_it_settles() -> None:
    """By the ids under which people were told of them, the latest first; no more than the last ten."""
    spent = Failure(ErrorCategory.TRANSIENT, "node lost")
    bad = Failure(ErrorCategory.DATA, "truncated input")
    fresh = settled(a_workset(max_retries=0))
    again = broken(broken(fresh, bad), spent)
    complete = settled(running(again)).completed(at=LATER, actor="m")
    [event] = [debt.event for debt in complete.debts if isinstance(debt, SendNotice)]
    assert event.settles == ("ws-1-8-failed", "ws-1-4-error")

    for _ in range(MOST_SETTLED):
        again = broken(again, bad)
    complete = settled(running(again)).completed(at=LATER, actor="m")
    [event] = [debt.event for debt in complete.debts if isinstance(debt, SendNotice)]
    assert len(event.settles) == MOST_SETTLED
    assert event.settles[0] == f"ws-1-{4 + 4 * (MOST_SETTLED + 1)}-error"


def test_only_completion_settles() -> None:
    """A workset that has never failed settles nothing, and neither does its next failure."""
    plain = settled(running(settled(a_workset()))).completed(at=LATER, actor="m")
    bad = Failure(ErrorCategory.DATA, "truncated input")
    twice = running(broken(settled(a_workset()), bad)).failed(
        bad, at=LATER, actor="m", policy=RetryPolicy(), jitter=0
    )
    for workset in (plain, twice):
        events = [debt.event for debt in workset.debts if isinstance(debt, SendNotice)]
        assert {event.settles for event in events} == {()}
