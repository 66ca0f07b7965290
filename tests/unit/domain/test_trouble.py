"""How worksets get stuck, and that waiting is not being stuck."""

from datetime import timedelta

import pytest
from attrs import evolve

from daylily.domain.clusters import Requirements
from daylily.domain.retry import ErrorCategory, Failure, RetryPolicy
from daylily.domain.trouble import PATIENCE, TroubleKind, trouble_of
from daylily.domain.workset import Workset
from daylily.testing.samples import LOCK_TIMEOUT, NOON, a_workset, locked, running, settled

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def kind(workset: Workset, after: timedelta) -> TroubleKind | None:
    """Return how a workset is stuck some time after noon."""
    found = trouble_of(workset, NOON + after, DAY)
    return None if found is None else found.kind


def retrying() -> Workset:
    """Return a workset whose retry is due in a minute."""
    policy = RetryPolicy(base=timedelta(minutes=1), ceiling=timedelta(hours=1))
    lost = Failure(ErrorCategory.TRANSIENT, "the disk was away")
    return running(a_workset()).failed(lost, at=NOON, actor="m", policy=policy, jitter=0.5)


def test_what_goes_on_is_not_stuck() -> None:
    """A workset that waits, runs, or was only just left alone needs nobody."""
    assert kind(settled(a_workset()), timedelta(days=9)) is None
    assert kind(settled(running(a_workset())), DAY) is None
    assert kind(settled(locked(a_workset())), LOCK_TIMEOUT) is None
    assert kind(a_workset(), PATIENCE - SECOND) is None


def test_silence_of_an_engine() -> None:
    """What the engine says nothing of, or has no record of, is told since when."""
    run = settled(running(a_workset()))
    found = trouble_of(run.with_unknown(NOON), NOON + DAY, DAY)
    assert found is not None
    assert (found.kind, found.since) == (TroubleKind.UNKNOWN, NOON)
    assert kind(run.with_missing(NOON), SECOND) is TroubleKind.MISSING


@pytest.mark.parametrize(
    ("limit", "hours"), [(None, 24), (timedelta(hours=2), 2)], ids=["pipeline", "own"]
)
def test_overtime(limit: timedelta | None, hours: int) -> None:
    """An attempt that the engine should have ended long ago: by its own time, or the pipeline's."""
    run = settled(running(a_workset(requirements=Requirements(time_limit=limit))))
    over = timedelta(hours=hours) + PATIENCE
    assert kind(run, over - SECOND) is None
    found = trouble_of(run, NOON + over, DAY)
    assert found is not None
    assert found.kind is TroubleKind.OVERTIME
    assert f"{hours} h" in found.text


def test_a_stop_that_does_not_come() -> None:
    """What was to be stopped and goes on."""
    asked = settled(running(a_workset())).request_cancel(by="ada", at=NOON)
    assert kind(asked, PATIENCE - SECOND) is None
    assert kind(asked, PATIENCE) is TroubleKind.STOPPING


def test_a_launch_that_went_silent() -> None:
    """A lock that ran out and that nobody has taken over, whatever it owes besides."""
    taken = locked(a_workset())
    assert kind(taken, LOCK_TIMEOUT + PATIENCE) is TroubleKind.LAUNCH


def test_a_retry_that_nobody_starts() -> None:
    """It is due, and no monitor sees to it."""
    waiting = settled(retrying())
    assert waiting.retry_at is not None
    due = waiting.retry_at - NOON
    assert kind(waiting, due + PATIENCE - SECOND) is None
    assert kind(waiting, due + PATIENCE) is TroubleKind.RETRY
    assert kind(evolve(waiting, retry_at=None), DAY) is None


def test_debts_that_nobody_pays() -> None:
    """What a step owes the world, and any monitor would have paid."""
    assert kind(a_workset(), PATIENCE) is TroubleKind.DEBTS
