"""People's hands, and those of other systems, in the directories of worksets (contract 2.3, 2.4)."""

from datetime import timedelta

import pytest
from tests.unit.application.lab import ADA, PREFIX, Lab, Meanwhile, Unreadable

from daylily.application.monitor_cycle import LOOK_EVERY, OUTAGES
from daylily.application.others import LOCK_TIMEOUT
from daylily.application.watch_ended import AT_ONCE, ROUND
from daylily.bootstrap import App
from daylily.config import Settings
from daylily.domain.customers import Principal
from daylily.domain.lifecycle import State
from daylily.domain.sentinels import Sentinel
from daylily.domain.workset import RUN_GONE_GRACE, Workset
from daylily.testing.faults import Blow, FaultInjector, Killed

BO = Principal(name="bo", customer_id="ops", operator=True)
OLD = b"2025-06-01T08:00:00.123456Z"
"""A body as old monitors write it."""


CYCLES = 4
"""Within which a monitor comes to all that is due once in a minute."""


@pytest.fixture
def lab() -> Lab:
    """A world in memory."""
    return Lab()


@pytest.fixture
def app(lab: Lab) -> App:
    """A monitor, and everything else."""
    return lab.app()


def running(lab: Lab, app: App) -> Workset:
    """Return a workset that an engine of ours is at."""
    workset_id = lab.submit().workset_id
    app.cycle()
    return lab.get(workset_id)


def look(lab: Lab, app: App, wait: timedelta = LOOK_EVERY) -> None:
    """Let a monitor have its turn when every look is due: a few cycles, since looks take turns."""
    lab.clock.advance(wait)
    for _ in range(CYCLES):
        app.cycle()
        lab.clock.advance(timedelta(seconds=2))


def in_error(lab: Lab, app: App, *, exit_code: int = 1) -> Workset:
    """Return a workset whose first attempt has ended in error."""
    workset = running(lab, app)
    lab.compute.end(f"{workset.workset_id}/1", exit_code=exit_code)
    app.cycle()
    return lab.get(workset.workset_id)


def adopted_error(lab: Lab, app: App) -> Workset:
    """Return a workset that an old monitor has run in vain, and left as old monitors do."""
    lab.drop(
        "dropped-1",
        *(Sentinel.READY, Sentinel.LOCK, Sentinel.IN_PROGRESS, Sentinel.ERROR),
        body=OLD + b"\tno disk",
    )
    app.cycle()
    workset = lab.get("dropped-1")
    assert workset.state is State.ERROR
    return workset


# daylily.ignore


def test_ignore_holds_what_is_queued_and_its_removal_lets_it_go(lab: Lab, app: App) -> None:
    """Nobody launches it while it is held; then it runs, without a trace of the pause."""
    workset_id = lab.submit().workset_id
    lab.put(workset_id, Sentinel.IGNORE, b"by hand")
    app.cycle()
    assert (lab.get(workset_id).state, lab.get(workset_id).held) == (State.IGNORED, True)
    assert lab.ours(workset_id) == {}
    lab.remove(workset_id, Sentinel.IGNORE)
    look(lab, app)
    assert lab.started() == [f"{workset_id}/1"]
    assert [step.reason for step in lab.get(workset_id).history[1:3]] == [
        "daylily.ignore found: by hand",
        "daylily.ignore is gone",
    ]
    lab.check()


def test_ignore_stops_what_runs_and_its_removal_starts_it_anew(lab: Lab, app: App) -> None:
    """The engine stops the attempt; the next one is a new one, and may complete."""
    workset = running(lab, app)
    lab.put(workset.workset_id, Sentinel.IGNORE, b"")
    look(lab, app)
    held = lab.get(workset.workset_id)
    assert (held.state, held.held) == (State.IGNORED, True)
    assert [attempt.outcome for attempt in held.attempts] == [State.CANCELED]
    look(lab, app)
    assert lab.get(workset.workset_id) == held
    lab.remove(workset.workset_id, Sentinel.IGNORE)
    look(lab, app)
    lab.compute.end(f"{workset.workset_id}/2")
    app.cycle()
    assert lab.get(workset.workset_id).state is State.COMPLETE
    assert "canceled" not in lab.sent()
    lab.check()


