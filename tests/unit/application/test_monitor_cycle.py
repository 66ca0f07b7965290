"""A cycle: every workset moves one step, and one workset's trouble is nobody else's."""

from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any, ClassVar

import pytest
from tests.unit.application.lab import ADA, Lab, Meanwhile, Unreadable

from daylily.application.monitor_cycle import LOOK_EVERY, OUTAGES
from daylily.application.resting import FIRST, LONGEST, Resting
from daylily.bootstrap import App
from daylily.config import Settings
from daylily.domain.errors import UnavailableError
from daylily.domain.lifecycle import State
from daylily.domain.sentinels import Sentinel
from daylily.domain.workset import DEBT_GRACE, Workset
from daylily.testing.faults import Blow, FaultInjector, Killed
from daylily.testing.samples import NOON


@pytest.fixture
def lab() -> Lab:
    """A world in memory."""
    return Lab()


def locked_by_outage(lab: Lab, app: App) -> Workset:
    """Return a workset that *app* has locked, and whose launch is in doubt."""
    workset = lab.submit()
    lab.compute.go_down()
    app.cycle()
    return lab.get(workset.workset_id)


def test_a_workset_runs_to_its_end(lab: Lab) -> None:
    """One cycle launches, one sees the end, and then there is nothing to do."""
    app = lab.app()
    workset_id = lab.submit().workset_id
    report = app.cycle()
    assert [moved.state for moved in report.moved] == [State.IN_PROGRESS]
    assert app.cycle().idle
    lab.compute.end(f"{workset_id}/1")
    assert [moved.state for moved in app.cycle().moved] == [State.COMPLETE]
    assert app.cycle().idle
    lab.check()


def test_urgent_goes_first_and_no_more_run_than_there_are_slots() -> None:
    """With two slots, the urgent one and the older of the others run; a free slot takes the next."""
    lab = Lab(settings=Settings(store="memory", engine="memory", max_concurrent=2))
    names = {"old": "normal", "new": "normal", "late": "urgent"}
    ids = {}
    for name, priority in names.items():
        ids[name] = lab.submit(name, priority=priority).workset_id
        lab.clock.advance(timedelta(seconds=1))
    app = lab.app()
    for _ in range(2):
        app.cycle()
        assert lab.started() == [f"{ids['late']}/1", f"{ids['old']}/1"]
    lab.compute.end(f"{ids['late']}/1")
    app.cycle()
    assert lab.started()[2:] == [f"{ids['new']}/1"]


def test_a_retry_waits_for_its_time(lab: Lab) -> None:
    """Nothing happens before, and the next attempt starts after."""
    app = lab.app()
    workset_id = lab.submit().workset_id
    app.cycle()
    lab.compute.end(f"{workset_id}/1", exit_code=75)
    app.cycle()
    assert app.cycle().idle
    lab.clock.advance(timedelta(seconds=5))
    states = [moved.state for moved in app.cycle().moved]
    assert states == [State.READY, State.IN_PROGRESS]


def test_overdue_debts_of_the_dead_are_paid(lab: Lab) -> None:
    """Not before the grace is over: the one who wrote them may be about to pay."""
    with pytest.raises(Killed):
        lab.app(FaultInjector(1, Blow.DIES_AFTER, on="store.add")).submit(ADA, "acme", lab.submission())
    (workset,) = lab.worksets()
    lab.store.save(workset.ignore(by="ada", at=lab.clock()))
    app = lab.app()
    assert app.cycle().idle
    lab.clock.advance(DEBT_GRACE)
    assert app.cycle().settled == 1
    lab.check()


def test_overdue_debts_of_what_runs_are_paid_while_it_runs(lab: Lab) -> None:
    """
    A run may take days, and its in_progress may be among the debts.

    The launcher died when it had recorded the launch, before it told anybody.
    """
    workset_id = lab.submit().workset_id
    with pytest.raises(Killed):
        lab.app(FaultInjector(1, Blow.DIES_BEFORE, on="notifier.send")).cycle()
    assert "started" not in lab.sent()
    lab.clock.advance(DEBT_GRACE)
    lab.app().cycle()
    assert lab.get(workset_id).state is State.IN_PROGRESS
    assert "started" in lab.sent()
    lab.check()


