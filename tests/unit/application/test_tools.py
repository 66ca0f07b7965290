"""The scheduler and the fault injector: they must find what is there to be found."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from attrs import define

from daylily.domain.errors import ConflictError, UnavailableError
from daylily.testing.faults import Blow, FaultInjector, Killed
from daylily.testing.interleave import TIME, Interleaving, Replay, Schedule, explore


@define
class Cell:
    """A number without compare and set."""

    value: int = 0

    def read(self) -> int:
        """Return the number."""
        return self.value

    def write(self, value: int) -> None:
        """Set the number."""
        self.value = value


def test_exploring_finds_a_lost_update() -> None:
    """Two that read, add and write: under some schedules one addition is lost, under others none."""
    ends = set()

    def scenario(schedule: Schedule) -> None:
        stage, cell = Interleaving(schedule), Cell()
        shared = stage.wrap(cell, "cell")
        stage.run({name: lambda: shared.write(shared.read() + 1) for name in ("a", "b")})
        ends.add(cell.value)

    assert explore(scenario, switches=0) == 2
    assert ends == {2}
    assert explore(scenario, switches=1) > 2
    assert ends == {1, 2}
    assert explore(scenario, switches=1, limit=1) == 1


def test_one_schedule_is_one_story() -> None:
    """The same choices give the same log."""

    def play(prefix: tuple[str, ...]) -> list[str]:
        stage = Interleaving(Replay(prefix))
        shared = stage.wrap(Cell(), "cell")
        stage.run({"a": shared.read, "b": shared.read})
        return stage.log

    assert play(()) == ["a: cell.read", "b: cell.read"]
    assert play(("b",)) == play(("b",)) == ["b: cell.read", "a: cell.read"]


def test_time_passes_for_those_who_wait() -> None:
    """First the one who waits least; whoever does not wait can go on before, or after."""
    woken: list[str] = []
    stage = Interleaving(Replay())
    start = stage.clock()

    def waits(name: str, seconds: int) -> Callable[[], None]:
        def act() -> None:
            stage.sleep(timedelta(seconds=seconds))
            woken.append(name)

        return act

    stage.run({"long": waits("long", 30), "short": waits("short", 10)})
    assert woken == ["short", "long"]
    assert stage.clock() - start == timedelta(seconds=30)


def test_outcomes_are_told_and_bugs_are_raised() -> None:
    """An error of ours is an outcome, the death of an actor too; anything else is a bug."""

    def refused() -> None:
        raise ConflictError("no")

    def dies() -> None:
        raise Killed("dead")

    def bug() -> None:
        raise ZeroDivisionError

    outcomes = Interleaving(Replay()).run({"fine": lambda: 42, "refused": refused, "dies": dies})
    assert outcomes["fine"].result == 42
    assert isinstance(outcomes["refused"].error, ConflictError)
    assert isinstance(outcomes["dies"].error, Killed)
    with pytest.raises(ZeroDivisionError):
        Interleaving(Replay()).run({"bug": bug, "fine": lambda: 42})
    with pytest.raises(ValueError, match="time"):
        Interleaving(Replay()).run({TIME: lambda: 42})


def test_the_dead_make_no_more_calls() -> None:
    """Whatever they might do on their way out, the world does not see it."""
    cell = Cell()
    faults = FaultInjector(1, Blow.DIES_AFTER)
    struck = faults.wrap(cell, "cell")
    with pytest.raises(Killed):
        struck.write(1)
    with pytest.raises(Killed):
        struck.write(2)
    assert (cell.value, struck.value, faults.dead, faults.struck) == (1, 1, True, True)


@pytest.mark.parametrize(("blow", "value"), [(Blow.OUTAGE_BEFORE, 0), (Blow.OUTAGE_AFTER, 1)])
def test_an_outage_ends(blow: Blow, value: int) -> None:
    """It lasts as many calls as it is told to, and may count those of one name alone."""
    cell = Cell()
    faults = FaultInjector(2, blow, length=2, on="cell.write")
    struck = faults.wrap(cell, "cell")
    struck.write(0)
    for _ in range(2):
        struck.read()
        with pytest.raises(UnavailableError):
            struck.write(1)
    assert cell.value == value
    struck.write(3)
    assert cell.value == 3