def test_ignore_that_is_taken_away_before_the_engine_has_stopped(lab: Lab, app: App) -> None:
    """The stop is on its way; after it the workset is ready again, not held for ever."""
    workset = running(lab, app)
    lab.put(workset.workset_id, Sentinel.IGNORE, b"")
    look(lab, app)
    lab.remove(workset.workset_id, Sentinel.IGNORE)
    look(lab, app)
    look(lab, app)
    assert lab.started() == [f"{workset.workset_id}/1", f"{workset.workset_id}/2"]


def test_what_ends_before_its_ignore_is_seen_has_ended(lab: Lab, app: App) -> None:
    """A result is a result."""
    workset = running(lab, app)
    lab.compute.end(f"{workset.workset_id}/1")
    lab.put(workset.workset_id, Sentinel.IGNORE, b"")
    look(lab, app)
    assert lab.get(workset.workset_id).state is State.COMPLETE
    look(lab, app)
    assert lab.get(workset.workset_id).state is State.COMPLETE


def test_ignore_holds_what_waits_for_its_retry(lab: Lab, app: App) -> None:
    """At the latest when its time has come; at once if somebody asks for a look."""
    workset = in_error(lab, app, exit_code=75)
    assert workset.state is State.RETRYING
    lab.put(workset.workset_id, Sentinel.COMPLETE, b"")
    assert app.sync(workset).adopted is None
    lab.put(workset.workset_id, Sentinel.IGNORE, b"")
    assert app.sync(workset).adopted is State.IGNORED
    assert lab.get(workset.workset_id).retry_at is None


def test_ignore_on_a_run_of_others_leaves_that_run_alone(lab: Lab, app: App) -> None:
    """When it is let go, what they have done meanwhile counts."""
    lab.drop("dropped-1", Sentinel.READY, Sentinel.IN_PROGRESS, body=OLD)
    app.cycle()
    lab.put("dropped-1", Sentinel.IGNORE, b"")
    look(lab, app)
    assert lab.get("dropped-1").held
    lab.put("dropped-1", Sentinel.COMPLETE, OLD)
    look(lab, app)
    assert lab.get("dropped-1").held
    lab.remove("dropped-1", Sentinel.IGNORE)
    look(lab, app)
    assert lab.get("dropped-1").state is State.COMPLETE
    assert lab.started() == []


def test_what_others_claim_is_not_let_go(lab: Lab, app: App) -> None:
    """An old monitor was quicker to see that the ignore is gone."""
    lab.drop("dropped-1", Sentinel.READY, Sentinel.IGNORE)
    app.cycle()
    lab.remove("dropped-1", Sentinel.IGNORE)
    lab.put("dropped-1", Sentinel.LOCK, OLD)
    look(lab, app)
    assert lab.get("dropped-1").held
    lab.put("dropped-1", Sentinel.IN_PROGRESS, OLD)
    look(lab, app)
    assert lab.get("dropped-1").foreign_run


def test_a_directory_that_is_gone_is_no_sign_to_go_on(lab: Lab, app: App) -> None:
    """Whoever removed all of it removed the ignore, too, and did not mean that."""
    lab.drop("dropped-1", Sentinel.READY, Sentinel.IGNORE)
    app.cycle()
    for name in [info.key for info in lab.objects.list("worksets/dropped-1/").items]:
        lab.objects.delete(name)
    look(lab, app)
    assert lab.get("dropped-1").held