def test_overdue_debts_of_a_foreign_run_are_paid_while_it_runs(lab: Lab) -> None:
    """The one who adopted it died before its own files were written."""
    lab.drop("dropped-1", Sentinel.READY, Sentinel.IN_PROGRESS)
    with pytest.raises(Killed):
        lab.app(FaultInjector(1, Blow.DIES_AFTER, on="store.add")).cycle()
    assert lab.get("dropped-1").debts
    lab.clock.advance(DEBT_GRACE)
    lab.app().cycle()
    assert lab.get("dropped-1").foreign_run
    lab.check()


def test_a_channel_that_is_down_is_asked_once_a_cycle(lab: Lab) -> None:
    """Each try may take it long to fail, and who holds a lock has no time for that."""
    down = FaultInjector(1, Blow.OUTAGE_BEFORE, length=1000, on="notifier.send")
    app = lab.app(down)
    for number in range(5):
        app.submit(ADA, "acme", lab.submission(f"number {number}"))
    lab.compute.go_down()  # so that a lock is the last step that is taken
    lab.clock.advance(DEBT_GRACE)
    asked = down.calls.count("notifier.send")
    app.cycle()
    assert down.calls.count("notifier.send") == asked + 1


def test_debts_that_cannot_be_paid_rest(lab: Lab) -> None:
    """They are tried again ever more seldom, and paid when the channel is back."""
    down = FaultInjector(1, Blow.OUTAGE_BEFORE, length=4, on="notifier.send")
    app = lab.app(down)
    app.cancel(ADA, lab.submit().workset_id)
    for _ in range(100):
        lab.clock.advance(timedelta(seconds=2))
        app.cycle()
    assert 3 <= down.calls.count("notifier.send") <= 6
    lab.clock.advance(LONGEST)
    app.cycle()
    lab.check()


def test_an_engine_that_is_away_does_not_lock_the_queue(lab: Lab) -> None:
    """One launch is in doubt; the others stay ready until the engine answers again."""
    lab.compute.go_down()
    app = lab.app()
    for number in range(3):
        lab.submit(f"number {number}")
    for _ in range(10):
        lab.clock.advance(timedelta(seconds=2))
        assert app.cycle().faults
    assert len(lab.queued()) == 2
    lab.compute.come_back()
    app.cycle()
    assert len(lab.started()) == 2


def test_a_launch_in_doubt_is_asked_for_again_without_a_new_lock(lab: Lab) -> None:
    """Each new lock would be a line of history in every cycle of the outage."""
    app = lab.app()
    workset = locked_by_outage(lab, app)
    for _ in range(10):
        lab.clock.advance(timedelta(seconds=2))
        app.cycle()
    assert lab.get(workset.workset_id) == workset
    lab.compute.come_back()
    (running,) = app.cycle().moved
    assert running.state is State.IN_PROGRESS
    assert lab.started() == [f"{workset.workset_id}/1"]


def test_a_launch_in_doubt_whose_lock_ran_out_is_anybodys(lab: Lab) -> None:
    """A new lock is taken then, by whoever comes first; the engine has one job."""
    app = lab.app()
    workset = locked_by_outage(lab, app)
    lab.clock.advance(lab.settings.lock_timeout)
    lab.compute.come_back()
    lab.app().cycle()
    app.cycle()
    app.cycle()
    assert lab.started() == [f"{workset.workset_id}/1"]
    assert lab.get(workset.workset_id).state is State.IN_PROGRESS


def test_a_launch_in_doubt_that_was_canceled_is_let_go(lab: Lab) -> None:
    """The engine heard of the cancel first, so that the submit starts nothing."""
    app = lab.app()
    workset = locked_by_outage(lab, app)
    lab.compute.come_back()
    lab.app().cancel(ADA, workset.workset_id)
    app.cycle()
    app.cycle()
    assert lab.get(workset.workset_id).state is State.CANCELED
    assert lab.started() == []
    lab.check()


