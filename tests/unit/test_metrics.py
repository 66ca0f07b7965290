"""The figures of a monitor, and where they are served."""

import threading
from datetime import timedelta
from unittest.mock import Mock

import httpx
import pytest
from botocore.model import ServiceId
from tests.unit.application.lab import Lab

from daylily.adapters.dead_notices import DocumentDeadNotices
from daylily.adapters.memory.documents import InMemoryDocumentStore
from daylily.adapters.memory.notifier import InMemoryNotifier
from daylily.adapters.remote_calls import Tally
from daylily.application.monitor_cycle import CycleReport
from daylily.application.redeliver_notices import RedeliverNotices
from daylily.bootstrap import World
from daylily.domain.errors import UnavailableError
from daylily.entrypoints.metrics import (
    CallsCollector,
    DeadNoticesCollector,
    MonitorMetrics,
    QueueCollector,
    served,
)
from daylily.entrypoints.service import MonitorLoop
from daylily.ports.dead_notices import DeadNotice
from daylily.testing.clock import ManualClock
from daylily.testing.samples import an_event


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
    loop = MonitorLoop(lab.app().cycle, timedelta(seconds=1), [metrics])
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

    loop = MonitorLoop(cycle, timedelta(seconds=1), [metrics])
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


def test_what_is_amiss(lab: Lab, metrics: MonitorMetrics) -> None:
    """What was launched, what is tried again and why, what is owed, and what engines do not tell."""
    workset = lab.submit("one")
    lab.submit("two")
    loop = MonitorLoop(lab.app().cycle, timedelta(seconds=1), [metrics])
    loop.step()
    lab.compute.end(workset.attempt_key, exit_code=137)
    loop.step()
    text = read(metrics)
    assert "daylily_launches_total 2.0" in text
    assert 'daylily_retries_total{code="' in text
    assert "daylily_debts_outstanding 0.0" in text
    assert "daylily_engine_unknown 0.0" in text
    assert "daylily_notices_given_up_total 0.0" in text


def test_calls_of_aws_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """By operation and outcome, with their seconds."""
    tally = Tally()
    model = Mock(service_model=Mock(service_id=ServiceId("DynamoDB")))
    model.name = "GetItem"
    tally._end({"ResponseMetadata": {"HTTPStatusCode": 200, "RetryAttempts": 2}}, model, {})
    monkeypatch.setattr("daylily.entrypoints.metrics.CALLS", tally)
    metrics = MonitorMetrics()
    metrics.registry.register(CallsCollector())
    text = read(metrics)
    named = 'operation="GetItem",service="dynamodb"'
    assert 'daylily_remote_calls_total{operation="GetItem",outcome="ok",service="dynamodb"} 1.0' in text
    assert f"daylily_remote_retries_total{{{named}}} 2.0" in text
    assert f"daylily_remote_seconds_count{{{named}}} 1.0" in text


def test_dead_notices_are_counted_by_channel() -> None:
    """All of them, up to what nobody would count; a list that is away makes up no zero."""
    clock = ManualClock()
    dead = DocumentDeadNotices(InMemoryDocumentStore(clock), clock)
    redeliver = RedeliverNotices({"sns": InMemoryNotifier(), "linear": InMemoryNotifier()}, dead)
    metrics = MonitorMetrics()
    metrics.registry.register(DeadNoticesCollector(redeliver))
    dead.lay(DeadNotice(channel="sns", event=an_event(), why="gone", died_at=clock()))
    text = read(metrics)
    assert 'daylily_notices_dead{channel="sns"} 1.0' in text
    assert 'daylily_notices_dead{channel="linear"} 0.0' in text

    away = Mock(list=Mock(side_effect=UnavailableError("away")))
    metrics = MonitorMetrics()
    metrics.registry.register(DeadNoticesCollector(RedeliverNotices(redeliver.channels, away)))
    assert "daylily_notices_dead{" not in read(metrics)
