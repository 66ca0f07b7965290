"""Locks for those who run worksets by other means: monitors stay away, and nobody is left with one."""

from datetime import timedelta
from typing import Final

import pytest
from tests.unit.application.lab import ADA, Lab, Meanwhile

from daylily.domain.errors import (
    ConcurrentUpdateError,
    IllegalTransitionError,
    LockHeldError,
    NotFoundError,
    UnavailableError,
)
from daylily.domain.lifecycle import State
from daylily.domain.sentinels import Sentinel, projection
from daylily.testing.faults import Blow, FaultInjector

HOUR: Final = timedelta(hours=1)


@pytest.fixture
def lab() -> Lab:
    """A world in memory, with one workset that is ready."""
    return Lab()


@pytest.fixture
def workset_id(lab: Lab) -> str:
    """The id of a workset that is ready."""
    return lab.submit().workset_id


def test_a_lock_is_shown_and_keeps_monitors_away(lab: Lab, workset_id: str) -> None:
    """For as long as was said, and no longer: then whoever was to run it has died."""
    locked = lab.app().lock(workset_id, "worker-1", HOUR)

    assert locked == lab.get(workset_id)
    assert (locked.state, locked.debts) == (State.LOCKED, ())
    assert lab.ours(workset_id).keys() == projection(State.LOCKED)
    lab.clock.advance(HOUR - timedelta(seconds=1))
    assert lab.app().cycle().moved == []
    lab.clock.advance(timedelta(seconds=1))
    assert [each.state for each in lab.app().cycle().moved] == [State.IN_PROGRESS]


def test_the_owner_may_renew(lab: Lab, workset_id: str) -> None:
    """And has it for longer."""
    lab.app().lock(workset_id, "worker-1", HOUR)
    lab.clock.advance(HOUR / 2)
    again = lab.app().lock(workset_id, "worker-1", HOUR)
    assert again.lock is not None
    assert again.lock.expires_at == lab.clock() + HOUR


def test_a_lock_that_is_held_costs_one_question(lab: Lab, workset_id: str) -> None:
    """Who loses has looked at the store, and at nothing else."""
    lab.app().lock(workset_id, "worker-1", HOUR)
    counting = FaultInjector()
    with pytest.raises(LockHeldError, match="worker-1"):
        lab.app(counting).lock(workset_id, "worker-2", HOUR)
    assert counting.calls == ["store.get"]


def test_of_two_at_once_one_has_it(lab: Lab, workset_id: str) -> None:
    """The other hears that it has been taken."""
    meanwhile = Meanwhile("store.save", lambda: lab.app().lock(workset_id, "worker-1", HOUR))
    with pytest.raises(ConcurrentUpdateError):
        lab.app(meanwhile).lock(workset_id, "worker-2", HOUR)
    lock = lab.get(workset_id).lock
    assert lock is not None
    assert lock.owner == "worker-1"


@pytest.mark.parametrize("sentinel", [Sentinel.LOCK, Sentinel.IN_PROGRESS, Sentinel.IGNORE])
def test_what_another_system_has_is_not_locked(lab: Lab, workset_id: str, sentinel: Sentinel) -> None:
    """Its sentinel stays, and what it says is taken over if it is a fact."""
    lab.put(workset_id, sentinel, b"theirs")
    with pytest.raises(LockHeldError, match="another system"):
        lab.app().lock(workset_id, "worker-1", HOUR)
    assert lab.get(workset_id).lock is None
    assert lab.folder(workset_id).sentinels[sentinel].detail == "theirs"


def test_another_system_that_is_faster_has_it(lab: Lab, workset_id: str) -> None:
    """Its lock came between our look and our own: ours is given back."""
    theirs = Meanwhile("objects.put", lambda: lab.put(workset_id, Sentinel.LOCK, b"theirs"))
    with pytest.raises(LockHeldError, match=r"daylily\.lock"):
        lab.app(theirs).lock(workset_id, "worker-1", HOUR)
    assert lab.get(workset_id).state is State.READY
    assert lab.folder(workset_id).sentinels[Sentinel.LOCK].detail == "theirs"


def test_a_lock_that_cannot_be_shown_is_given_back(lab: Lab, workset_id: str) -> None:
    """Monitors of old see nothing but the directory."""
    away = FaultInjector(1, Blow.OUTAGE_BEFORE, length=99, on="objects.put")
    with pytest.raises(UnavailableError, match="cannot be written"):
        lab.app(away).lock(workset_id, "worker-1", HOUR)
    assert lab.get(workset_id).state is State.READY


def test_only_what_waits_can_be_locked(lab: Lab, workset_id: str) -> None:
    """Not what runs, has ended, or was never there."""
    with pytest.raises(NotFoundError):
        lab.app().lock("unheard-of", "worker-1", HOUR)
    lab.app().cycle()
    with pytest.raises(IllegalTransitionError):
        lab.app().lock(workset_id, "worker-1", HOUR)
    lab.compute.end(f"{workset_id}/1")
    lab.app().cycle()
    with pytest.raises(IllegalTransitionError):
        lab.app().lock(workset_id, "worker-1", HOUR)


def test_a_lock_is_given_back_by_its_owner_alone(lab: Lab, workset_id: str) -> None:
    """Then the workset is ready, and so its directory says."""
    lab.app().lock(workset_id, "worker-1", HOUR)
    with pytest.raises(LockHeldError, match="not locked by worker-2"):
        lab.app().lock.release(workset_id, "worker-2")
    assert lab.app().lock.release(workset_id, "worker-1").state is State.READY
    lab.check()
    with pytest.raises(LockHeldError):
        lab.app().lock.release(workset_id, "worker-1")


def test_a_lock_on_what_is_to_be_canceled_ends_in_the_cancel(lab: Lab, workset_id: str) -> None:
    """Giving it back does not put it into the queue again."""
    lab.app().lock(workset_id, "worker-1", HOUR)
    lab.app().cancel(ADA, workset_id)
    assert lab.app().lock.release(workset_id, "worker-1").state is State.LOCKED
    lab.app().cycle()
    assert lab.get(workset_id).state is State.CANCELED