def test_an_engine_that_cannot_be_polled_gets_no_new_work(lab: Lab) -> None:
    """What is due besides is attended to all the same."""
    app = lab.app()
    lab.submit("runs")
    app.cycle()
    lab.submit("waits")
    lab.drop("dropped-1", Sentinel.READY)
    lab.compute.go_down()
    report = app.cycle()
    assert report.faults == ["poll: the engine does not answer"]
    assert [moved.workset_id for moved in report.moved] == ["dropped-1"]
    assert len(lab.queued()) == 2


def test_a_directory_that_cannot_be_written_leaves_few_traces(lab: Lab) -> None:
    """It can be read, so each try is a lock and a release: they must not fill the history."""
    workset_id = lab.submit().workset_id
    app = lab.app(FaultInjector(1, Blow.OUTAGE_BEFORE, length=10**6, on="objects.put"))
    for _ in range(600):
        lab.clock.advance(timedelta(seconds=2))
        app.cycle()
    assert len(lab.get(workset_id).history) < 30


def test_a_directory_that_cannot_be_read_does_not_stop_the_queue(lab: Lab) -> None:
    """Even if it is first in the queue, and stays so."""
    settings = Settings(store="memory", engine="memory", max_concurrent=9)
    lab = Lab(settings=settings)
    bad = [lab.submit(f"bad {number}", priority="urgent").workset_id for number in range(OUTAGES + 1)]
    good = lab.submit("good").workset_id
    app = lab.app(Unreadable(*bad))
    report = app.cycle()
    assert len(report.faults) == OUTAGES
    app.cycle()
    assert lab.started() == [f"{good}/1"]


def test_a_workset_that_another_system_holds_costs_next_to_nothing(lab: Lab) -> None:
    """One write, that says what it waits for; and the next in the queue runs."""
    held = lab.submit("held", priority="urgent")
    lab.put(held.workset_id, Sentinel.LOCK, b"2025-06-02T12:00:00Z")
    free = lab.submit("free").workset_id
    app = lab.app()
    for _ in range(5):
        app.cycle()
        lab.clock.advance(timedelta(minutes=1))
    waiting = lab.get(held.workset_id)
    assert (waiting.state, waiting.version) == (State.READY, held.version + 1)
    assert waiting.waits_for is not None
    assert lab.started() == [f"{free}/1"]


def test_a_bug_that_one_workset_brings_to_light_does_not_stop_the_others(lab: Lab) -> None:
    """It would stop every monitor, in every cycle, at that workset; so it is told, and passed over."""
    bad = lab.submit("bad", priority="urgent")
    good = lab.submit("good").workset_id

    def blow_up() -> None:
        raise ZeroDivisionError("a bug")

    report = lab.app(Meanwhile("compute.submit", blow_up)).cycle()
    assert report.faults == [f"{bad.workset_id}: ZeroDivisionError: a bug"]
    assert lab.started() == [f"{good}/1"]


def test_the_death_of_the_process_is_no_trouble_of_a_workset(lab: Lab) -> None:
    """Only what a workset does is passed over; an interrupt ends the cycle."""
    lab.submit()

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lab.app(Meanwhile("compute.submit", interrupt)).cycle()


def test_a_state_store_that_is_away_is_no_empty_queue(lab: Lab) -> None:
    """The cycle raises."""
    with pytest.raises(UnavailableError):
        lab.app(FaultInjector(1, Blow.OUTAGE_BEFORE, on="store.due")).cycle()


def test_a_foreign_run_is_looked_at_until_it_ends(lab: Lab) -> None:
    """Without a write until then, and ever more seldom, down to once in a minute."""
    lab.drop("dropped-1", Sentinel.READY, Sentinel.IN_PROGRESS)
    app = lab.app()
    app.cycle()
    running = lab.get("dropped-1")
    assert app.cycle().idle
    assert lab.get("dropped-1") == running
    lab.put("dropped-1", Sentinel.COMPLETE, b"")
    assert app.cycle().idle
    lab.clock.advance(LOOK_EVERY)
    assert [moved.state for moved in app.cycle().moved] == [State.COMPLETE]
    assert app.cycle().idle


