"""Monitors, people and an old monitor at the same time: under no schedule does a workset run twice."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest
from attrs import define, field, frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.application.lab import ADA, PREFIX, Lab

from daylily.bootstrap import App
from daylily.domain.errors import ConflictError
from daylily.domain.lifecycle import State
from daylily.domain.sentinels import Sentinel
from daylily.domain.workset import Workset
from daylily.ports.compute import Phase
from daylily.testing.interleave import (
    Drawn,
    Interleaving,
    Late,
    Mishap,
    Outcome,
    Schedule,
    explore,
)

Actor = Callable[[], object]

OLD_PATIENCE = timedelta(seconds=30)


@define
class Stage:
    """One world, and the actors of one schedule on it."""

    schedule: Schedule
    lab: Lab = field(factory=Lab)
    interleaving: Interleaving = field(init=False)
    old_runs: list[str] = field(init=False, factory=list)
    """Worksets that the old monitor has run."""

    def __attrs_post_init__(self) -> None:
        self.interleaving = Interleaving(self.schedule, self.lab.clock)

    def monitor(self, cycles: int = 2) -> Actor:
        """Return a monitor of its own process."""
        app = self.lab.app(self.interleaving)

        def act() -> None:
            for _ in range(cycles):
                app.cycle()

        return act

    def person(self, wish: Callable[[App], object]) -> Actor:
        """Return somebody who asks for something once."""
        app = self.lab.app(self.interleaving)
        return lambda: wish(app)

    def passing_time(self, duration: timedelta) -> Actor:
        """Return nobody: it makes *duration* pass at any point of the others."""
        return lambda: self.interleaving.sleep(duration)

    def ending_jobs(self, times: int = 1, *, exit_code: int = 0) -> Actor:
        """Return the engine: it lets running jobs end at some point."""

        def act() -> None:
            for _ in range(times):
                self.interleaving.pause("jobs end")
                self.end_jobs(exit_code)

        return act

    def end_jobs(self, exit_code: int = 0) -> None:
        """Let all jobs that run end."""
        for key in self.lab.started():
            if self.lab.compute.status([key])[key].phase is Phase.RUNNING:
                self.lab.compute.end(key, exit_code=exit_code)

    def old_monitor(self, workset_id: str) -> Actor:
        """Return a monitor of old, step by step as contract 2.6 has it."""
        objects = self.interleaving.wrap(self.lab.objects, "old.objects")
        directory = f"{PREFIX}{workset_id}/"

        def sentinels() -> set[str]:
            names = {key.removeprefix(directory) for key in objects.entries(directory).items}
            return names & set(Sentinel)

        def act() -> None:
            snapshot = sentinels()
            decisive = {Sentinel.IGNORE, Sentinel.COMPLETE, Sentinel.ERROR, Sentinel.IN_PROGRESS}
            if snapshot & decisive or Sentinel.READY not in snapshot:
                return
            objects.put(directory + Sentinel.LOCK, b"2025-06-02T12:00:00Z")
            self.interleaving.sleep(OLD_PATIENCE)
            if sentinels() - snapshot - {Sentinel.LOCK}:
                objects.delete(directory + Sentinel.LOCK)
                return
            objects.put(directory + Sentinel.IN_PROGRESS, b"2025-06-02T12:00:30Z")
            self.old_runs.append(workset_id)
            self.interleaving.sleep(timedelta(hours=1))
            objects.put(directory + Sentinel.COMPLETE, b"2025-06-02T13:00:30Z")

        return act

    def run(self, actors: Mapping[str, Actor]) -> Mapping[str, Outcome]:
        """Run the actors, let a new monitor tidy up, and check what must never happen."""
        outcomes = self.interleaving.run(actors)
        self.lab.drain(self.lab.app(), between=self.end_jobs)
        for workset in self.lab.worksets():
            self.check(workset)
        return outcomes

    def check(self, workset: Workset) -> None:
        """Assert what holds under every schedule."""
        story = "\n".join([*self.interleaving.log, *map(str, workset.history)])
        try:
            self.lab.check()
        except AssertionError as error:
            raise AssertionError(f"{error}\n{story}") from None
        keys = [key for key in self.lab.started() if key.startswith(f"{workset.workset_id}/")]
        assert max(Counter(keys).values(), default=0) <= 1, story
        assert len(keys) == sum(attempt.ran for attempt in workset.attempts), story
        for earlier, later in zip(workset.attempts, workset.attempts[1:], strict=False):
            assert earlier.ended_at is not None, story
            assert earlier.ended_at <= later.started_at, story
        states = [transition.state for transition in workset.history]
        for last in (State.COMPLETE, State.CANCELED):
            assert last not in states[:-1], story
        events = Counter(event.event_id for event in self.lab.notifier.sent)
        kinds = Counter(event_id.rpartition("-")[2] for event_id in events)
        assert max(kinds[kind] for kind in ("complete", "canceled", "registered")) <= 1, story


def state_after(stage: Stage, workset_id: str) -> State:
    """Return where the workset ended."""
    return stage.lab.get(workset_id).state


def two_monitors(schedule: Schedule) -> None:
    """Both look for work at the same time."""
    stage = Stage(schedule)
    workset_id = stage.lab.submit().workset_id
    stage.run({"a": stage.monitor(1), "b": stage.monitor(1)})
    assert stage.lab.started() == [f"{workset_id}/1"]
    assert state_after(stage, workset_id) is State.COMPLETE
    assert stage.lab.sent() == ["registered", "started", "complete"]


def two_monitors_and_jobs_that_fail(schedule: Schedule) -> None:
    """Both look at the same jobs, and one of these ends in something transient."""
    stage = Stage(schedule)
    workset_id = stage.lab.submit().workset_id
    stage.lab.app().cycle()
    stage.end_jobs(exit_code=75)
    stage.run(
        {
            "a": stage.monitor(),
            "b": stage.monitor(),
            "clock": stage.passing_time(timedelta(seconds=5)),
        }
    )
    assert stage.lab.started() == [f"{workset_id}/1", f"{workset_id}/2"]
    assert state_after(stage, workset_id) is State.COMPLETE


def a_monitor_and_a_cancel(schedule: Schedule) -> None:
    """Somebody cancels while a monitor launches."""
    stage = Stage(schedule)
    workset_id = stage.lab.submit().workset_id
    outcomes = stage.run(
        {"monitor": stage.monitor(), "ada": stage.person(lambda app: app.cancel(ADA, workset_id))}
    )
    assert outcomes["ada"].error is None
    assert state_after(stage, workset_id) is State.CANCELED
    assert "complete" not in stage.lab.sent()


def a_cancel_and_a_job_that_ends(schedule: Schedule) -> None:
    """Somebody cancels while the job ends: complete or canceled, and never both."""
    stage = Stage(schedule)
    workset_id = stage.lab.submit().workset_id
    stage.lab.app().cycle()
    outcomes = stage.run(
        {
            "monitor": stage.monitor(),
            "ada": stage.person(lambda app: app.cancel(ADA, workset_id)),
            "engine": stage.ending_jobs(),
        }
    )
    ended = state_after(stage, workset_id)
    assert ended in {State.COMPLETE, State.CANCELED}
    if outcomes["ada"].error is not None:
        assert ended is State.COMPLETE


def a_monitor_and_a_retry(schedule: Schedule) -> None:
    """Somebody asks for a retry, twice at once, while a monitor looks for work."""
    stage = Stage(schedule)
    workset_id = stage.lab.submit().workset_id
    app = stage.lab.app()
    app.cycle()
    stage.end_jobs(exit_code=1)
    app.cycle()
    outcomes = stage.run(
        {
            "monitor": stage.monitor(),
            "ada": stage.person(lambda app: app.retry(ADA, workset_id)),
            "bob": stage.person(lambda app: app.retry(ADA, workset_id)),
        }
    )
    errors = [outcomes[name].error for name in ("ada", "bob")]
    assert sum(error is None for error in errors) == 1
    assert any(isinstance(error, ConflictError) for error in errors)
    assert stage.lab.started() == [f"{workset_id}/1", f"{workset_id}/2"]
    assert state_after(stage, workset_id) is State.COMPLETE


def a_stalled_monitor(schedule: Schedule) -> None:
    """A stalls anywhere for longer than its lock lasts, B takes over, A wakes up."""
    stage = Stage(schedule)
    workset_id = stage.lab.submit().workset_id
    stage.run(
        {
            "a": stage.monitor(1),
            "b": stage.monitor(1),
            "clock": stage.passing_time(stage.lab.settings.lock_timeout),
        }
    )
    assert stage.lab.started() == [f"{workset_id}/1"]
    assert state_after(stage, workset_id) is State.COMPLETE


def a_stalled_monitor_and_a_short_job(schedule: Schedule) -> None:
    """A stalls, B takes over, the job fails and is tried again, and A wakes up at any point of it."""
    stage = Stage(schedule)
    workset_id = stage.lab.submit().workset_id

    def busy() -> None:
        app = stage.lab.app()  # B's own steps are not interleaved: there is enough to explore
        for exit_code in (75, 0):
            stage.lab.clock.advance(stage.lab.patience())
            for _ in range(2):
                app.cycle()
            stage.interleaving.pause("b has launched")
            stage.end_jobs(exit_code)
            app.cycle()
            stage.interleaving.pause("b has seen the end")

    stage.run({"a": stage.monitor(1), "b": busy})
    assert stage.lab.started() == [f"{workset_id}/1", f"{workset_id}/2"]
    assert state_after(stage, workset_id) is State.COMPLETE


def a_stalled_monitor_and_a_cancel(schedule: Schedule) -> None:
    """A stalls, the workset is canceled and another monitor has seen it through, A wakes up."""
    stage = Stage(schedule)
    workset_id = stage.lab.submit().workset_id

    def cancels() -> None:
        app = stage.lab.app()
        app.cancel(ADA, workset_id)
        stage.interleaving.pause("canceled")
        app.cycle()

    stage.run({"a": stage.monitor(1), "ada": cancels})
    assert state_after(stage, workset_id) is State.CANCELED
    running = stage.lab.compute.status(stage.lab.started()).values()
    assert all(status.phase is Phase.CANCELED for status in running)


def a_monitor_and_an_old_one(schedule: Schedule) -> None:
    """A monitor of old, which does not look at our lock, wants the same workset."""
    stage = Stage(schedule)
    workset_id = stage.lab.submit().workset_id
    stage.run({"new": stage.monitor(), "old": stage.old_monitor(workset_id)})
    assert len(stage.old_runs) + len(stage.lab.started()) == 1, stage.interleaving.log
    assert state_after(stage, workset_id) is State.COMPLETE


def two_monitors_and_an_old_one(schedule: Schedule) -> None:
    """As before, with two of ours; while the old one runs, locks run out."""
    stage = Stage(schedule)
    workset_id = stage.lab.submit().workset_id
    stage.run(
        {
            "a": stage.monitor(1),
            "b": stage.monitor(1),
            "old": stage.old_monitor(workset_id),
        }
    )
    assert len(stage.old_runs) + len(stage.lab.started()) == 1, stage.interleaving.log
    assert state_after(stage, workset_id) is State.COMPLETE


@frozen
class Stalls:
    """Mishaps of one actor, who stalls before its *nth* call of a name."""

    actor: str
    call: str
    by: timedelta
    calls: list[str] = field(factory=list)
    nth: int = 1

    def befalls(self, actor: str, call: str) -> Mishap | None:
        """See Mishaps.befalls."""
        if (actor, call) != (self.actor, self.call):
            return None
        self.calls.append(call)
        return Late(self.by) if len(self.calls) == self.nth else None


def a_slow_monitor_and_an_old_one(schedule: Schedule) -> None:
    """A monitor stalls before it shows that it will launch, for longer than the old one waits."""
    stage = Stage(schedule)
    longer = OLD_PATIENCE + timedelta(seconds=1)
    stage.interleaving.mishaps = Stalls("new", "objects.put", longer, nth=2)
    workset_id = stage.lab.submit().workset_id
    stage.run({"new": stage.monitor(), "old": stage.old_monitor(workset_id)})
    assert len(stage.old_runs) + len(stage.lab.started()) == 1, stage.interleaving.log
    assert state_after(stage, workset_id) is State.COMPLETE


def submission_and_discovery(schedule: Schedule) -> None:
    """A monitor comes upon the directory of a workset that is being submitted."""
    stage = Stage(schedule)
    submission = stage.lab.submission()
    outcomes = stage.run(
        {
            "ada": stage.person(lambda app: app.submit(ADA, "acme", submission)),
            "monitor": stage.monitor(2),
        }
    )
    assert outcomes["ada"].error is None
    (workset,) = stage.lab.worksets()
    assert (workset.submitted_by, workset.customer_id) == ("ada", "acme")
    assert len(stage.lab.started()) == 1


def two_discoveries(schedule: Schedule) -> None:
    """Two monitors come upon the same directory."""
    stage = Stage(schedule)
    stage.lab.drop("dropped-1", Sentinel.READY)
    stage.run({"a": stage.monitor(1), "b": stage.monitor(1)})
    assert stage.lab.started() == ["dropped-1/1"]
    assert stage.lab.sent() == ["registered", "started", "complete"]


RACES = (
    two_monitors,
    two_monitors_and_jobs_that_fail,
    a_monitor_and_a_cancel,
    a_cancel_and_a_job_that_ends,
    a_monitor_and_a_retry,
    a_stalled_monitor,
    a_stalled_monitor_and_a_short_job,
    a_stalled_monitor_and_a_cancel,
    a_monitor_and_an_old_one,
    two_monitors_and_an_old_one,
    a_slow_monitor_and_an_old_one,
    submission_and_discovery,
    two_discoveries,
)


@pytest.mark.load
@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
def test_every_schedule_of_one_switch(race: Callable[[Schedule], None]) -> None:
    """Wherever one takes the turn from the other once, the invariants hold."""
    assert explore(race, switches=1) > 10


@pytest.mark.load
@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
def test_schedules_of_two_switches(race: Callable[[Schedule], None]) -> None:
    """Wherever one takes the turn from the other and back, the invariants hold; others are drawn."""
    assert explore(race, switches=2, limit=800) > 30


@settings(max_examples=150, deadline=None)
@given(race=st.sampled_from(RACES), numbers=st.lists(st.integers(0, 11), max_size=150))
def test_drawn_schedules(race: Callable[[Schedule], None], numbers: list[int]) -> None:
    """However often the turn is taken, the invariants hold."""
    race(Drawn(numbers))
