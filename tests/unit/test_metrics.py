"""The figures of a monitor, and where they are served."""

import threading
from datetime import timedelta

import httpx
import pytest
from tests.unit.application.lab import Lab

from daylily.application.monitor_cycle import CycleReport
from daylily.bootstrap import World
from daylily.domain.errors import UnavailableError
from daylily.entrypoints.metrics import MonitorMetrics, QueueCollector, served
from daylily.entrypoints.service import MonitorLoop


@pytest.fixture
def lab() -> Lab:
    """A world in memory."""
    return Lab()


@pytest.fixture
def metrics(lab: Lab) -> MonitorMetrics:
    """Figures of a monitor on it."""
    found = MonitorMetrics()
    world = lab.app().world
    found.registry.register(QueueCollector(lambda: world))
    return found


def read(metrics: MonitorMetrics) -> str:
    """Return what a collector is told."""
    with served(metrics, 0) as port:
        answer = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False)
    assert answer.status_code == 200
    return answer.text


def test_what_a_cycle_did(lab: Lab, metrics: MonitorMetrics) -> None:
    """Cycles, transitions, faults and the queue are told in the words of Prometheus."""
    lab.submit("one")
    lab.submit("two")
    loop = MonitorLoop(lab.app().cycle, timedelta(seconds=1), metrics)
    loop.step()
    lab.submit("three")
    lab.clock.advance(timedelta(seconds=90))
    text = read(metrics)
    assert 'daylily_cycles_total{outcome="done"} 1.0' in text
    assert 'daylily_transitions_total{state="in_progress"} 2.0' in text
    assert 'daylily_worksets{state="in_progress"} 2.0' in text
    assert 'daylily_worksets{state="ready"} 1.0' in text
    assert "daylily_queue_head_age_seconds 90.0" in text
    assert "daylily_store_up 1.0" in text
    assert "daylily_cycle_seconds_count 1.0" in text


def test_cycles_that_fail_are_counted_apart(metrics: MonitorMetrics) -> None:
    """An outage is one thing, a fault of ours another."""
    errors: list[Exception] = [UnavailableError("away"), RuntimeError("a bug")]

    def cycle(_: object) -> CycleReport:
        raise errors.pop(0)

    loop = MonitorLoop(cycle, timedelta(seconds=1), metrics)
    loop.step()
    loop.step()
    text = read(metrics)
    assert 'daylily_cycles_total{outcome="outage"} 1.0' in text
    assert 'daylily_cycles_total{outcome="failed"} 1.0' in text


def test_a_store_that_is_away_is_told_so() -> None:
    """There are figures of the monitor all the same, and none of the queue are made up."""

    def world() -> World:
        raise UnavailableError("away")

    metrics = MonitorMetrics()
    metrics.registry.register(QueueCollector(world))
    text = read(metrics)
    assert "daylily_store_up 0.0" in text
    assert "daylily_worksets{" not in text


def test_a_port_that_is_taken(metrics: MonitorMetrics) -> None:
    """It is said in one line which."""
    with (
        served(metrics, 0) as port,
        pytest.raises(UnavailableError, match=str(port)),
        served(metrics, port),
    ):
        pass


def test_it_is_served_to_this_machine_alone(metrics: MonitorMetrics) -> None:
    """No thread is left when it ends."""
    before = threading.active_count()
    read(metrics)
    assert threading.active_count() == before