def test_a_step_that_another_has_taken_is_no_fault(lab: Lab) -> None:
    """Another monitor made the retry ready between our look and our write."""
    app = lab.app()
    workset_id = lab.submit().workset_id
    app.cycle()
    lab.compute.end(f"{workset_id}/1", exit_code=75)
    app.cycle()
    lab.clock.advance(timedelta(minutes=1))
    other = lab.app()
    report = lab.app(Meanwhile("store.save", other.cycle)).cycle()
    assert report.faults == []
    assert lab.started() == [f"{workset_id}/1", f"{workset_id}/2"]


def test_the_plan_says_what_a_cycle_would_do(lab: Lab) -> None:
    """Each workset with its step, and nothing is done."""
    app = lab.app()
    lab.drop("foreign-1", Sentinel.READY, Sentinel.IN_PROGRESS)
    runs = lab.submit("runs").workset_id
    app.cycle()
    stopped = lab.submit("stopped")
    lab.store.save(stopped.ignore(by="ada", at=lab.clock()))
    for name, priority in (("first", "urgent"), ("second", "low")):
        lab.submit(name, priority=priority)
    lab.clock.advance(DEBT_GRACE)

    before = lab.worksets()
    plan = {step.workset.name: step.action for step in app.cycle.plan()}
    assert plan == {
        "runs": "poll",
        "foreign-1": "look at what the other system has done",
        "stopped": "pay its debts",
        "first": "launch",
        "second": "wait for a free slot: 2 of 2 are taken",
    }
    lab.compute.end(f"{runs}/1", exit_code=75)
    app.cycle()
    lab.clock.advance(timedelta(minutes=1))
    plan = {step.workset.name: step.action for step in app.cycle.plan()}
    assert plan["runs"] == "make ready again"
    assert before != lab.worksets()


def test_the_plan_tells_of_locks_and_cancels(lab: Lab) -> None:
    """A lock that ran out is to be taken over; a cancel goes before everything else."""
    app = lab.app()
    workset = locked_by_outage(lab, app)
    assert [step.action for step in app.cycle.plan()] == []
    lab.clock.advance(lab.settings.lock_timeout)
    assert [step.action for step in app.cycle.plan()] == ["take over the lock that ran out"]
    app.cancel(ADA, workset.workset_id)
    assert [step.action for step in app.cycle.plan()] == ["cancel at the engine"]


def test_a_rest_doubles_up_to_a_bound() -> None:
    """And is forgotten when it came to something, or when nobody has asked for long."""
    resting = Resting()
    at = NOON
    assert resting.over("a", at)
    lengths = []
    for _ in range(12):
        resting.begin("a", at)
        assert not resting.over("a", at)
        length = next(
            timedelta(seconds=seconds)
            for seconds in range(1, 1000)
            if resting.over("a", at + timedelta(seconds=seconds))
        )
        lengths.append(length)
        at += length
    assert lengths[:3] == [FIRST, FIRST * 2, FIRST * 4]
    assert lengths[-1] == LONGEST
    resting.begin("b", at + LONGEST * 3)
    assert resting.over("a", at)
    resting.begin("b", at + LONGEST * 3)
    resting.end("b")
    assert resting.over("b", at + LONGEST * 3)


class Meddled(datetime):
    """A time that others take their turn at, when it is looked at; one who waits for us is let be."""

    others: ClassVar[list[Thread]]

    def __sub__(self, other: Any) -> Any:
        for each in self.others:
            if not each.ident:
                each.start()
                each.join(0.1)
        return super().__sub__(other)


def test_threads_may_rest_at_once() -> None:
    """As where an outage meets several launches: none stops the cycle, or forgets the others."""
    resting = Resting()
    Meddled.others = [Thread(target=lambda: resting.begin("b", NOON))]
    resting.begin("a", NOON)
    resting.begin("c", Meddled.fromtimestamp(NOON.timestamp(), UTC))
    Meddled.others[0].join()
    assert not any(resting.over(name, NOON) for name in "abc")
