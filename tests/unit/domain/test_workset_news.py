"""News of a workset beyond that of its transitions."""

from datetime import timedelta

from attrs import evolve

from daylily.domain.debts import SendNotice
from daylily.domain.events import EventKind
from daylily.domain.workset import Progress, Workset
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