def test_the_next_ignore_counts_like_the_first(lab: Lab, app: App) -> None:
    """Though it says the same, that is nothing."""
    lab.drop("dropped-1", Sentinel.READY, Sentinel.IGNORE)
    app.cycle()
    for _ in range(2):
        lab.remove("dropped-1", Sentinel.IGNORE)
        app.sync(lab.get("dropped-1"))
        assert lab.get("dropped-1").state is State.READY
        lab.put("dropped-1", Sentinel.IGNORE, b"")
        app.sync(lab.get("dropped-1"))
        assert lab.get("dropped-1").held


def test_ignore_counts_whatever_else_says_nothing(lab: Lab, app: App) -> None:
    """A person's retry passes over the old error, and never over an ignore."""
    adopted_error(lab, app)
    app.retry(BO, "dropped-1")
    lab.put("dropped-1", Sentinel.IGNORE, b"")
    look(lab, app)
    assert lab.get("dropped-1").held
    lab.remove("dropped-1", Sentinel.IGNORE)
    look(lab, app)
    assert lab.started() == ["dropped-1/1"]


# daylily.error


@pytest.mark.parametrize("retries", [0, 3], ids=["failed", "error"])
def test_taking_the_error_away_and_putting_ready_retries(lab: Lab, app: App, retries: int) -> None:
    """As with the old monitor: the workset runs again, and the history says whose hand it was."""
    workset_id = lab.submit(max_retries=retries).workset_id
    app.cycle()
    lab.compute.end(f"{workset_id}/1", exit_code=1 if retries else 75)
    app.cycle()
    assert lab.get(workset_id).state is (State.ERROR if retries else State.FAILED)
    lab.remove(workset_id, Sentinel.ERROR)
    look(lab, app, ROUND)
    assert lab.get(workset_id).attempts[-1].number == 1
    lab.put(workset_id, Sentinel.READY, b"")
    look(lab, app, ROUND)
    assert lab.started() == [f"{workset_id}/1", f"{workset_id}/2"]
    attempt = lab.get(workset_id).attempts[-1]
    assert attempt.requested_by == "somebody at its directory"
    lab.compute.end(f"{workset_id}/2")
    app.cycle()
    lab.check()


def test_an_old_ready_will_do(lab: Lab, app: App) -> None:
    """What was dropped by hand has its ready all along: without the error it is ready again."""
    lab.drop("dropped-1", Sentinel.READY)
    app.cycle()
    lab.compute.end("dropped-1/1", exit_code=1)
    app.cycle()
    look(lab, app, ROUND)
    assert lab.started() == ["dropped-1/1"]
    lab.remove("dropped-1", Sentinel.ERROR)
    look(lab, app, ROUND)
    assert lab.started() == ["dropped-1/1", "dropped-1/2"]


def test_an_error_that_is_not_there_yet_has_not_been_taken_away(lab: Lab) -> None:
    """Whoever recorded it died before it was posted: that is no hand."""
    lab.drop("dropped-1", Sentinel.READY)
    lab.app().cycle()
    lab.compute.end("dropped-1/1", exit_code=1)
    with pytest.raises(Killed):
        lab.app(FaultInjector(1, Blow.DIES_BEFORE, on="objects.put")).cycle()
    assert lab.get("dropped-1").state is State.ERROR
    lab.app().cycle()
    assert lab.get("dropped-1").state is State.ERROR
    lab.drain(lab.app())
    lab.check()
    assert lab.started() == ["dropped-1/1"]


@pytest.mark.parametrize("sentinel", [Sentinel.LOCK, Sentinel.IGNORE])
def test_what_others_have_in_hand_is_not_tried_again(lab: Lab, app: App, sentinel: Sentinel) -> None:
    """An old monitor restarts it, or somebody holds it: for now that is theirs."""
    lab.drop("dropped-1", Sentinel.READY)
    app.cycle()
    lab.compute.end("dropped-1/1", exit_code=1)
    app.cycle()
    lab.remove("dropped-1", Sentinel.ERROR)
    lab.put("dropped-1", sentinel, OLD)
    look(lab, app, ROUND)
    assert lab.get("dropped-1").state is State.ERROR


