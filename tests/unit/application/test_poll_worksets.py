"""Polling: what the engine says of an attempt becomes the workset's story, once."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.application.lab import ADA, Lab

from daylily.adapters.memory.compute import InMemoryCompute
from daylily.application.poll_worksets import MESSAGE_LENGTH, MISSING_FOR, OUTAGES, PollWorksets
from daylily.domain.errors import UnavailableError
from daylily.domain.lifecycle import State
from daylily.domain.retry import ErrorCategory
from daylily.domain.workset import Progress, Workset
from daylily.ports.compute import JobStatus, Phase
from daylily.testing.faults import Blow, FaultInjector


@pytest.fixture
def lab() -> Lab:
    """A world in memory."""
    return Lab()


def launched(lab: Lab, name: str = "trio") -> Workset:
    """Return a workset that runs."""
    workset_id = lab.submit(name).workset_id
    lab.app().cycle()
    return lab.get(workset_id)


def locked(lab: Lab) -> Workset:
    """Return a workset whose launcher died just before it would have asked the engine."""
    workset_id = lab.submit().workset_id
    lab.compute.go_down()
    lab.app().cycle()
    lab.compute.come_back()
    return lab.get(workset_id)


def poll(lab: Lab) -> PollWorksets:
    """Return the use case of a new App."""
    return lab.app().cycle.poll


def test_what_succeeded_is_complete(lab: Lab) -> None:
    """The workset has moved, and the directory says so."""
    workset = launched(lab)
    lab.compute.end(f"{workset.workset_id}/1")
    (moved,) = poll(lab)([workset])
    assert moved.state is State.COMPLETE
    lab.check()


def test_what_runs_stays_as_it_is(lab: Lab) -> None:
    """No news is no write."""
    workset = launched(lab)
    assert poll(lab)([workset]) == ()
    assert lab.get(workset.workset_id) == workset


def test_progress_is_noted_once(lab: Lab) -> None:
    """It is no move; the same progress again is no write."""
    workset = launched(lab)
    lab.compute.report(f"{workset.workset_id}/1", Progress(3, 10))
    assert poll(lab)([workset]) == ()
    noted = lab.get(workset.workset_id)
    assert noted.progress == Progress(3, 10)
    assert poll(lab)([noted]) == ()
    assert lab.get(workset.workset_id) == noted


@pytest.mark.parametrize(
    ("exit_code", "state"), [(1, State.ERROR), (75, State.RETRYING), (137, State.RETRYING)]
)
def test_what_failed_is_for_the_policy(lab: Lab, exit_code: int, state: State) -> None:
    """The exit code says whether it is tried again; the engine's words are kept, up to a length."""
    workset = launched(lab)
    lab.compute.end(f"{workset.workset_id}/1", exit_code=exit_code, message="x" * 5000)
    (moved,) = poll(lab)([workset])
    assert moved.state is state
    assert moved.failure is not None
    assert moved.failure.message == "x" * MESSAGE_LENGTH
    assert moved.failure.exit_code == exit_code


def test_a_failure_without_words_has_its_exit_code(lab: Lab) -> None:
    """Something is always told."""
    workset = launched(lab)
    lab.compute.end(f"{workset.workset_id}/1", exit_code=2)
    (moved,) = poll(lab)([workset])
    assert moved.failure is not None
    assert moved.failure.message == "exit code 2"


def test_what_the_engine_lost_is_tried_again(lab: Lab) -> None:
    """It answers, and for minutes has no record of the job: there will be no news of it."""
    workset = launched(lab)
    lab.compute = InMemoryCompute(lab.clock)
    assert poll(lab)([workset]) == ()
    lab.clock.advance(MISSING_FOR)
    # By any monitor, also by one that has just been started.
    (moved,) = poll(lab)([lab.get(workset.workset_id)])
    assert moved.state is State.RETRYING
    assert moved.failure is not None
    assert moved.failure.category is ErrorCategory.TRANSIENT


def test_what_the_engine_forgot_for_a_while_goes_on(lab: Lab) -> None:
    """A record that turns up again is believed, and what was missing is forgotten."""
    workset = launched(lab)
    engine, lab.compute = lab.compute, InMemoryCompute(lab.clock)
    poll(lab)([workset])
    lab.clock.advance(MISSING_FOR - timedelta(seconds=1))
    missing = lab.get(workset.workset_id)
    assert poll(lab)([missing]) == ()
    assert missing.missing_since is not None
    lab.compute = engine
    assert poll(lab)([missing]) == ()
    found = lab.get(workset.workset_id)
    assert (found.state, found.missing_since) == (State.IN_PROGRESS, None)
    lab.compute.end(workset.attempt_key)
    assert [each.state for each in poll(lab)([found])] == [State.COMPLETE]


