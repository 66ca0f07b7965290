"""A workset put together again from what its directory says."""

from datetime import timedelta
from typing import Any

import pytest

from daylily.domain.clusters import Requirements
from daylily.domain.lifecycle import Priority, State
from daylily.domain.restoring import caught_up, original, restored
from daylily.domain.retry import ErrorCategory, Failure, RetryPolicy
from daylily.domain.sentinels import Sentinel, SentinelBody
from daylily.domain.workset import Workset
from daylily.testing.samples import NOON, a_manifest, a_workset, locked, running, settled

POLICY = RetryPolicy()
LATER = NOON + timedelta(hours=1)


def found(sentinels: dict[Sentinel, SentinelBody], **changes: Any) -> Workset:
    """Return what is restored from such sentinels."""
    told: dict[str, Any] = {
        "workset_id": "ws-1",
        "customer_id": "acme",
        "name": "trio",
        "manifest": a_manifest(),
        "created_at": NOON,
        "submitted_by": "ada",
        "priority": Priority.URGENT,
        "max_retries": 2,
        "notification_email": None,
        "requirements": Requirements(),
        "attempts": (),
        "at": LATER,
        "actor": "operator",
    }
    return restored(sentinels=sentinels, **(told | changes))


def shown(workset: Workset) -> dict[Sentinel, SentinelBody]:
    """Return the sentinels that a workset's directory has once all is paid."""
    return {sentinel: workset.sentinel_body() for sentinel in workset.posted}


def ended(exit_well: bool) -> Workset:
    """Return a workset after its first attempt."""
    runs = running(a_workset())
    if exit_well:
        return runs.completed(at=NOON, actor="monitor-a")
    failure = Failure(ErrorCategory.DATA, "R2 is missing")
    return runs.failed(failure, at=NOON, actor="monitor-a", policy=POLICY, jitter=0)


@pytest.mark.parametrize(
    ("lost", "state", "attempts"),
    [
        (a_workset(), State.READY, 0),
        (locked(a_workset()), State.IN_PROGRESS, 1),
        (running(a_workset()), State.IN_PROGRESS, 1),
        (ended(exit_well=True), State.COMPLETE, 1),
        (ended(exit_well=False), State.ERROR, 1),
        (a_workset().ignore(by="ada", at=NOON), State.IGNORED, 0),
        (a_workset().request_cancel(by="ada", at=NOON), State.CANCELED, 0),
    ],
)
def test_states_come_back(lost: Workset, state: State, attempts: int) -> None:
    """
    As they were shown. What may have been launched is taken to have been: the engine is asked under
    the same key, and a launch too many would be worse.
    """
    workset = found(shown(settled(lost)))
    assert workset.state is state
    assert len(workset.attempts) == attempts
    assert workset.posted == lost.posted
    assert workset.debts == ()
    assert workset.sequence > lost.sequence - 1
    assert (workset.name, workset.priority, workset.max_retries) == ("trio", Priority.URGENT, 2)
    assert workset.history[-1].actor == "operator"
    assert workset.history[-1].at == LATER


def test_what_ran_runs_on() -> None:
    """The running attempt has its number from the sentinel, and its key is what the engine knows."""
    lock = SentinelBody(NOON, "launching ws-1/3", 9)
    workset = found({Sentinel.IN_PROGRESS: lock, Sentinel.READY: SentinelBody(NOON, "retry due", 8)})
    assert workset.running is not None
    assert workset.attempt_key == "ws-1/3"
    assert [each.number for each in workset.attempts] == [1, 2, 3]
    assert [each.ended_at is None for each in workset.attempts] == [False, False, True]
    assert workset.completed(at=LATER, actor="monitor-a").state is State.COMPLETE


def test_results_tell_of_attempts() -> None:
    """What has left results has run, whatever sentinels say."""
    workset = found({Sentinel.ERROR: SentinelBody(NOON, "it broke", 9)}, attempts=[1, 2])
    assert [each.number for each in workset.attempts] == [1, 2]
    assert workset.attempts[-1].outcome is State.ERROR
    assert workset.failure is not None
    assert workset.failure.message == "it broke"
    assert workset.retry(by="ada", at=LATER).state is State.READY


