"""Who gives an attempt up may stall for as long as it likes: nothing runs twice or waits for people."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.unit.application.lab import ADA, Lab, Meanwhile
from tests.unit.application.test_races import Actor, Stage
from tests.unit.application.test_settle_launch import in_doubt, take_over, too_slow

from daylily.adapters.memory.compute import InMemoryCompute
from daylily.application.poll_worksets import MISSING_FOR
from daylily.domain.errors import ConcurrentUpdateError, DaylilyError
from daylily.domain.lifecycle import State
from daylily.domain.workset import ABANDONED, Workset
from daylily.ports.compute import Phase
from daylily.testing.faults import Blow, FaultInjector, Killed
from daylily.testing.interleave import Schedule, explore

NEVER = {State.ERROR, State.FAILED}


@pytest.fixture
def lab() -> Lab:
    """A world in memory."""
    return Lab()


def let_go(lab: Lab, workset: Workset, *wrappers: Meanwhile | FaultInjector) -> Workset:
    """Let somebody give up a launch whose lock has run out."""
    app = lab.app(*wrappers)
    return app.cycle.start.let_go(workset, app.cycle.owner, "found by a check of the ledger")


def ends_well(lab: Lab, workset_id: str, *started: int) -> Workset:
    """Let monitors go on until all is over; nobody was needed, and those attempts have run."""
    lab.drain(lab.app(), between=lambda: end_what_runs(lab))
    workset = lab.get(workset_id)
    states = {step.state for step in workset.history}
    assert workset.state is State.COMPLETE, workset.history
    assert not states & NEVER, workset.history
    assert workset.retries_used == 0
    assert lab.started() == [f"{workset_id}/{number}" for number in started]
    lab.check()
    return workset


def end_what_runs(lab: Lab) -> None:
    """Let all jobs succeed."""
    for key, status in lab.compute.all().items():
        if not status.ended:
            lab.compute.end(key)


def heir_goes_on(lab: Lab, workset: Workset) -> Callable[[], object]:
    """Let the lock run out, and a monitor come."""

    def act() -> None:
        lab.clock.advance(lab.settings.lock_timeout)
        lab.app().cycle()
        assert lab.get(workset.workset_id).state in {State.IN_PROGRESS, State.READY}
        lab.app().cycle()
        assert lab.get(workset.workset_id).state is State.IN_PROGRESS

    return act


def test_the_engine_is_not_told_if_an_heir_has_gone_on(lab: Lab) -> None:
    """It stalls before it has noted that it gives up: the heir's launch stands."""
    workset = in_doubt(lab, Blow.OUTAGE_BEFORE)
    calls = FaultInjector()
    with pytest.raises(ConcurrentUpdateError):
        let_go(lab, workset, calls, Meanwhile("compute.status", heir_goes_on(lab, workset)))
    assert "compute.cancel" not in calls.calls
    ends_well(lab, workset.workset_id, 1)


def test_an_heir_does_not_go_on_with_what_is_given_up(lab: Lab) -> None:
    """It stalls between the note and the engine: the heir gives it up, too, and launches the next."""
    workset = in_doubt(lab, Blow.OUTAGE_BEFORE)
    with pytest.raises(ConcurrentUpdateError):
        let_go(lab, workset, Meanwhile("compute.cancel", heir_goes_on(lab, workset)))
    ended = ends_well(lab, workset.workset_id, 2)
    assert [each.job for each in ended.attempts] == [ABANDONED, f"{workset.workset_id}/2"]


def test_who_dies_before_the_engine_is_told_leaves_nothing_undone(lab: Lab) -> None:
    """The note stays; whoever takes the lock over tells the engine."""
    workset = in_doubt(lab, Blow.OUTAGE_BEFORE)
    with pytest.raises(Killed):
        let_go(lab, workset, FaultInjector(1, Blow.DIES_BEFORE, on="compute.cancel"))
    assert lab.get(workset.workset_id).gives_up
    lab.clock.advance(lab.settings.lock_timeout)
    ends_well(lab, workset.workset_id, 2)


def test_a_submit_that_comes_between_look_and_word_is_stopped_and_replaced(lab: Lab) -> None:
    """
    The launcher of old wakes up in that very moment, and its job has started when the word comes.

    It is nobody's fault, so it uses up no retry, and waits for nobody.
    """
    workset = in_doubt(lab, Blow.OUTAGE_BEFORE)
    job = lab.app().cycle.start.job(workset)
    late = Meanwhile("compute.cancel", lambda: lab.compute.submit(job))
    found = take_over(lab, workset, too_slow(lab), late)
    assert (found.state, found.gives_up) == (State.IN_PROGRESS, True)
    lab.app().cycle()
    replaced = lab.get(workset.workset_id)
    assert (replaced.state, replaced.retries_used) == (State.RETRYING, 0)
    assert "given up" in replaced.history[-1].reason
    ends_well(lab, workset.workset_id, 1, 2)