def test_a_clock_that_was_put_back_gives_nothing_up(lab: Lab) -> None:
    """What seems to be missing since a time to come is missing since now."""
    workset = launched(lab)
    lab.compute = InMemoryCompute(lab.clock)
    poll(lab)([workset])
    lab.clock.put_back(timedelta(days=1))
    for _ in range(2):
        assert poll(lab)([lab.get(workset.workset_id)]) == ()
        assert lab.get(workset.workset_id).missing_since == lab.clock()
    lab.clock.advance(MISSING_FOR)
    assert len(poll(lab)([lab.get(workset.workset_id)])) == 1


def test_what_was_given_up_does_not_run_beside_its_successor(lab: Lab) -> None:
    """Should the engine find the job again, it finds with it that it is to stop."""
    workset = launched(lab)
    lab.compute = InMemoryCompute(lab.clock)
    poll(lab)([workset])
    lab.clock.advance(MISSING_FOR)
    poll(lab)([lab.get(workset.workset_id)])
    late = lab.compute.status([workset.attempt_key])[workset.attempt_key]
    assert late.phase is Phase.CANCELED


def test_a_job_that_is_missing_is_as_good_as_canceled(lab: Lab) -> None:
    """Whoever asked for a cancel need not wait: the engine has heard of it, and runs nothing."""
    workset = launched(lab)
    lab.compute = InMemoryCompute(lab.clock)
    asked = lab.app().cancel(ADA, workset.workset_id)
    (moved,) = poll(lab)([asked])
    assert moved.state is State.CANCELED


class Forgetful(InMemoryCompute):
    """An engine that keeps no record of anything."""

    def status(self, keys: Collection[str]) -> Mapping[str, JobStatus]:
        """See Compute.status."""
        return {}


def test_a_cancel_of_which_the_engine_has_no_record(lab: Lab) -> None:
    """It has been told to stop, and knows of nothing that runs: there is nothing to wait for."""
    workset = launched(lab)
    asked = lab.app().cancel(ADA, workset.workset_id)
    lab.compute = Forgetful(lab.clock)
    (moved,) = poll(lab)([asked])
    assert moved.state is State.CANCELED


def test_it_ended_when_the_engine_says(lab: Lab) -> None:
    """However late a monitor looks; but neither before it began nor in the future."""
    workset = launched(lab)
    began = workset.attempts[-1].started_at
    lab.clock.advance(timedelta(minutes=1))
    lab.compute.end(workset.attempt_key)
    lab.clock.advance(timedelta(hours=1))
    (moved,) = poll(lab)([workset])
    assert moved.attempts[-1].ended_at == began + timedelta(minutes=1)
    assert moved.updated_at == lab.clock()
    now = lab.clock()
    for told, taken in ((began - timedelta(hours=1), began), (now + timedelta(hours=1), now)):
        ended = workset.completed(at=now, actor="m", ended_at=told)
        assert ended.attempts[-1].ended_at == taken


def test_what_somebody_canceled_at_the_engine_needs_a_person(lab: Lab) -> None:
    """Nobody asked us, so it is no cancel of ours; and it is not tried again by itself."""
    workset = launched(lab)
    lab.compute.cancel(f"{workset.workset_id}/1")
    (moved,) = poll(lab)([workset])
    assert moved.state is State.ERROR
    assert moved.failure is not None
    assert moved.failure.message == "canceled at the engine"


def test_a_cancel_that_the_engine_did_not_hear_is_asked_for_again(lab: Lab) -> None:
    """The engine was away when the person asked; the poll sees it through."""
    workset = launched(lab)
    lab.compute.go_down()
    asked = lab.app().cancel(ADA, workset.workset_id)
    assert asked.cancel is not None
    with pytest.raises(UnavailableError):
        poll(lab)([asked])
    lab.compute.come_back()
    (moved,) = poll(lab)([asked])
    assert moved.state is State.CANCELED


def test_a_cancel_before_the_launch_leaves_no_attempt(lab: Lab) -> None:
    """The engine never had it, and will not start it any more."""
    workset = locked(lab)
    asked = lab.app().cancel(ADA, workset.workset_id)
    (moved,) = poll(lab)([asked])
    assert (moved.state, moved.attempts) == (State.CANCELED, ())
    assert lab.started() == []


