"""What others say of a workset: believed as far as the domain has a step for it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import pytest
from attrs import evolve
from tests.unit.application.lab import ADA, Lab

from daylily.bootstrap import App
from daylily.domain.customers import Principal
from daylily.domain.errors import (
    IllegalTransitionError,
    InvalidInputError,
    LockHeldError,
    NotFoundError,
)
from daylily.domain.lifecycle import State
from daylily.domain.sentinels import Sentinel
from daylily.domain.workset import Workset

WORKER: Final = Principal(name="worker-1", customer_id="acme", operator=True)
HOUR: Final = timedelta(hours=1)


@pytest.fixture
def lab() -> Lab:
    """A world in memory."""
    return Lab()


@pytest.fixture
def workset_id(lab: Lab) -> str:
    """The id of a workset that is ready."""
    return lab.submit().workset_id


@pytest.fixture
def tell(lab: Lab, workset_id: str) -> Callable[..., Workset]:
    """Say something of the workset, each time through an App of its own."""

    def say(state: State, reason: str = "so it is", who: Principal = WORKER) -> Workset:
        return lab.app().tell(who, workset_id, state, reason)

    return say


Say = Callable[..., Workset]


def test_a_worker_runs_it_by_other_means(lab: Lab, workset_id: str, tell: Say) -> None:
    """From the lock to the end: the directory shows each step, and no engine of ours is asked."""
    lab.app().lock(workset_id, "worker-1", HOUR)
    assert tell(State.IN_PROGRESS, "on node 7").foreign_run
    assert lab.ours(workset_id).keys() == {Sentinel.READY, Sentinel.LOCK, Sentinel.IN_PROGRESS}
    lab.clock.advance(lab.patience())
    assert lab.app().cycle().moved == []

    assert tell(State.COMPLETE).history[-1].reason == "so it is"
    lab.check()
    assert lab.started() == []
    assert lab.sent() == ["registered", "started", "complete"]


def test_who_has_no_lock_may_begin_too(lab: Lab, workset_id: str, tell: Say) -> None:
    """Of those who say so at once, one is believed: it is a compare-and-set."""
    assert tell(State.IN_PROGRESS).foreign_run
    assert Sentinel.IN_PROGRESS in lab.ours(workset_id)
    with pytest.raises(IllegalTransitionError, match="in_progress already"):
        tell(State.IN_PROGRESS)


def test_the_lock_of_another_is_respected(lab: Lab, workset_id: str, tell: Say) -> None:
    """Only its owner says what has become of it."""
    lab.app().lock(workset_id, "worker-2", HOUR)
    for state in (State.IN_PROGRESS, State.READY):
        with pytest.raises(LockHeldError, match="not locked by worker-1"):
            tell(state)
    with pytest.raises(IllegalTransitionError):
        tell(State.COMPLETE)


def test_a_lock_can_be_told_back(lab: Lab, workset_id: str, tell: Say) -> None:
    """As workers of old do, rather than release it."""
    lab.app().lock(workset_id, "worker-1", HOUR)
    assert tell(State.READY).lock is None
    lab.check()


def test_an_error_is_for_people(lab: Lab, tell: Say) -> None:
    """It can be made ready again, and then a monitor runs it."""
    tell(State.IN_PROGRESS)
    failed = tell(State.ERROR, "disk full")
    assert failed.failure is not None
    assert failed.failure.message == "disk full"
    assert lab.sent()[-1] == "error"
    assert tell(State.READY, "there is room now").history[-1].reason == "there is room now"
    assert [each.state for each in lab.app().cycle().moved] == [State.IN_PROGRESS]


def test_what_our_engine_is_at_only_it_can_say(lab: Lab, tell: Say) -> None:
    """A late worker of old changes nothing (D-04)."""
    lab.app().cycle()
    for state in (State.COMPLETE, State.ERROR, State.IN_PROGRESS, State.READY, State.IGNORED):
        with pytest.raises(IllegalTransitionError):
            tell(state)


def test_complete_never_runs_again(tell: Say) -> None:
    """Whatever is said of it (D-01, D-04)."""
    tell(State.COMPLETE)
    for state in (State.READY, State.IN_PROGRESS, State.ERROR, State.IGNORED, State.CANCELED):
        with pytest.raises(IllegalTransitionError):
            tell(state)
    assert tell(State.ARCHIVED).archived_from is State.COMPLETE
    assert tell(State.DELETED).state is State.DELETED


def test_people_put_it_aside_and_back(lab: Lab, tell: Say) -> None:
    """Ignored, it is in no queue."""
    assert tell(State.IGNORED).state is State.IGNORED
    assert lab.queued() == ()
    assert tell(State.READY).state is State.READY
    lab.check()


def test_a_cancel_reaches_the_engine(lab: Lab, workset_id: str, tell: Say) -> None:
    """It is recorded once the engine has stopped."""
    lab.app().cycle()
    assert tell(State.CANCELED, "wrong samples").cancel is not None
    lab.app().cycle()
    assert lab.get(workset_id).state is State.CANCELED
    assert lab.get(workset_id).history[-1].reason == "canceled by worker-1: wrong samples"


@pytest.mark.parametrize("state", [State.LOCKED, State.RETRYING, State.FAILED])
def test_some_states_are_not_for_anybody_to_say(lab: Lab, tell: Say, state: State) -> None:
    """The message says what to do instead; nothing is written (D-14)."""
    before = lab.worksets()
    with pytest.raises(InvalidInputError, match=f"cannot be set to {state}: "):
        tell(state)
    assert lab.worksets() == before


def test_of_what_a_caller_may_not_see_there_is_nothing_to_say(
    lab: Lab, workset_id: str, tell: Say
) -> None:
    """Another customer's workset is not there."""
    stranger = evolve(ADA, customer_id="other")
    for state in (State.COMPLETE, State.CANCELED):
        with pytest.raises(NotFoundError, match=workset_id):
            tell(state, who=stranger)


def test_the_directory_can_be_left_to_monitors(lab: Lab, workset_id: str) -> None:
    """The step is stored with what it owes; whoever comes by pays."""
    app: App = lab.app()
    app.tell(WORKER, workset_id, State.COMPLETE, "all well", directory=False)
    assert lab.ours(workset_id).keys() == {Sentinel.READY}
    lab.clock.advance(lab.patience())
    app.cycle()
    lab.check()
