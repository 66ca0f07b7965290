"""Launching: once, whoever else wants it, and never under the hands of another system."""

from datetime import timedelta

import pytest
from attrs import evolve
from tests.unit.application.lab import ADA, PREFIX, Lab, Meanwhile

from daylily.application.start_workset import LAUNCH_WINDOW
from daylily.domain.errors import ConflictError, LockHeldError, UnavailableError
from daylily.domain.lifecycle import State
from daylily.domain.retry import ErrorCategory
from daylily.domain.sentinels import Sentinel
from daylily.domain.workset import Workset
from daylily.testing.faults import Blow, FaultInjector


@pytest.fixture
def lab() -> Lab:
    """A world in memory."""
    return Lab()


def start(lab: Lab, workset: Workset, *wrappers: FaultInjector | Meanwhile) -> Workset:
    """Let a new App, as of another monitor, launch *workset*."""
    app = lab.app(*wrappers)
    return app.cycle.start(workset, app.cycle.owner)


def left_locked(lab: Lab) -> Workset:
    """Return a workset whose launcher died before it asked the engine; its lock has run out."""
    workset = lab.submit()
    with pytest.raises(UnavailableError):
        start(lab, workset, FaultInjector(1, Blow.OUTAGE_BEFORE, on="compute.submit"))
    lab.clock.advance(lab.settings.lock_timeout)
    return lab.get(workset.workset_id)


def test_a_launch_shows_itself_before_the_engine_is_asked(lab: Lab) -> None:
    """Lock and in_progress stand before submit: an old monitor gives up when it sees the latter."""
    workset = lab.submit()
    seen: list[set[Sentinel]] = []
    look = Meanwhile("compute.submit", lambda: seen.append(set(lab.ours(workset.workset_id))))
    running = start(lab, workset, look)
    assert seen == [{Sentinel.READY, Sentinel.LOCK, Sentinel.IN_PROGRESS}]
    assert (running.state, running.lock) == (State.IN_PROGRESS, None)
    assert lab.get(workset.workset_id) == running
    lab.check()


def test_a_job_is_made_of_checked_values(lab: Lab) -> None:
    """The argument vector names the workset's own places; each attempt has its own results."""
    workset = lab.submit()
    start(lab, workset)
    (job,) = lab.compute.submitted
    assert job.key == f"{workset.workset_id}/1"
    assert job.directory == f"memory://{PREFIX}{workset.workset_id}"
    assert f"{job.directory}/results/attempt-1" in job.arguments


def test_the_lock_of_another_is_respected(lab: Lab) -> None:
    """Until it has run out."""
    workset = lab.submit()
    with pytest.raises(UnavailableError):
        start(lab, workset, FaultInjector(1, Blow.OUTAGE_BEFORE, on="compute.submit"))
    with pytest.raises(LockHeldError):
        start(lab, lab.get(workset.workset_id))
    lab.clock.advance(lab.settings.lock_timeout)
    assert start(lab, lab.get(workset.workset_id)).state is State.IN_PROGRESS
    assert lab.started() == [f"{workset.workset_id}/1"]


def test_what_the_engine_refuses_needs_a_person(lab: Lab) -> None:
    """It is no use to ask again; the reason is told, and nothing of the launch is left."""
    workset = lab.submit()
    lab.compute.reject(f"{workset.workset_id}/1")
    refused = start(lab, workset)
    assert refused.state is State.ERROR
    assert refused.failure is not None
    assert refused.failure.category is ErrorCategory.CONFIGURATION
    lab.check()


def test_a_pipeline_that_is_gone_needs_a_person(lab: Lab) -> None:
    """The workset was stored when there was one of that name."""
    workset = lab.submit()
    gone = lab.store.save(evolve(workset, manifest=evolve(workset.manifest, pipeline="gone")))
    assert start(lab, gone).state is State.ERROR
    assert lab.started() == []


@pytest.mark.parametrize("sentinel", [Sentinel.LOCK, Sentinel.IN_PROGRESS])
def test_what_another_system_holds_is_left_to_it(lab: Lab, sentinel: Sentinel) -> None:
    """No launch; and while it only holds the lock, no step: the workset says what it waits for."""
    workset = lab.submit()
    lab.put(workset.workset_id, sentinel, b"2025-06-02T12:00:00Z")
    left = start(lab, workset)
    assert left.state is (State.READY if sentinel is Sentinel.LOCK else State.IN_PROGRESS)
    assert lab.started() == []
    if sentinel is Sentinel.LOCK:
        assert lab.get(workset.workset_id).history == workset.history
        assert left.waits_for == (
            "another system holds daylily.lock since 2025-06-02T12:00:00Z;"
            " it counts no more from 2025-06-02T13:00:00Z on"
        )