def test_a_cancel_in_the_middle_of_a_launch_records_the_attempt(lab: Lab) -> None:
    """The engine started it before it heard of the cancel: what ran, and has a log, is on record."""
    workset_id = lab.submit().workset_id
    lab.app(FaultInjector(1, Blow.OUTAGE_AFTER, on="compute.submit")).cycle()
    asked = lab.app().cancel(ADA, workset_id)
    assert asked.state is State.LOCKED

    (found,) = poll(lab)([asked])
    assert (found.state, len(found.attempts)) == (State.IN_PROGRESS, 1)
    (moved,) = poll(lab)([found])
    assert moved.state is State.CANCELED
    assert [attempt.outcome for attempt in moved.attempts] == [State.CANCELED]
    lab.check()


def test_one_that_has_moved_on_does_not_stop_the_others(lab: Lab) -> None:
    """Another monitor recorded the end of the first one already."""
    first, second = launched(lab, "first"), launched(lab, "second")
    for workset in (first, second):
        lab.compute.end(f"{workset.workset_id}/1")
    poll(lab)([first])
    (moved,) = poll(lab)([first, second])
    assert moved.workset_id == second.workset_id
    lab.check()


def test_what_an_engine_forgets_even_when_told_to_stop_it_is_lost(lab: Lab) -> None:
    """There is no more to be done about it, and nothing to wait for."""
    workset = launched(lab)
    lab.compute = Forgetful(lab.clock)
    poll(lab)([workset])
    lab.clock.advance(MISSING_FOR)
    (moved,) = poll(lab)([lab.get(workset.workset_id)])
    assert moved.state is State.RETRYING


class Denying(InMemoryCompute):
    """An engine that lets nobody stop a job."""

    def cancel(self, key: str) -> None:
        """See Compute.cancel."""
        raise UnavailableError(f"{key}: permission denied")


def test_a_job_that_cannot_be_stopped_keeps_nobody_from_going_on(lab: Lab) -> None:
    """One is canceled and runs on, another ends, a third waits: only the first is stuck."""
    lab.compute = Denying(lab.clock, duration=None)
    stuck, ends = launched(lab, "stuck"), launched(lab, "ends")
    lab.app().cancel(ADA, stuck.workset_id)
    lab.compute.end(ends.attempt_key)
    waits = lab.submit("waits").workset_id
    report = lab.app().cycle()
    assert report.faults == [f"{stuck.workset_id}: {stuck.attempt_key}: permission denied"]
    states = {each.name: each.state for each in lab.worksets()}
    assert states == {
        "stuck": State.IN_PROGRESS,
        "ends": State.COMPLETE,
        "waits": State.IN_PROGRESS,
    }
    assert lab.get(waits).running
    lab.compute.end(stuck.attempt_key)
    assert lab.app().cycle().faults == []
    assert lab.get(stuck.workset_id).state is State.COMPLETE


def test_a_stop_that_was_not_heard_of_cancels_nothing(lab: Lab) -> None:
    """The engine has no record of the job, and was not told to remember that it is to stop."""
    workset = launched(lab)
    asked = lab.app().cancel(ADA, workset.workset_id)
    lab.compute = Denying(lab.clock)
    with pytest.raises(UnavailableError, match="permission denied"):
        poll(lab)([asked])
    assert lab.get(workset.workset_id).state is State.IN_PROGRESS


def test_an_engine_that_hears_of_no_stop_is_not_told_of_each(lab: Lab) -> None:
    """Each may take it long to fail; and how jobs stand is asked for after."""
    asked = []
    for number in range(OUTAGES + 2):
        workset = launched(lab, f"number {number}")
        asked.append(lab.app().cancel(ADA, workset.workset_id))
    lab.compute = InMemoryCompute(lab.clock, duration=None)
    down = FaultInjector(1, Blow.OUTAGE_BEFORE, length=100, on="compute.cancel")
    told: list[str] = []
    engine = lab.app(down).cycle.poll
    assert engine(asked, failed=lambda workset, _: told.append(workset.name)) == ()
    assert down.calls.count("compute.cancel") == OUTAGES
    assert sorted(told) == [each.name for each in asked]


def test_a_fault_that_one_brings_to_light_stops_no_other(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug of ours, say: it is told, and its workset stays as it is."""
    odd, plain = launched(lab, "odd"), launched(lab, "plain")
    for workset in (odd, plain):
        lab.compute.end(workset.attempt_key)
    complete = Workset.completed

    def completed(self: Workset, **named: Any) -> Workset:
        if self.name == "odd":
            raise TypeError("a bug")
        return complete(self, **named)

    monkeypatch.setattr(Workset, "completed", completed)
    report = lab.app().cycle()
    assert report.faults == [f"{odd.workset_id}: TypeError: a bug"]
    assert lab.get(plain.workset_id).state is State.COMPLETE
