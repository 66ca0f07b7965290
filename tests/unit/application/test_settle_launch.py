"""A lock that ran out, and nobody to go on with it: nothing is ready before the engine was asked."""

from datetime import timedelta

import pytest
from attrs import evolve
from tests.unit.application.lab import ADA, Lab, Meanwhile

from daylily.bootstrap import App
from daylily.domain.errors import (
    ConflictError,
    LockHeldError,
    RejectedError,
    UnavailableError,
)
from daylily.domain.lifecycle import State
from daylily.domain.sentinels import Sentinel
from daylily.domain.workset import ABANDONED, REFUSED, Workset
from daylily.ports.compute import Phase
from daylily.testing.faults import Blow, FaultInjector


@pytest.fixture
def lab() -> Lab:
    """A world in memory."""
    return Lab()


def in_doubt(lab: Lab, blow: Blow) -> Workset:
    """Return a workset whose launcher was struck at its submit, and whose lock has run out."""
    workset = lab.submit()
    app = lab.app(FaultInjector(1, blow, on="compute.submit"))
    with pytest.raises(UnavailableError):
        app.cycle.start(workset, app.cycle.owner)
    lab.clock.advance(lab.settings.lock_timeout)
    return lab.get(workset.workset_id)


def take_over(lab: Lab, workset: Workset, *wrappers: Meanwhile | FaultInjector) -> Workset:
    """Let another monitor take the lock over."""
    app = lab.app(*wrappers)
    return app.cycle.start(workset, app.cycle.owner)


def too_slow(lab: Lab) -> Meanwhile:
    """Let half a minute pass just before in_progress is posted."""
    return Meanwhile("objects.browse", lambda: lab.clock.advance(timedelta(seconds=30)))


def test_a_launch_that_took_place_is_found_whatever_is_in_the_way(lab: Lab) -> None:
    """
    Whoever takes the lock over is too slow to launch; but the engine has the attempt already.

    Were it made ready, it could be canceled, or taken by another system, while it runs.
    """
    workset = in_doubt(lab, Blow.OUTAGE_AFTER)
    found = take_over(lab, workset, too_slow(lab))
    assert (found.state, len(found.attempts)) == (State.IN_PROGRESS, 1)
    assert found.attempts[0].ran
    lab.check()


def test_a_submit_that_comes_late_starts_nothing(lab: Lab) -> None:
    """The launcher stalls, another gives its attempt up, and the submit arrives after all."""
    workset = lab.submit()
    timeout = lab.settings.lock_timeout

    def overtaken() -> None:
        lab.clock.advance(timeout)
        given_up = take_over(lab, lab.get(workset.workset_id), too_slow(lab))
        assert given_up.state is State.READY
        assert "given up: too slow to launch safely" in given_up.history[-1].reason

    with pytest.raises(ConflictError):
        take_over(lab, workset, Meanwhile("compute.submit", overtaken))

    assert lab.started() == []
    (never,) = lab.get(workset.workset_id).attempts
    assert (never.job, never.ran, never.outcome) == (ABANDONED, False, State.CANCELED)
    lab.app().cycle()
    assert lab.started() == [f"{workset.workset_id}/2"]
    lab.check()


def test_what_is_given_up_keeps_what_its_next_attempt_is_for(lab: Lab) -> None:
    """A retry of some samples, asked for by a person, stays what it is."""
    workset = in_doubt(lab, Blow.OUTAGE_BEFORE)
    asked = evolve(workset, retry_requested_by="ada", retry_only=("NA12878",))
    stored = lab.store.save(asked)
    given_up = take_over(lab, stored, too_slow(lab))
    assert given_up.state is State.READY
    assert given_up.retry_requested_by == "ada"


def test_an_engine_that_falls_silent_is_asked_again(lab: Lab) -> None:
    """It was told never to run the attempt, and did not say whether it heard: the next one asks."""
    workset = in_doubt(lab, Blow.OUTAGE_BEFORE)
    silent = FaultInjector(3, Blow.OUTAGE_BEFORE, on="compute.status")
    with pytest.raises(UnavailableError):
        take_over(lab, workset, too_slow(lab), silent)
    lab.clock.advance(lab.settings.lock_timeout)
    again = take_over(lab, lab.get(workset.workset_id))
    assert (again.state, [each.job for each in again.attempts]) == (State.READY, [ABANDONED])
    assert lab.started() == []


def test_files_that_are_missing_do_not_hide_a_launch(lab: Lab) -> None:
    """What is owed cannot be copied any more, yet the engine has the attempt."""
    workset = in_doubt(lab, Blow.OUTAGE_AFTER)
    lab.put(workset.workset_id, Sentinel.LOCK, b"theirs")
    assert take_over(lab, workset).state is State.IN_PROGRESS


def test_a_cancel_of_what_was_given_up_leaves_nothing_running(lab: Lab) -> None:
    """Canceled while it was ready: nothing has run, and nothing will."""
    workset = in_doubt(lab, Blow.OUTAGE_BEFORE)
    take_over(lab, workset, too_slow(lab))
    lab.app().cancel(ADA, workset.workset_id)
    assert lab.get(workset.workset_id).state is State.CANCELED
    key = f"{workset.workset_id}/1"
    assert lab.compute.status([key])[key].phase is Phase.CANCELED