def test_what_others_run_again_is_theirs(lab: Lab, app: App) -> None:
    """An old monitor's restart takes error, lock and in_progress away, and begins anew."""
    adopted_error(lab, app)
    lab.remove("dropped-1", Sentinel.ERROR)
    lab.put("dropped-1", Sentinel.IN_PROGRESS, b"2025-06-02T12:00:00Z")
    look(lab, app, ROUND)
    assert lab.get("dropped-1").foreign_run
    lab.put("dropped-1", Sentinel.ERROR, OLD + b"\tno disk")
    look(lab, app)
    assert lab.get("dropped-1").state is State.ERROR
    assert lab.started() == []


def test_what_others_have_completed_since_is_complete(lab: Lab, app: App) -> None:
    """Whatever came of our own attempt; nobody runs it again."""
    workset = in_error(lab, app)
    lab.put(workset.workset_id, Sentinel.COMPLETE, OLD)
    look(lab, app, ROUND)
    assert lab.get(workset.workset_id).state is State.COMPLETE
    lab.check()


def test_a_retry_is_not_undone_by_the_error_it_retries(lab: Lab, app: App) -> None:
    """The old monitor's sentinels stay as it left them, and say nothing new."""
    adopted_error(lab, app)
    app.retry(BO, "dropped-1")
    app.cycle()
    assert lab.started() == ["dropped-1/1"]
    lab.compute.end("dropped-1/1")
    app.cycle()
    assert lab.get("dropped-1").state is State.COMPLETE
    left = lab.folder("dropped-1").sentinels
    assert left[Sentinel.ERROR].detail == "no disk"
    assert set(left) == set(Sentinel) - {Sentinel.IGNORE}
    assert lab.sent() == ["started", "complete"]


def test_an_error_of_others_that_is_new_undoes_a_retry(lab: Lab, app: App) -> None:
    """An old monitor was at it between: what it says now counts."""
    adopted_error(lab, app)
    retried = app.retry(BO, "dropped-1")
    lab.put("dropped-1", Sentinel.ERROR, b"2025-06-02T12:00:00Z\tno disk")
    assert app.sync(retried).adopted is State.ERROR
    assert lab.started() == []


def test_what_has_gone_is_forgotten(lab: Lab, app: App) -> None:
    """The same words written again, after the first were taken away, are news."""
    adopted_error(lab, app)
    retried = app.retry(BO, "dropped-1")
    error = lab.folder("dropped-1").sentinels[Sentinel.ERROR].render().encode()
    lab.remove("dropped-1", Sentinel.ERROR)
    locked = app.lock("dropped-1", "worker-1", timedelta(minutes=1))
    app.lock.release("dropped-1", "worker-1")
    assert Sentinel.ERROR in {each.sentinel for each in retried.known}
    assert Sentinel.ERROR not in {each.sentinel for each in locked.known}
    lab.put("dropped-1", Sentinel.ERROR, error)
    assert app.sync(lab.get("dropped-1")).adopted is State.ERROR


# daylily.in_progress and daylily.lock


def test_a_run_of_others_that_vanishes_is_tried_again_after_a_while(lab: Lab, app: App) -> None:
    """Somebody took in_progress away, and ready stands there: the workset is not stuck."""
    lab.drop("dropped-1", Sentinel.READY, Sentinel.IN_PROGRESS, body=OLD)
    app.cycle()
    lab.remove("dropped-1", Sentinel.IN_PROGRESS)
    look(lab, app)
    assert lab.get("dropped-1").state is State.RETRYING
    look(lab, app, RUN_GONE_GRACE)
    assert lab.started() == ["dropped-1/1"]
    lab.check()


def test_a_run_of_others_that_says_late_how_it_ended(lab: Lab, app: App) -> None:
    """It took in_progress away before it wrote complete: nobody runs it again."""
    lab.drop("dropped-1", Sentinel.READY, Sentinel.IN_PROGRESS, body=OLD)
    app.cycle()
    lab.remove("dropped-1", Sentinel.IN_PROGRESS)
    look(lab, app)
    lab.put("dropped-1", Sentinel.COMPLETE, OLD)
    look(lab, app, RUN_GONE_GRACE)
    assert lab.get("dropped-1").state is State.COMPLETE
    assert lab.started() == []
    lab.check()