def missing(lab: Lab) -> tuple[Workset, str, Callable[[], None]]:
    """Return a workset whose job has been missing for long, the job's key, and what lets it turn up."""
    workset = lab.submit()
    lab.app().cycle()
    key = f"{workset.workset_id}/1"
    hidden = lab.compute._entries.pop(key)
    lab.app().cycle()
    lab.clock.advance(MISSING_FOR)
    return workset, key, lambda: lab.compute._entries.update({key: hidden})


class Slow(InMemoryCompute):
    """An engine whose jobs take their time to stop."""

    def cancel(self, key: str) -> None:
        """Stop a job, at the next word."""
        if self._entries.get(key) is not None and key not in self.told:
            self.told.add(key)
            return
        super().cancel(key)

    @property
    def told(self) -> set[str]:
        """Return the keys that it was told to stop."""
        return self.__dict__.setdefault("told_once", set())  # type: ignore[no-any-return]


def test_nothing_is_launched_beside_a_job_that_is_stopping(lab: Lab) -> None:
    """A job that was missing turns up as it is given up: its successor waits until it has stopped."""
    lab.compute = Slow(lab.clock, duration=None)
    workset, key, turns_up = missing(lab)
    lab.app(Meanwhile("compute.cancel", turns_up)).cycle()
    stopping = lab.get(workset.workset_id)
    assert (stopping.state, stopping.gives_up) == (State.IN_PROGRESS, True)
    assert lab.compute.status([key])[key].phase is Phase.RUNNING
    assert "it is being stopped" in lab.app().explain(ADA, workset.workset_id).text
    lab.app().cycle()
    assert lab.get(workset.workset_id).state is State.RETRYING
    ends_well(lab, workset.workset_id, 1, 2)


def test_a_missing_job_that_turns_up_is_not_left_to_a_slow_monitor(lab: Lab) -> None:
    """It stalls before the engine; others see the job run on, and do not take its stop for an end."""
    workset, _, turns_up = missing(lab)

    def seen() -> None:
        turns_up()
        lab.app().cycle()
        assert lab.get(workset.workset_id).state is State.RETRYING

    lab.app(Meanwhile("compute.cancel", seen)).cycle()
    ends_well(lab, workset.workset_id, 1, 2)


def test_a_missing_job_that_ends_well_meanwhile_has_ended_well(lab: Lab) -> None:
    """Its end turns up before it could be stopped: what is done is done."""
    workset, key, turns_up = missing(lab)

    def ends() -> None:
        turns_up()
        lab.compute.end(key)

    lab.app(Meanwhile("compute.cancel", ends)).cycle()
    ends_well(lab, workset.workset_id, 1)


def a_stalled_heir(schedule: Schedule) -> None:
    """Two heirs, of whom one gives up, and a lock's time that passes at any point of theirs."""
    stage = Stage(schedule)
    workset = in_doubt(stage.lab, Blow.OUTAGE_BEFORE)
    app = stage.lab.app(stage.interleaving)

    def gives_up() -> None:
        app.cycle.start.let_go(workset, "giver", "found by a check of the ledger")

    actors: dict[str, Actor] = {
        "giver": gives_up,
        "heir": stage.monitor(1),
        "clock": stage.passing_time(stage.lab.settings.lock_timeout),
    }
    outcomes = stage.run(actors)
    assert isinstance(outcomes["giver"].error, DaylilyError | None)
    found = stage.lab.get(workset.workset_id)
    story = "\n".join([*stage.interleaving.log, *map(str, found.history)])
    assert found.state is State.COMPLETE, story
    assert found.retries_used == 0, story
    assert not {step.state for step in found.history} & NEVER, story


@pytest.mark.load
def test_a_stalled_heir_under_any_schedule() -> None:
    """Nothing runs twice, nothing waits for a person, wherever the turn is taken from one of them."""
    assert explore(a_stalled_heir, switches=1, limit=150) > 30


def test_time_is_on_nobodys_side(lab: Lab) -> None:
    """The lock runs out just as the engine is asked: as nobody has taken it, its holder goes on."""
    workset = in_doubt(lab, Blow.OUTAGE_BEFORE)
    slow = Meanwhile("compute.status", lambda: lab.clock.advance(timedelta(hours=1)))
    assert let_go(lab, workset, slow).state is State.READY
    ends_well(lab, workset.workset_id, 2)
