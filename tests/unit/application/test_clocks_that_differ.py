"""
Machines whose clocks differ by minutes: nothing runs twice, and no lock lasts for ever.

The stores have a clock of their own, which shows in the times of objects alone. What a machine that is
ahead has written down to be due, others see to that much later; what one that is behind has, sooner.
Both are harmless: whatever decides is a version, a token of a lock, or the key of an attempt.
"""

from collections import Counter
from datetime import timedelta
from typing import Final

import pytest
from tests.unit.application.lab import ADA, Lab, Meanwhile

from daylily.domain.lifecycle import State
from daylily.domain.sentinels import Sentinel
from daylily.ports.compute import Phase
from daylily.testing.faults import Blow, FaultInjector, Killed

MINUTE: Final = timedelta(minutes=1)
OFF: Final = (-30 * MINUTE, -3 * MINUTE, 3 * MINUTE, 30 * MINUTE)
PAIRS: Final = [(one * MINUTE, -one * MINUTE) for one in (-30, -3, 3, 30)]


@pytest.fixture
def lab() -> Lab:
    """A world in memory."""
    return Lab()


def once_each(lab: Lab) -> None:
    """Assert that no attempt was started twice."""
    assert max(Counter(lab.started()).values(), default=0) <= 1


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=str)
def test_two_monitors_share_the_work(lab: Lab, one: timedelta, other: timedelta) -> None:
    """Submitted by a third, failed once, tried again: each attempt runs once, and all is done."""
    api = lab.app(ahead=-other)
    monitors = [lab.app(ahead=one), lab.app(ahead=other)]
    ids = [api.submit(ADA, "acme", lab.submission(f"trio-{n}")).workset_id for n in range(3)]
    failed = set[str]()
    for _ in range(60):
        for monitor in monitors:
            assert monitor.cycle().faults == []
            for key in [k for k, job in lab.compute.all().items() if job.phase is Phase.RUNNING]:
                workset_id = key.partition("/")[0]
                lab.compute.end(key, exit_code=0 if workset_id in failed else 137)
                failed.add(workset_id)
        lab.clock.advance(2 * MINUTE)
    once_each(lab)
    assert len(lab.started()) == 6
    assert {lab.get(each).state for each in ids} == {State.COMPLETE}
    lab.check()


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=str)
@pytest.mark.parametrize(
    "call", ["store.save", "objects.put", "compute.submit", "objects.delete_all", "store.queue"]
)
def test_another_cycle_in_the_middle_of_a_launch(
    lab: Lab, one: timedelta, other: timedelta, call: str
) -> None:
    """Whichever lock looks run out to whom: there is one launch, and both know of the same."""
    workset_id = lab.submit().workset_id
    second = lab.app(ahead=other)
    for nth in (1, 2):
        first = lab.app(Meanwhile(call, second.cycle, nth=nth), ahead=one)
        first.cycle()
        second.cycle()
    for _ in range(40):  # what stays locked is taken over by either
        lab.clock.advance(2 * MINUTE)
        first.cycle()
        second.cycle()
    assert lab.started() == [f"{workset_id}/1"]
    lab.compute.end(f"{workset_id}/1")
    first.cycle()
    lab.drain(second)
    assert lab.get(workset_id).state is State.COMPLETE
    assert lab.started() == [f"{workset_id}/1"]
    lab.check()


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=str)
@pytest.mark.parametrize("blow", [Blow.DIES_BEFORE, Blow.DIES_AFTER])
def test_a_lock_of_the_dead_runs_out(lab: Lab, one: timedelta, other: timedelta, blow: Blow) -> None:
    """Later by as much as the clocks differ, and no more; its attempt is found, or started once."""
    workset_id = lab.submit().workset_id
    with pytest.raises(Killed):
        lab.app(FaultInjector(1, blow, on="compute.submit"), ahead=one).cycle()
    assert lab.get(workset_id).state is State.LOCKED
    heir = lab.app(ahead=other)
    lab.clock.advance(max(one - other, timedelta()) + lab.settings.lock_timeout + MINUTE)
    for _ in range(3):
        heir.cycle()
    assert lab.get(workset_id).state is State.IN_PROGRESS
    assert lab.started() == [f"{workset_id}/1"]


@pytest.mark.parametrize("ahead", OFF, ids=str)
def test_a_lock_of_others_counts_for_about_an_hour(lab: Lab, ahead: timedelta) -> None:
    """Its age goes by the time of the object: a live one is respected, and that of a dead one ends."""
    workset_id = lab.submit().workset_id
    lab.put(workset_id, Sentinel.LOCK, b"2025-06-02T12:00:00Z\n")
    monitor = lab.app(ahead=ahead)
    lab.clock.advance(5 * MINUTE)  # an old monitor has shown in_progress long before
    monitor.cycle()
    assert lab.started() == []
    lab.clock.advance(60 * MINUTE + max(-ahead, timedelta()))
    for _ in range(3):
        monitor.cycle()
        lab.clock.advance(MINUTE)
    assert lab.started() == [f"{workset_id}/1"]


@pytest.mark.parametrize("ahead", OFF, ids=str)
def test_a_sentinel_that_is_dated_otherwise(lab: Lab, ahead: timedelta) -> None:
    """What a sentinel says of its time decides nothing: one from tomorrow is a fact."""
    monitor = lab.app(ahead=ahead)
    for name, body in (("done-1", b"2035-01-01T00:00:00Z\n"), ("done-2", b"1999-01-01T00:00:00Z\n")):
        lab.drop(name, Sentinel.READY, Sentinel.COMPLETE, body=body)
        lab.drop(f"new-{name}", Sentinel.READY, body=body)
    for _ in range(3):
        monitor.cycle()
        lab.clock.advance(2 * MINUTE)
    states = {each.workset_id: each.state for each in lab.worksets()}
    assert {states["done-1"], states["done-2"]} == {State.COMPLETE}
    assert {states["new-done-1"], states["new-done-2"]} == {State.IN_PROGRESS}
    once_each(lab)


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=str)
def test_a_retry_comes_when_it_is_due_to_whoever_looks(
    lab: Lab, one: timedelta, other: timedelta
) -> None:
    """Sooner or later by as much as the clocks differ, and once."""
    workset_id = lab.submit().workset_id
    first, second = lab.app(ahead=one), lab.app(ahead=other)
    first.cycle()
    lab.compute.end(f"{workset_id}/1", exit_code=137)
    first.cycle()
    failed = lab.get(workset_id)
    assert failed.state is State.RETRYING
    assert failed.retry_at is not None
    wait = failed.retry_at - (lab.clock() + one)
    lab.clock.advance(wait + max(one - other, timedelta()))
    for _ in range(2):
        second.cycle()
        first.cycle()
    assert lab.started() == [f"{workset_id}/1", f"{workset_id}/2"]


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=str)
def test_a_cancel_of_a_server_whose_clock_differs(lab: Lab, one: timedelta, other: timedelta) -> None:
    """What was said last is what counts, not what is dated last."""
    workset_id = lab.submit().workset_id
    monitor, api = lab.app(ahead=one), lab.app(ahead=other)
    monitor.cycle()
    api.cancel(ADA, workset_id)
    for _ in range(40):
        monitor.cycle()
        lab.clock.advance(2 * MINUTE)
    assert lab.get(workset_id).state is State.CANCELED
    lab.check()