def test_a_run_of_others_that_vanishes_without_a_trace_needs_a_person(lab: Lab, app: App) -> None:
    """Without ready nothing says that it may be run; with it, it is tried again."""
    lab.drop("dropped-1", Sentinel.IN_PROGRESS, body=OLD)
    app.cycle()
    lab.remove("dropped-1", Sentinel.IN_PROGRESS)
    look(lab, app)
    assert lab.get("dropped-1").state is State.ERROR
    assert lab.ours("dropped-1").keys() == {Sentinel.ERROR}
    lab.remove("dropped-1", Sentinel.ERROR)
    lab.put("dropped-1", Sentinel.READY, b"")
    look(lab, app, ROUND)
    assert lab.started() == ["dropped-1/1"]


def test_a_run_of_others_that_starts_anew_goes_on(lab: Lab, app: App) -> None:
    """Its monitor was restarted: it has the lock, and in_progress follows."""
    lab.drop("dropped-1", Sentinel.READY, Sentinel.IN_PROGRESS, body=OLD)
    app.cycle()
    lab.remove("dropped-1", Sentinel.IN_PROGRESS)
    lab.put("dropped-1", Sentinel.LOCK, OLD)
    look(lab, app)
    lab.put("dropped-1", Sentinel.IN_PROGRESS, b"2025-06-02T12:00:00Z")
    look(lab, app)
    assert lab.get("dropped-1").foreign_run


def test_a_run_that_was_handed_over_is_ours_to_show(lab: Lab, app: App) -> None:
    """A worker told us, no sentinel did: that ours is gone from the directory says nothing."""
    workset_id = lab.submit().workset_id
    app.lock(workset_id, ADA.name, timedelta(minutes=1))
    app.tell(ADA, workset_id, State.IN_PROGRESS, "on node 7")
    lab.remove(workset_id, Sentinel.IN_PROGRESS)
    look(lab, app)
    assert lab.get(workset_id).foreign_run


def test_runs_of_others_take_no_slot_of_ours(lab: Lab, app: App) -> None:
    """Those that were killed years ago and never tidied up would keep us from launching anything."""
    for number in range(3):
        lab.drop(f"dropped-{number}", Sentinel.READY, Sentinel.IN_PROGRESS, body=OLD)
    app.cycle()
    workset_id = lab.submit().workset_id
    app.cycle()
    assert lab.started() == [f"{workset_id}/1"]


def test_a_lock_whose_holder_has_died_does_not_block_for_ever(lab: Lab, app: App) -> None:
    """It says what it waits for, and until when; then it is launched, and the lock stays as it is."""
    workset_id = lab.submit().workset_id
    lab.put(workset_id, Sentinel.LOCK, b"Locked by worker-7")
    app.cycle()
    assert lab.get(workset_id).waits_for == (
        "another system holds daylily.lock since 2025-06-02T12:00:00Z (Locked by worker-7);"
        " it counts no more from 2025-06-02T13:00:00Z on"
    )
    look(lab, app, LOCK_TIMEOUT - timedelta(seconds=1))
    assert lab.started() == []
    look(lab, app, timedelta(minutes=10))
    assert lab.started() == [f"{workset_id}/1"]
    assert lab.get(workset_id).waits_for is None
    lab.compute.end(f"{workset_id}/1")
    app.cycle()
    assert lab.folder(workset_id).sentinels[Sentinel.LOCK].detail == "Locked by worker-7"
    assert lab.get(workset_id).state is State.COMPLETE