def test_a_lock_of_another_system_that_comes_first_wins(lab: Lab) -> None:
    """It came between our look and our own: we back off, and take away what is ours alone."""
    workset = lab.submit()
    theirs = Meanwhile("store.save", lambda: lab.put(workset.workset_id, Sentinel.LOCK, b"theirs"))
    left = start(lab, workset, theirs)
    assert (left.state, left.history[-1].reason) == (
        State.READY,
        "another system holds daylily.lock",
    )
    assert lab.folder(workset.workset_id).sentinels[Sentinel.LOCK].detail == "theirs"
    assert set(lab.ours(workset.workset_id)) == {Sentinel.READY}


def test_another_system_that_runs_it_already_wins(lab: Lab) -> None:
    """Its in_progress came between our lock and ours."""
    workset = lab.submit()

    def theirs() -> None:
        lab.put(workset.workset_id, Sentinel.IN_PROGRESS, b"theirs")

    left = start(lab, workset, Meanwhile("objects.put", theirs, nth=2))
    assert (left.state, left.history[-1].reason) == (State.READY, "another system runs it")
    assert lab.started() == []


def test_a_slow_launcher_starts_again(lab: Lab) -> None:
    """What takes longer than an old monitor waits is not launched: it may be at it by now."""
    workset = lab.submit()
    slow = Meanwhile("objects.put", lambda: lab.clock.advance(LAUNCH_WINDOW), nth=2)
    left = start(lab, workset, slow)
    assert (left.state, left.history[-1].reason) == (State.READY, "too slow to launch safely")
    assert lab.started() == []
    lab.check()


def test_a_directory_that_cannot_be_written_is_not_launched_from(lab: Lab) -> None:
    """An old monitor would not see that we are at it."""
    workset = lab.submit()
    left = start(lab, workset, FaultInjector(1, Blow.OUTAGE_BEFORE, on="objects.put"))
    assert (left.state, left.history[-1].reason) == (State.READY, "the directory cannot be written")
    assert lab.started() == []


def test_a_launch_whose_record_was_lost_is_found(lab: Lab) -> None:
    """The launcher died after the engine took the job: whoever takes the lock over gets that job."""
    workset = lab.submit()
    with pytest.raises(UnavailableError):
        start(lab, workset, FaultInjector(1, Blow.OUTAGE_AFTER, on="compute.submit"))
    lab.clock.advance(lab.settings.lock_timeout)
    assert start(lab, lab.get(workset.workset_id)).state is State.IN_PROGRESS
    assert lab.started() == [f"{workset.workset_id}/1"]
    lab.check()


def test_a_lock_that_ran_out_under_another_system_is_let_go(lab: Lab) -> None:
    """The engine never had the attempt, so it is theirs."""
    workset = left_locked(lab)
    lab.put(workset.workset_id, Sentinel.COMPLETE, b"2025-06-02T12:00:00Z")
    assert start(lab, workset).state is State.READY
    assert start(lab, lab.get(workset.workset_id)).state is State.COMPLETE
    assert lab.started() == []


def test_a_lock_that_ran_out_over_a_job_of_ours_is_a_launch(lab: Lab) -> None:
    """The engine has the attempt: whatever others put there since, it is ours."""
    workset = lab.submit()
    with pytest.raises(UnavailableError):
        start(lab, workset, FaultInjector(1, Blow.OUTAGE_AFTER, on="compute.submit"))
    lab.clock.advance(lab.settings.lock_timeout)
    lab.put(workset.workset_id, Sentinel.LOCK, b"theirs")
    found = start(lab, lab.get(workset.workset_id))
    assert (found.state, len(found.attempts)) == (State.IN_PROGRESS, 1)


def test_a_late_launcher_leaves_no_sentinel_after_a_cancel(lab: Lab) -> None:
    """
    A cancel was seen through while the launcher stalled.

    Its in_progress would stand there for ever, since nobody looks after what has ended.
    """
    workset = lab.submit()

    def cancel() -> None:
        app = lab.app()
        app.cancel(ADA, workset.workset_id)
        app.cycle()

    with pytest.raises(ConflictError):
        start(lab, workset, Meanwhile("objects.put", cancel, nth=2))
    assert lab.get(workset.workset_id).state is State.CANCELED
    lab.check()


def test_a_launcher_with_an_old_hint_posts_nothing(lab: Lab) -> None:
    """What it was told of has been canceled since: its ready is missing for a reason."""
    workset = lab.submit()
    lab.app().cancel(ADA, workset.workset_id)
    with pytest.raises(ConflictError):
        start(lab, workset)
    lab.check()


def test_time_goes_on(lab: Lab) -> None:
    """The lock is taken for as long as the settings say, from the moment of the launch."""
    workset = lab.submit()
    with pytest.raises(UnavailableError):
        start(lab, workset, FaultInjector(1, Blow.OUTAGE_BEFORE, on="compute.submit"))
    lock = lab.get(workset.workset_id).lock
    assert lock is not None
    assert lock.expires_at - lab.clock() == lab.settings.lock_timeout > timedelta(0)
