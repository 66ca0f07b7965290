"""Why a workset is where it is: every place that it can wait at."""

from datetime import timedelta

import pytest
from attrs import evolve
from tests.unit.application.lab import ADA, Lab, Unreadable

from daylily.adapters.memory.compute import InMemoryCompute
from daylily.application.explain_workset import Cause, Explanation
from daylily.application.others import LOCK_TIMEOUT
from daylily.application.poll_worksets import MISSING_FOR
from daylily.config import Settings
from daylily.domain.clusters import Requirements
from daylily.domain.customers import Principal
from daylily.domain.errors import NotFoundError, UnavailableError
from daylily.domain.lifecycle import State
from daylily.domain.sentinels import Sentinel
from daylily.domain.workset import Progress, Workset
from daylily.ports.compute import JobStatus, Phase
from daylily.testing.faults import Blow, FaultInjector


@pytest.fixture
def lab() -> Lab:
    """A world in memory, in which one workset runs at a time."""
    return Lab(settings=Settings(store="memory", engine="memory", max_concurrent=1))


def why(lab: Lab, workset: Workset) -> Explanation:
    """Return what a person of the customer is told."""
    return lab.app().explain(ADA, workset.workset_id)


def test_turn_has_come(lab: Lab) -> None:
    """With a free slot, the first of the queue waits for nothing but a monitor."""
    found = why(lab, lab.submit())

    assert (found.state, found.cause, found.rank) == (State.READY, Cause.MONITOR, 1)


def test_slots_are_taken(lab: Lab) -> None:
    """Behind others, it is told its place and how many slots there are."""
    first, second = lab.submit("first"), lab.submit("second")
    lab.clock.advance(timedelta(seconds=1))
    third = lab.submit("third", priority="urgent")

    assert (why(lab, second).cause, why(lab, second).rank) == (Cause.SLOT, 3)
    assert why(lab, third).cause is Cause.MONITOR
    lab.app().cycle()
    found = why(lab, first)
    assert (found.cause, found.rank) == (Cause.SLOT, 1)
    assert "a free slot: 1 of 1 are taken" in found.text


