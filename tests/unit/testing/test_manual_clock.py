"""The tools for tests, tested."""

from datetime import timedelta

import pytest

from daylily.domain.errors import NotFoundError
from daylily.testing.clock import ManualClock
from daylily.testing.racing import race
from daylily.testing.samples import NOON, a_manifest


def test_the_clock_stands_until_it_is_moved() -> None:
    """Time passes when the test says so, and only then."""
    clock = ManualClock()
    assert clock() == clock() == NOON
    clock.advance(timedelta(seconds=1))
    assert clock() == NOON + timedelta(seconds=1)


def test_time_never_goes_back() -> None:
    """A test that lets it has a mistake in it; a clock may be put back, though."""
    clock = ManualClock()
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-timedelta(microseconds=1))
    assert clock() == NOON
    clock.put_back(timedelta(hours=1))
    assert clock() == NOON - timedelta(hours=1)


def test_no_advance_of_many_is_lost() -> None:
    """Threads that wind the clock at once are all heeded."""
    clock = ManualClock()
    race(lambda _: clock.advance(timedelta(seconds=1)))
    assert clock() == NOON + timedelta(seconds=32)


def test_a_race_tells_what_each_runner_met() -> None:
    """Results and errors of ours come back in order; a bug comes out."""

    def run(runner: int) -> int:
        if runner == 1:
            raise NotFoundError("one")
        return runner

    zero, one, two = race(run, 3)
    assert (zero, type(one), two) == (0, NotFoundError, 2)
    with pytest.raises(ZeroDivisionError):
        race(lambda runner: 1 // runner, 2)


def test_sample_manifests_are_sound() -> None:
    """What tests begin with has no faults of its own."""
    assert list(a_manifest(*(f"S{n}" for n in range(20))).faults()) == []
