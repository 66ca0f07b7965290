"""Figures for CloudWatch: a line a cycle, as its user guide has them."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from jsonschema import Draft7Validator
from tests.unit.application.lab import Lab

from daylily.application.monitor_cycle import CycleReport
from daylily.bootstrap import World
from daylily.domain.errors import UnavailableError
from daylily.entrypoints.emf import ASK_EVERY, NAMESPACE, EmbeddedMetrics
from daylily.entrypoints.service import MonitorLoop

SCHEMA = json.loads((Path(__file__).parents[1] / "data" / "schemas" / "emf.json").read_text())


@define
class Log:
    """A monitor that prints figures."""

    lab: Lab = field(factory=Lab)
    lines: list[dict[str, Any]] = field(factory=list)

    def take(self, line: str) -> None:
        """Take a line as CloudWatch does: whole, of the format, with a value for all that it names."""
        told = json.loads(line)
        Draft7Validator(SCHEMA).validate(told)
        (directive,) = told["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == NAMESPACE
        for name in [*directive["Dimensions"][0], *(each["Name"] for each in directive["Metrics"])]:
            assert name in told
        assert "\n" not in line
        self.lines.append(told)

    def loop(self, world: Callable[[], World] | None = None) -> MonitorLoop:
        """Return the loop of a monitor that tells us."""
        app = self.lab.app()
        figures = EmbeddedMetrics(
            "acme-worksets", world or (lambda: app.world), self.lab.clock, self.take
        )
        return MonitorLoop(app.cycle, timedelta(seconds=1), [figures])


@pytest.fixture
def log() -> Log:
    """A monitor on an empty world."""
    return Log()


def test_a_line_for_each_cycle(log: Log) -> None:
    """What the cycle did, how much there is of what, and since when the oldest waits."""
    log.lab.submit("one")
    log.lab.submit("two")
    loop = log.loop()
    loop.step()
    (line,) = log.lines
    assert line["Installation"] == "acme-worksets"
    assert (line["Cycles"], line["Launches"], line["Moved"], line["Faults"]) == (1, 2, 2, 0)
    assert (line["WorksetsInProgress"], line["WorksetsReady"], line["NoticesDead"]) == (2, 0, 0)

    log.lab.submit("three")
    log.lab.clock.advance(timedelta(seconds=90))
    loop.step()
    assert log.lines[1]["DebtsOutstanding"] == log.lines[1]["EngineUnknown"] == 0


def test_the_store_is_asked_once_a_minute(log: Log) -> None:
    """However often it works, and then it is told since when the oldest waits."""
    loop = log.loop()
    loop.step()
    loop.step()
    assert "WorksetsReady" in log.lines[0]
    assert "WorksetsReady" not in log.lines[1]
    log.lab.clock.advance(ASK_EVERY)
    loop.step()
    assert log.lines[2]["OldestReadySeconds"] == 0


def test_cycles_that_come_to_nothing(log: Log) -> None:
    """They are told too, an outage apart from a fault of ours, and count for none."""
    errors: list[Exception] = [UnavailableError("away"), RuntimeError("a bug")]

    def cycle(_: object) -> CycleReport:
        raise errors.pop(0)

    figures = EmbeddedMetrics("acme-worksets", lambda: log.lab.app().world, log.lab.clock, log.take)
    loop = MonitorLoop(cycle, timedelta(seconds=1), [figures])
    loop.step()
    loop.step()
    assert [line["Cycles"] for line in log.lines] == [0, 0]
    assert (log.lines[0]["Outages"], log.lines[1]["CyclesFailed"]) == (1, 1)


def test_a_store_that_goes_away_meanwhile(log: Log) -> None:
    """The cycle is told of all the same."""

    def world() -> World:
        raise UnavailableError("away")

    log.loop(world).step()
    (line,) = log.lines
    assert line["Cycles"] == 1
    assert "WorksetsReady" not in line