def test_far_down_the_queue(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The place is looked for so far and no further; without one, the rest is told all the same."""
    monkeypatch.setattr("daylily.application.explain_workset.RANKED", 1)
    lab.submit("first")
    found = why(lab, lab.submit("second"))

    assert (found.cause, found.rank) == (Cause.MONITOR, None)
    assert "in the queue" in found.text


@pytest.mark.parametrize("sentinel", [Sentinel.IGNORE, Sentinel.IN_PROGRESS, Sentinel.LOCK])
def test_another_system(lab: Lab, sentinel: Sentinel) -> None:
    """A sentinel of others in the directory is named, with its time if it has one."""
    workset = lab.submit()
    lab.put(workset.workset_id, sentinel, b"2026-01-02T03:04:05Z\tmonitor-7")

    found = why(lab, workset)

    assert found.cause is Cause.OTHER_SYSTEM
    assert str(sentinel) in found.text
    assert "2026-01-02 03:04:05 UTC" in found.text
    lab.put(workset.workset_id, sentinel, b"")
    assert "since" not in why(lab, workset).text


def test_directory_that_cannot_be_read(lab: Lab) -> None:
    """It is told that it cannot be read: no monitor can launch it."""
    workset = lab.submit()

    found = lab.app(Unreadable(workset.workset_id)).explain(ADA, workset.workset_id)

    assert found.cause is Cause.OTHER_SYSTEM
    assert "cannot be read" in found.text


def test_launching(lab: Lab) -> None:
    """The lock is told with its owner and its end; one that has run out waits for a monitor."""
    workset = lab.submit()
    dying = lab.app(FaultInjector(1, Blow.OUTAGE_BEFORE, on="compute.submit"))
    with pytest.raises(UnavailableError):
        dying.cycle.start(workset, "monitor-1")

    found = why(lab, workset)

    assert found.cause is Cause.LOCK
    assert "monitor-1" in found.text
    assert found.until == lab.clock() + lab.settings.lock_timeout
    lab.clock.advance(lab.settings.lock_timeout)
    assert why(lab, workset).cause is Cause.MONITOR


def test_running(lab: Lab) -> None:
    """What runs waits for nothing, and tells how far it is; an engine that is down is told as such."""
    workset = lab.submit()
    lab.app().cycle()

    assert why(lab, workset).cause is Cause.NOTHING
    lab.compute.report(lab.get(workset.workset_id).attempt_key, Progress(3, 7, "samples"))
    assert "3 of 7 samples" in why(lab, workset).text
    lab.app().cycle()
    lab.compute.report(lab.get(workset.workset_id).attempt_key, Progress(5, 7, "samples"))
    # The figure on record is the one that all else shows.
    assert "3 of 7 samples" in why(lab, workset).text
    lab.compute.go_down()
    assert why(lab, workset).cause is Cause.ENGINE_DOWN
    lab.compute.come_back()
    lab.compute.end(lab.get(workset.workset_id).attempt_key)
    assert why(lab, workset).cause is Cause.MONITOR


@pytest.mark.parametrize("message", ["", "Slurm: Priority"])
def test_in_the_queue_of_the_engine(lab: Lab, monkeypatch: pytest.MonkeyPatch, message: str) -> None:
    """What the engine has not started yet is told with the engine's own reason."""
    workset = lab.submit()
    lab.app().cycle()
    key = lab.get(workset.workset_id).attempt_key
    queued = JobStatus(phase=Phase.QUEUED, job="4711", message=message)
    monkeypatch.setattr(type(lab.compute), "status", lambda *_: {key: queued})

    found = why(lab, workset)

    assert found.cause is Cause.ENGINE_QUEUE
    assert "4711" in found.text
    assert message in found.text


def test_cancel(lab: Lab) -> None:
    """A cancel that the engine has yet to confirm is told with who asked."""
    workset = lab.submit()
    app = lab.app()
    app.cycle()
    app.cancel(ADA, workset.workset_id, "")

    found = why(lab, workset)

    assert found.cause is Cause.CANCEL
    assert "ada" in found.text
    assert "it has ended at the engine" in found.text


def test_a_job_of_which_the_engine_has_no_record(lab: Lab) -> None:
    """It is told since when, and until when it counts as running."""
    workset = lab.submit()
    lab.app().cycle()
    lab.compute = InMemoryCompute(lab.clock)
    assert "has no record of it:" in why(lab, workset).text
    lab.app().cycle()
    found = why(lab, workset)
    assert f"has no record of it since {lab.clock():%Y-%m-%d %H:%M:%S} UTC" in found.text
    assert (found.cause, found.until) == (Cause.MONITOR, lab.clock() + MISSING_FOR)


def test_an_engine_that_is_down_keeps_what_is_ready_waiting(lab: Lab) -> None:
    """No monitor will launch it, and that is said."""
    workset = lab.submit()
    lab.compute.go_down()
    found = why(lab, workset)
    assert (found.cause, found.rank) == (Cause.ENGINE_DOWN, 1)
    assert "does not answer" in found.text


def test_a_cluster_of_which_nobody_knows(lab: Lab) -> None:
    """Where the settings name none, it would wait for ever: that is a person's to mend."""
    workset = lab.submit(requirements=Requirements(cluster="east"))
    found = why(lab, workset)
    assert found.cause is Cause.CLUSTER
    assert found.remedy is not None
    assert "'clusters'" in found.remedy


def test_whether_there_is_a_monitor(lab: Lab) -> None:
    """Where its turn has come and no monitor lives, that is said, and what to do."""
    workset = lab.submit()
    found = why(lab, workset)
    assert "No monitor has been heard of" in found.text
    assert found.remedy is not None
    assert "daylily monitor" in found.remedy
    lab.app().heart.cycle_done(took=timedelta(), faults=0, rest=timedelta(seconds=1))
    alive = why(lab, workset)
    assert "heard of" not in alive.text
    assert alive.remedy is None
    lab.clock.advance(timedelta(hours=1))
    assert "No monitor has been heard of" in why(lab, workset).text
    down = FaultInjector(1, Blow.OUTAGE_BEFORE, on="objects.list", length=9)
    assert "heard of" not in lab.app(down).explain(ADA, workset.workset_id).text


@pytest.mark.parametrize("told", [True, False])
def test_retry(lab: Lab, told: bool) -> None:
    """A retry is told with the reason and the time it is due."""
    workset = lab.submit()
    app = lab.app()
    app.cycle()
    lab.compute.end(lab.get(workset.workset_id).attempt_key, exit_code=75, message="S3 was slow\n...")
    app.cycle()
    waiting = lab.get(workset.workset_id)
    if not told:
        waiting = lab.store.save(evolve(waiting, failure=None))

    found = why(lab, workset)

    assert (found.cause, found.until) == (Cause.RETRY, waiting.retry_at)
    assert ("S3 was slow" in found.text) is told
    assert "..." not in found.text


def test_ended(lab: Lab) -> None:
    """What has failed is told with what to do; what is complete waits for nothing."""
    broken, fine = lab.submit("broken"), lab.submit("fine")
    app = lab.app()
    app.cycle()
    lab.compute.end(lab.get(broken.workset_id).attempt_key, exit_code=65, message="A_R1 is cut off")
    app.cycle()
    app.cycle()
    lab.compute.end(lab.get(fine.workset_id).attempt_key)
    app.cycle()

    assert why(lab, fine).cause is Cause.NOTHING
    found = why(lab, broken)
    assert (found.state, found.cause) == (State.ERROR, Cause.PERSON)
    assert "A_R1 is cut off" in found.text
    assert found.remedy is not None


def test_run_by_others(lab: Lab) -> None:
    """A run of another system is told as such: no engine of ours knows of it."""
    lab.drop("dropped-1", Sentinel.READY, Sentinel.IN_PROGRESS)
    lab.app().cycle()
    operator = Principal(name="root", customer_id="local", operator=True)

    assert lab.app().explain(operator, "dropped-1").cause is Cause.OTHER_SYSTEM


def test_ignored(lab: Lab) -> None:
    """What a person has stopped goes on when the person says so."""
    lab.drop("dropped-1", Sentinel.READY, Sentinel.IGNORE)
    lab.app().cycle()
    operator = Principal(name="root", customer_id="local", operator=True)

    found = lab.app().explain(operator, "dropped-1")

    assert found.cause is Cause.PERSON
    assert found.remedy == "Remove daylily.ignore to let it go on."


def test_set_aside(lab: Lab) -> None:
    """What was ignored here is not let go by a change of its directory."""
    workset = lab.store.save(lab.submit().ignore(by="ada", at=lab.clock()))

    found = why(lab, workset)

    assert (found.cause, found.text) == (Cause.PERSON, "it was set aside: ignored by ada")
    assert found.remedy is None


def test_a_lock_that_has_run_out_keeps_nobody_waiting(lab: Lab) -> None:
    """Until then it says when that will be."""
    workset = lab.submit()
    lab.put(workset.workset_id, Sentinel.LOCK, b"")

    assert why(lab, workset).until == lab.clock() + LOCK_TIMEOUT
    lab.clock.advance(LOCK_TIMEOUT)
    assert why(lab, workset).cause is Cause.MONITOR


def test_another_tenant(lab: Lab) -> None:
    """Whoever may not see it is told that it is not there."""
    workset = lab.submit()

    with pytest.raises(NotFoundError):
        lab.app().explain(Principal(name="eve", customer_id="other"), workset.workset_id)
