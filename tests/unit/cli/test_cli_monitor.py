"""The monitor of the command line."""

import json
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from structlog.testing import capture_logs
from tests.unit.cli.desk import Desk

from daylily.adapters.memory.state_store import InMemoryStateStore
from daylily.application.monitor_cycle import CycleReport
from daylily.domain.errors import NotSetUpError, UnavailableError
from daylily.entrypoints.service import LONGEST_WAIT, MonitorLoop, run_monitor


def test_dry_run_tells_and_does_nothing(desk: Desk, submitted: str) -> None:
    """--dry-run prints what a cycle would do, and nothing has changed afterwards."""
    before = desk.world.store.get(submitted)
    [step] = desk.json("monitor", "--dry-run")
    assert (step["workset_id"], step["action"]) == (submitted, "launch")
    assert "launch" in desk.ok("monitor", "--dry-run")
    assert desk.world.store.get(submitted) == before
    assert not desk.engine.submitted


def test_once_launches(desk: Desk, submitted: str) -> None:
    """--once runs one cycle, and says what it did."""
    told = desk.json("monitor", "--once")
    assert told["moved"] == [{"workset_id": submitted, "state": "in_progress"}]
    assert len(desk.engine.submitted) == 1


def test_once_without_a_store(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is down is exit code 5."""

    def down(*_: object, **__: object) -> object:
        raise UnavailableError("the store is down")

    monkeypatch.setattr(InMemoryStateStore, "due", down)
    assert desk.run("monitor", "--once").exit_code == 5


def test_once_with_a_fault(desk: Desk, submitted: str) -> None:
    """What is wrong with a workset, or the engine, is told, and is exit code 1."""
    desk.engine.go_down()
    result = desk.run("monitor", "--once", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["faults"]


class Cycles:
    """A cycle that goes as a list says, and stops its loop at the end."""

    def __init__(self, *outcomes: Exception | None) -> None:
        self.outcomes = list(outcomes)
        self.loop = MonitorLoop(self, timedelta(seconds=0.001))

    def __call__(self, _: Callable[[], bool]) -> CycleReport:
        outcome = self.outcomes.pop(0)
        if not self.outcomes:
            self.loop.stop.set()
        if outcome is not None:
            raise outcome
        return CycleReport()


def test_the_loop_survives_outages_and_bugs() -> None:
    """Neither an outage nor a bug ends a monitor."""
    cycles = Cycles(UnavailableError("down"), ZeroDivisionError(), None)
    cycles.loop.run()
    assert not cycles.outcomes


def test_waits_grow_and_fall_back() -> None:
    """While nothing answers, waits double up to a bound; then they are as before."""
    cycles = Cycles(*[UnavailableError("down")] * 40, None, None)
    waits = []
    for _ in range(41):
        cycles.loop.step()
        waits.append(cycles.loop.wait)
    assert waits[1] == 2 * waits[0]
    assert waits[39] == LONGEST_WAIT
    assert waits[40] == 0.001


def test_a_cycle_is_finished_before_the_end() -> None:
    """Told to stop in the middle of a cycle, the loop ends after it, not within."""
    begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def cycle(_: Callable[[], bool]) -> CycleReport:
        begun.set()
        may_end.wait(10)
        ended.set()
        return CycleReport()

    loop = MonitorLoop(cycle, timedelta(seconds=60))

    def until() -> None:
        begun.wait(10)
        may_end.set()

    run_monitor(loop, until)
    assert ended.is_set()


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (UnavailableError("could not connect"), "the store does not answer"),
        (
            NotSetUpError("there is no table"),
            "the store is not set up: `daylily doctor` says what to do",
        ),
    ],
)
def test_what_keeps_a_monitor_from_work(error: UnavailableError, event: str) -> None:
    """An outage passes; what has never been made does not, and somebody has to be told what to do."""

    def cycle(_: Callable[[], bool]) -> CycleReport:
        raise error

    with capture_logs() as logs:
        MonitorLoop(cycle, timedelta(seconds=1)).step()
    assert [(each["event"], each["error"]) for each in logs] == [(event, str(error))]
