"""No cycle that launches nothing costs more than its bound, whatever is due besides."""

from datetime import timedelta

import pytest
from attrs import evolve
from tests.unit.application.lab import Lab

from daylily.application.monitor_cycle import CALLS
from daylily.application.turns import Turns
from daylily.bootstrap import compose
from daylily.config import Settings
from daylily.domain.errors import UnavailableError
from daylily.testing.faults import FaultInjector

LOCAL = {"objects.entries", "objects.location"}
"""Calls that S3 is not asked for, since there ``objects.changed`` asks for the same listing, always."""


@pytest.fixture
def lab() -> Lab:
    """A world in memory."""
    return Lab()


def allow(lab: Lab, number: int) -> None:
    """Let so many worksets of Ada's run at a time."""
    before = lab.customers.get("acme")
    lab.customers.save(before, evolve(before, max_concurrent_worksets=number))


def begun(cycles: int = 2) -> Turns:
    """Return turns as they are in a cycle that is not the first."""
    turns = Turns()
    for _ in range(cycles):
        turns.begin()
    return turns


def test_a_first_cycle_does_all_that_is_due() -> None:
    """And so does who has no cycles."""
    never, first = Turns(), begun(1)
    assert all(each.take(who) for who in "abc" for each in (never, first))


def test_a_cycle_that_stands_alone_does_all_that_is_due() -> None:
    """As a function does that is called once a minute; and nobody is put off after that."""
    turns = begun()
    assert [turns.take(who) for who in "ab"] == [True, False]
    turns.begin(alone=True)
    assert all(turns.take(who) for who in "abc")
    turns.begin()
    assert turns.take("a")


def test_who_is_put_off_comes_first() -> None:
    """One in a cycle, in the order in which they were put off."""
    turns = begun()
    taken = [[who for who in "abc" if turns.take(who)]]
    for _ in range(4):
        turns.begin()
        taken.append([who for who in "abc" if turns.take(who)])
    assert taken == [["a"], ["b"], ["c"], ["a"], ["b"]]


def test_who_has_nothing_to_do_any_more_lets_its_turn_lapse() -> None:
    """It is lost for that cycle, and nobody waits for it beyond."""
    turns = begun()
    assert turns.take("a")
    assert not turns.take("b")
    turns.begin()
    assert not turns.take("c")
    turns.begin()
    assert turns.take("c")


def test_what_is_wanted_soon_comes_next() -> None:
    """Before those that were put off earlier."""
    turns = begun()
    assert turns.take("a")
    assert not turns.take("b")
    assert not turns.take("sign", soon=True)
    turns.begin()
    assert not turns.take("b")
    assert turns.take("sign", soon=True)


def test_a_cycle_that_needs_less_has_more_turns() -> None:
    """As many as it is given; none if there are less than none."""
    turns = begun()
    turns.add(1)
    turns.add(-3)
    assert [turns.take(who) for who in "abc"] == [True, True, False]


@pytest.mark.parametrize("rest", [2, 60], ids=["2 s", "60 s"])
@pytest.mark.parametrize("bound", ["slots", "quota"])
def test_no_steady_cycle_costs_more_than_its_bound(lab: Lab, bound: str, rest: int) -> None:
    """
    One runs, twenty wait, thirty have ended in error; and yet each has its directory looked at.

    What the monitor's signs of life cost is counted, too.
    """
    lab.settings = Settings(store="memory", engine="memory", max_concurrent=30)
    failed = [lab.submit(f"failed {number}").workset_id for number in range(30)]
    lab.app().cycle()
    for workset_id in failed:
        lab.compute.end(f"{workset_id}/1", exit_code=1)
    lab.app().cycle()
    if bound == "slots":
        lab.settings = Settings(store="memory", engine="memory", max_concurrent=1)
    else:
        allow(lab, 1)
    for number in range(21):
        lab.submit(f"ready {number}")
    calls = FaultInjector()
    app = lab.app(calls)
    for _ in range(60):  # what each error says is read once
        app.cycle()
        lab.clock.advance(timedelta(minutes=1))
    most = 0
    calls.calls.clear()
    seen: list[str] = []
    for _ in range(200):
        lab.clock.advance(timedelta(seconds=rest))
        assert app.cycle().idle
        app.heart.cycle_done(took=timedelta(seconds=1), faults=0, rest=timedelta(seconds=rest))
        app.watch()
        made = [each for each in calls.calls if each not in LOCAL]
        most = max(most, len(made))
        seen += made
        calls.calls.clear()
    assert most <= CALLS
    assert seen.count("objects.browse") >= 30
    assert seen.count("store.due") == seen.count("objects.changed") == 200
    assert {"objects.put", "objects.list"} <= set(seen)
    assert ("customers.get" in seen) == (bound == "quota")


def test_chores_of_a_store_are_done_in_their_turn(lab: Lab) -> None:
    """One at a time; one that comes to nothing is told, and stops nobody."""
    done: list[int] = []

    def fails() -> None:
        done.append(1)
        raise UnavailableError("the table does not answer")

    left = [lambda: done.append(0), fails]
    world = evolve(lab.app().world, chore=lambda: left.pop(0) if left else None)
    app = compose(lab.settings, world)
    assert app.cycle().faults == []
    assert app.cycle().faults == ["rows of other systems: the table does not answer"]
    assert app.cycle().idle
    assert done == [0, 1]


def test_who_rests_is_passed_over_whoever_is_launched(lab: Lab) -> None:
    """It stands behind one that can be launched, and its own launch came to nothing just now."""
    first, second = (lab.submit(f"number {number}").workset_id for number in range(2))
    app = lab.app()
    app.cycle.resting.begin(second, lab.clock())
    app.cycle()
    assert lab.started() == [f"{first}/1"]