def test_a_lock_that_is_taken_anew_counts_anew(lab: Lab) -> None:
    """An old monitor overwrites the dead lock, between our look and our own: its in_progress wins."""
    workset_id = lab.submit().workset_id
    lab.put(workset_id, Sentinel.LOCK, OLD)
    lab.clock.advance(LOCK_TIMEOUT)

    def claimed() -> None:
        lab.put(workset_id, Sentinel.LOCK, b"2025-06-02T13:00:00Z")
        lab.put(workset_id, Sentinel.IN_PROGRESS, b"2025-06-02T13:00:30Z")

    lab.app(Meanwhile("store.save", claimed)).cycle()
    assert lab.started() == []
    assert lab.get(workset_id).state is State.READY


def test_what_it_waits_for_is_forgotten_when_it_is_over(lab: Lab, app: App) -> None:
    """The other system gave its lock back."""
    workset_id = lab.submit().workset_id
    lab.put(workset_id, Sentinel.LOCK, OLD)
    app.cycle()
    assert lab.get(workset_id).waits_for is not None
    lab.remove(workset_id, Sentinel.LOCK)
    look(lab, app)
    assert lab.get(workset_id).waits_for is None
    assert lab.started() == [f"{workset_id}/1"]


# What looks cost


def test_what_has_ended_well_costs_nothing(lab: Lab) -> None:
    """However many there are: a cycle looks at nobody's directory, and within its bound of calls."""
    lab.settings = Settings(store="memory", engine="memory", max_concurrent=50)
    calls = FaultInjector()
    app = lab.app(calls)
    ids = [lab.submit(f"number {number}").workset_id for number in range(30)]
    app.cycle()
    for number, workset_id in enumerate(ids):
        if number % 2:
            lab.compute.end(f"{workset_id}/1")
        else:
            app.cancel(ADA, workset_id)
    app.cycle()
    app.cycle()
    assert {lab.get(each).state for each in ids} == {State.COMPLETE, State.CANCELED}
    lab.clock.advance(ROUND)
    calls.calls.clear()
    app.cycle()
    listings = ["store.list"] * 2
    assert sorted(calls.calls) == ["objects.changed", "store.due", *listings, "store.queue"]


def test_what_runs_is_looked_at_once_in_a_minute(lab: Lab) -> None:
    """And not in every cycle: at four calls a look, that would be most of what a monitor does."""
    calls = FaultInjector()
    app = lab.app(calls)
    running(lab, app)
    calls.calls.clear()
    for _ in range(300):
        lab.clock.advance(timedelta(seconds=2))
        app.cycle()
    assert 10 <= calls.calls.count("objects.browse") <= 14


def test_old_errors_cost_a_look_in_a_cycle_however_many_there_are(lab: Lab) -> None:
    """Newest first, many at once at first; a hand at any of them is noticed within the round."""
    count = AT_ONCE * 3
    lab.settings = Settings(store="memory", engine="memory", max_concurrent=count)
    ids = [lab.submit(f"number {number}").workset_id for number in range(count)]
    lab.app().cycle()
    for workset_id in ids:
        lab.compute.end(f"{workset_id}/1", exit_code=1)
    lab.app().cycle()
    calls = FaultInjector()
    app = lab.app(calls)
    app.cycle()
    app.cycle()
    assert calls.calls.count("objects.browse") == AT_ONCE
    for _ in range(25):
        lab.clock.advance(timedelta(seconds=2))
        app.cycle()
    assert calls.calls.count("objects.browse") == count
    lab.remove(ids[0], Sentinel.ERROR)
    lab.put(ids[0], Sentinel.READY, b"")
    for _ in range(40):
        lab.clock.advance(timedelta(seconds=2))
        app.cycle()
    assert lab.started()[count:] == [f"{ids[0]}/2"]