def test_a_worker_gets_a_lock_that_ran_out_once_the_engine_says_so(lab: Lab) -> None:
    """Whoever held it may have been about to launch it: now that cannot come any more."""
    workset = in_doubt(lab, Blow.OUTAGE_BEFORE)
    locked = lab.app().lock(workset.workset_id, "worker", timedelta(hours=1))
    assert locked.lock is not None
    assert (locked.lock.owner, locked.attempt_key) == ("worker", f"{workset.workset_id}/2")


def test_a_worker_does_not_get_what_was_launched(lab: Lab) -> None:
    """The engine has it, and so it is recorded."""
    workset = in_doubt(lab, Blow.OUTAGE_AFTER)
    with pytest.raises(LockHeldError, match="was launched"):
        lab.app().lock(workset.workset_id, "worker", timedelta(hours=1))
    assert lab.get(workset.workset_id).state is State.IN_PROGRESS


def test_nothing_is_made_ready_on_an_engine_that_forgets(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was told never to run the attempt, and knows nothing of it: then it may yet be run."""
    workset = in_doubt(lab, Blow.OUTAGE_BEFORE)
    monkeypatch.setattr(type(lab.compute), "cancel", lambda self, key: None)
    with pytest.raises(UnavailableError, match="says nothing"):
        take_over(lab, workset, too_slow(lab))
    assert lab.get(workset.workset_id).state is State.LOCKED


def seized(lab: Lab) -> tuple[App, Workset]:
    """Let a worker seize a lock that ran out, while the engine, which has the attempt, is away."""
    workset = in_doubt(lab, Blow.OUTAGE_AFTER)
    app = lab.app()
    lab.compute.go_down()
    with pytest.raises(UnavailableError):
        app.lock(workset.workset_id, "ada", timedelta(hours=1))
    return app, lab.get(workset.workset_id)


def test_a_worker_who_asks_again_is_not_given_what_was_launched(lab: Lab) -> None:
    """The lock is the worker's already; yet what became of the launch is to be settled still."""
    app, workset = seized(lab)
    with pytest.raises(UnavailableError):
        app.lock(workset.workset_id, "ada", timedelta(hours=1))
    lab.compute.come_back()
    with pytest.raises(LockHeldError, match="was launched"):
        app.lock(workset.workset_id, "ada", timedelta(hours=1))
    assert lab.get(workset.workset_id).state is State.IN_PROGRESS


def test_a_worker_cannot_begin_what_may_have_been_launched(lab: Lab) -> None:
    """It holds the lock, and never learned whether the attempt runs."""
    app, workset = seized(lab)
    with pytest.raises(LockHeldError, match="may have been launched"):
        app.tell(ADA, workset.workset_id, State.IN_PROGRESS, "runs it by hand")


@pytest.mark.parametrize("said", [False, True], ids=["released", "said to be ready"])
def test_what_may_have_been_launched_is_not_made_ready_by_a_release(lab: Lab, said: bool) -> None:
    """It could be canceled on the spot then, while it runs: a monitor settles it first."""
    app, workset = seized(lab)
    if said:
        app.tell(ADA, workset.workset_id, State.READY, "not now")
    else:
        app.lock.release(workset.workset_id, "ada")
    released = lab.get(workset.workset_id)
    assert (released.state, released.lock and released.lock.expired(lab.clock())) == (
        State.LOCKED,
        True,
    )
    lab.compute.come_back()
    lab.app().cycle()
    assert lab.get(workset.workset_id).state is State.IN_PROGRESS
    lab.check()


def test_a_refusal_does_not_end_what_a_slow_launcher_may_yet_launch(lab: Lab) -> None:
    """
    An heir's settings ask for more than there is; those of the launcher before it did not.

    Were the heir's refusal the end of the attempt, the slow one's job would run although its workset is
    in error, and beside the one of the next attempt.
    """
    workset = lab.submit()

    def overtaken() -> None:
        lab.clock.advance(lab.settings.lock_timeout)
        lab.compute.reject(workset.attempt_key)
        assert take_over(lab, lab.get(workset.workset_id)).state is State.ERROR
        lab.compute._rejected.clear()

    with pytest.raises(ConflictError):
        take_over(lab, workset, Meanwhile("compute.submit", overtaken))
    assert lab.started() == []
    refused = lab.get(workset.workset_id)
    assert refused.state is State.ERROR
    assert "cannot run it" in refused.history[-1].reason
    assert [each.job for each in refused.attempts] == [REFUSED]
    lab.app().retry(ADA, workset.workset_id)
    lab.app().cycle()
    assert lab.started() == [f"{workset.workset_id}/2"]


def test_a_refusal_does_not_hide_that_a_slow_launcher_was_faster(lab: Lab) -> None:
    """Its job is there by the time that the heir's is refused: then it is the attempt's."""
    workset = in_doubt(lab, Blow.OUTAGE_BEFORE)
    job = lab.app().cycle.start.job(workset)

    def refused() -> None:
        lab.compute.submit(job)  # the slow one's gets through just now
        raise RejectedError("this engine cannot run it")

    found = take_over(lab, workset, Meanwhile("compute.submit", refused))
    assert found.state is State.IN_PROGRESS
    lab.check()