def test_an_error_without_words() -> None:
    """Something is always told."""
    workset = found({Sentinel.ERROR: SentinelBody(None, "", 9)})
    assert workset.failure is not None
    assert workset.failure.message == "unknown"


def test_lock_alone_is_ready() -> None:
    """Before in_progress stands there, no engine has been asked."""
    workset = found({Sentinel.LOCK: SentinelBody(NOON, "locked by m to launch ws-1/1, token 1", 2)})
    assert (workset.state, workset.attempts) == (State.READY, ())


def test_others_are_remembered() -> None:
    """What others had put beside ours says nothing new."""
    theirs = SentinelBody(NOON, "by an old monitor")
    ours = {Sentinel.COMPLETE: SentinelBody(NOON, "attempt 1 complete", 4)}
    workset = found({**ours, Sentinel.LOCK: theirs})
    assert [each.sentinel for each in workset.known] == [Sentinel.LOCK]
    assert workset.posted == {Sentinel.COMPLETE}


def test_nothing_of_ours() -> None:
    """What others dropped is for discovery."""
    with pytest.raises(ValueError, match="no sentinel there is ours"):
        found({Sentinel.READY: SentinelBody(NOON)})


def test_steps_are_numbered_from_one() -> None:
    """A lock and in_progress that show the same step are one step: else one would be without number."""
    body = SentinelBody(NOON, "locked by m to launch ws-1/1, token 1", 2)
    ready = SentinelBody(NOON, "Initial registration", 1)
    sentinels = {Sentinel.IN_PROGRESS: body, Sentinel.LOCK: body, Sentinel.READY: ready}
    workset = found(sentinels)
    assert [each.state for each in workset.history] == [State.READY, *[State.IN_PROGRESS] * 2]
    assert workset.sequence == len(workset.history)
    late = caught_up(a_workset(), sentinels, attempts=(), at=LATER, actor="operator")
    assert late.sequence == len(late.history) == 3
    assert late.attempt_key == "ws-1/1"


@pytest.mark.parametrize(
    ("detail", "key"),
    [
        ("launching ws-1/3", "ws-1/3"),
        ("ws-1/3 submitted as 4711", "ws-1/3"),
        ("ws-1/3 found at the engine as 4711", "ws-1/3"),
        ("by hand", "ws-1/2"),
    ],
)
def test_what_runs_comes_after_what_has_ended(detail: str, key: str) -> None:
    """Whatever shows it, and in whatever words: the engine is asked for it, and not for another."""
    known = settled(ended(exit_well=False)).retry(by="ada", at=LATER)
    sentinels = {Sentinel.IN_PROGRESS: SentinelBody(NOON, detail, known.sequence + 2)}
    late = caught_up(known, sentinels, attempts=(), at=LATER, actor="operator")
    assert late.running is not None
    assert late.attempt_key == key


@pytest.mark.parametrize(
    ("details", "recorded", "expected"),
    [
        (["Initial registration"], None, "copy"),
        (["attempt 1 complete"], "ws-1", "ws-1"),
        (["Initial registration", "locked by launch x to launch ws-1/12, token 3"], None, "ws-1"),
        (["launching ws-1/1"], "copy", "ws-1"),
        (["launching copy/1"], "ws-1", "copy"),
        (["ws-1/1 submitted as 4711"], None, "ws-1"),
        (["canceled by ada: launching ws-1/1"], None, "copy"),
    ],
)
def test_whose_directory_it_was(details: list[str], recorded: str | None, expected: str) -> None:
    """What our sentinels say of a launch goes before what files say, which may be from elsewhere."""
    bodies = [SentinelBody(NOON, detail, number) for number, detail in enumerate(details, 1)]
    sentinels = dict(zip(reversed(Sentinel), bodies, strict=False))
    sentinels[Sentinel.IGNORE] = SentinelBody(NOON, "launching another/1")
    assert original("copy", sentinels, recorded) == expected