def test_one_that_moves_on_under_the_look_stops_nobody(lab: Lab, app: App) -> None:
    """Two of old errors are to be tried again; one was, by another monitor, just before."""
    ids = []
    for name in ("one", "two"):
        ids.append(lab.submit(name).workset_id)
        app.cycle()
        lab.compute.end(f"{ids[-1]}/1", exit_code=1)
        app.cycle()
    for workset_id in ids:
        lab.remove(workset_id, Sentinel.ERROR)
        lab.put(workset_id, Sentinel.READY, b"")
    other = lab.app()
    late = lab.app(Meanwhile("objects.browse", lambda: other.retry(ADA, ids[1])))
    assert [found.workset.workset_id for found in late.cycle.ended()] == [ids[0]]


def test_a_store_that_does_not_answer_is_not_asked_for_each_directory(lab: Lab) -> None:
    """Each would take long to fail; polling and launching come after."""
    count = OUTAGES * 3
    lab.settings = Settings(store="memory", engine="memory", max_concurrent=count)
    ids = [lab.submit(f"number {number}").workset_id for number in range(count)]
    lab.app().cycle()
    lab.compute.end(f"{ids[-1]}/1")
    report = lab.app(Unreadable(*ids)).cycle()
    assert len(report.faults) == OUTAGES
    assert lab.get(ids[-1]).state is State.COMPLETE


def test_a_run_of_others_that_was_held_is_theirs_when_it_is_let_go(lab: Lab, app: App) -> None:
    """Somebody puts an ignore beside an old monitor's run, and takes it away while that goes on."""
    lab.drop("dropped-1", Sentinel.READY, Sentinel.IN_PROGRESS)
    app.cycle()
    for _ in range(2):
        lab.put("dropped-1", Sentinel.IGNORE, b"by hand")
        lab.clock.advance(timedelta(minutes=2))
        app.cycle()
        assert lab.get("dropped-1").state is State.IGNORED
        lab.remove("dropped-1", Sentinel.IGNORE)
        lab.clock.advance(timedelta(minutes=2))
        app.cycle()
        assert lab.get("dropped-1").foreign_run
    assert lab.started() == []


def test_what_is_canceled_while_it_is_held_shows_that_by_itself(lab: Lab, app: App) -> None:
    """Whose ignore held it takes it away: the workset is canceled all the same, and shows it."""
    workset_id = lab.submit().workset_id
    lab.put(workset_id, Sentinel.IGNORE, b"by hand")
    app.cycle()
    assert lab.get(workset_id).held
    lab.remove(workset_id, Sentinel.IGNORE)
    app.cancel(ADA, workset_id)
    lab.check()


@pytest.mark.parametrize("step", ["ready", "running", "complete", "running as dropped"])
@pytest.mark.parametrize("moved", [False, True])
def test_a_copy_of_a_directory_is_no_workset_that_was_lost(lab: Lab, step: str, moved: bool) -> None:
    """Copied or renamed, sentinels of ours and all: it is told of, and nothing runs a second time."""
    if step == "running as dropped":
        lab.drop("trio-1", Sentinel.READY)
        workset_id = "trio-1"
    else:
        workset_id = lab.submit().workset_id
    if step != "ready":
        lab.app().cycle()
    if step == "complete":
        lab.compute.end(f"{workset_id}/1")
        lab.app().cycle()
    started, directory = lab.started(), f"{PREFIX}{workset_id}/"
    for info, content in list(lab.objects.contents()):
        if info.key.startswith(directory):
            lab.put("copied", info.key.removeprefix(directory), content)
            if moved:
                lab.objects.delete(info.key)

    app, told = lab.app(), list[str]()
    for _ in range(4):
        told += app.cycle().faults
        lab.clock.advance(timedelta(minutes=5))
    (fault,) = (fault for fault in told if "copied" in fault)
    assert fault.startswith(f"copied: the directory: is a copy of that of {workset_id}: to have it run")
    assert [each.workset_id for each in lab.worksets()] == [workset_id]
    assert set(lab.started()) <= {*started, f"{workset_id}/1"}

    for sentinel in lab.ours("copied"):
        lab.remove("copied", sentinel)
    lab.put("copied", Sentinel.READY, b"")
    lab.app().cycle()
    assert lab.started()[-1] == "copied/1"
