"""Figures of a monitor for Prometheus, served to this machine alone."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from attrs import define, field
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from daylily.application.monitor_cycle import CycleReport
from daylily.domain.errors import UnavailableError
from daylily.domain.lifecycle import State

if TYPE_CHECKING:
    from daylily.bootstrap import World

LOOPBACK: Final = "127.0.0.1"
"""Figures tell of customers' work, and nobody signs in to read them: so only this machine can."""
LIVE: Final = (State.READY, State.LOCKED, State.IN_PROGRESS, State.RETRYING)
"""States that are counted when somebody asks; to count what is over would cost more every day."""

_log = logging.getLogger("daylily")


@define
class MonitorMetrics:
    """What a monitor has done since it started."""

    registry: CollectorRegistry = field(factory=CollectorRegistry)
    _cycles: Counter = field(init=False)
    _seconds: Histogram = field(init=False)
    _last: Gauge = field(init=False)
    _moved: Counter = field(init=False)
    _settled: Counter = field(init=False)
    _faults: Gauge = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._cycles = Counter(
            "daylily_cycles", "Cycles, by how they ended.", ["outcome"], registry=self.registry
        )
        self._seconds = Histogram(
            "daylily_cycle_seconds", "How long cycles took.", registry=self.registry
        )
        self._last = Gauge(
            "daylily_last_cycle_timestamp_seconds",
            "When a cycle last came to its end.",
            registry=self.registry,
        )
        self._moved = Counter(
            "daylily_transitions", "Worksets moved, by state.", ["state"], registry=self.registry
        )
        self._settled = Counter(
            "daylily_debts_paid", "Worksets whose overdue debts were paid.", registry=self.registry
        )
        self._faults = Gauge(
            "daylily_faults", "What was wrong in the last cycle.", registry=self.registry
        )

    def done(self, report: CycleReport, seconds: float) -> None:
        """Take note of a cycle that came to its end, in *seconds*."""
        self._cycles.labels("done").inc()
        self._seconds.observe(seconds)
        self._last.set_to_current_time()
        self._settled.inc(report.settled)
        self._faults.set(len(report.faults))
        for workset in report.moved:
            self._moved.labels(str(workset.state)).inc()

    def failed(self, *, outage: bool) -> None:
        """Take note of a cycle that did not."""
        self._cycles.labels("outage" if outage else "failed").inc()


@define(eq=False)
class QueueCollector(Collector):
    """Asks the store when somebody asks for figures."""

    _world: "Callable[[], World]"
    """Opens the stores when they are first asked: they need not be there yet."""

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Yield nothing: to be registered is no reason to ask a store."""
        yield from ()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield how many worksets are in each live state, and how long the next has waited."""
        up = GaugeMetricFamily("daylily_store_up", "Whether the store answers.")
        try:
            world = self._world()
            worksets = GaugeMetricFamily("daylily_worksets", "Worksets, by state.", labels=["state"])
            for state in LIVE:
                worksets.add_metric([str(state)], world.store.count([state]))
            head = world.store.queue(limit=1).items
        except UnavailableError as error:
            _log.warning("no figures of the queue: %s", error)
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        age = GaugeMetricFamily(
            "daylily_queue_head_age_seconds", "Since when the next workset to run was submitted."
        )
        age.add_metric([], (world.clock() - head[0].created_at).total_seconds() if head else 0.0)
        yield from (up, worksets, age)


@contextmanager
def served(metrics: MonitorMetrics, port: int) -> Iterator[int]:
    """
    Serve figures at ``http://127.0.0.1:PORT/metrics`` for as long as the block lasts.

    Args:
        port: 0 takes any that is free.

    Yields:
        The port.

    Raises:
        UnavailableError: The port is taken.
    """
    try:
        server, thread = start_http_server(port, addr=LOOPBACK, registry=metrics.registry)
    except OSError as error:
        raise UnavailableError(f"port {port} cannot be listened on: {error}") from error
    try:
        yield int(server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
