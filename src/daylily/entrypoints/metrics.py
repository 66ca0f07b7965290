"""Figures for Prometheus: of a monitor, served to this machine alone, and what the API tells too."""

import logging
from collections import Counter as Counts
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Final

from attrs import define, field
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from daylily.adapters.remote_calls import CALLS, Outcome
from daylily.application.monitor_cycle import CycleReport
from daylily.domain.errors import UnavailableError
from daylily.entrypoints.figures import LIVE, Figures, launches, retries

if TYPE_CHECKING:
    from daylily.application.redeliver_notices import RedeliverNotices
    from daylily.bootstrap import World

LOOPBACK: Final = "127.0.0.1"
"""Figures tell of customers' work, and nobody signs in to read them: so only this machine can."""
MOST_DEAD: Final = 1000
"""How many dead notices are counted; more of them are no less of a reason to look."""

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
    _launches: Counter = field(init=False)
    _retries: Counter = field(init=False)

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
        self._launches = Counter(
            "daylily_launches", "Attempts that were started.", registry=self.registry
        )
        self._retries = Counter(
            "daylily_retries",
            "Attempts that failed and are tried again, by what they failed of.",
            ["code"],
            registry=self.registry,
        )

    def done(self, report: CycleReport, seconds: float) -> None:
        """Take note of a cycle that came to its end, in *seconds*."""
        self._cycles.labels("done").inc()
        self._seconds.observe(seconds)
        self._last.set_to_current_time()
        self._settled.inc(report.settled)
        self._faults.set(len(report.faults))
        self._launches.inc(launches(report))
        for workset in report.moved:
            self._moved.labels(str(workset.state)).inc()
        for code in retries(report):
            self._retries.labels(code).inc()

    def failed(self, *, outage: bool) -> None:
        """Take note of a cycle that did not."""
        self._cycles.labels("outage" if outage else "failed").inc()


@define(eq=False)
class QueueCollector(Collector):
    """Asks the store when somebody asks for figures."""

    _world: "Callable[[], World]"
    """Opens the stores when they are first asked: they need not be there yet."""

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: to be registered is no reason to ask a store."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        """Yield how many worksets are in each live state, how long they wait, and what is amiss."""
        up = GaugeMetricFamily("daylily_store_up", "Whether the store answers.")
        try:
            world = self._world()
            found = Figures.of(world)
        except UnavailableError as error:
            _log.warning("no figures of the queue: %s", error)
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        worksets = GaugeMetricFamily("daylily_worksets", "Worksets, by state.", labels=["state"])
        for state in LIVE:
            worksets.add_metric([str(state)], found.worksets[state])
        yield from (up, worksets)
        for name, text, value in (
            (
                "daylily_queue_head_age_seconds",
                "Since when the next workset to run was submitted.",
                found.head_age.total_seconds(),
            ),
            (
                "daylily_oldest_ready_seconds",
                "Since when the oldest workset was submitted that is ready.",
                found.oldest_ready.total_seconds(),
            ),
            (
                "daylily_debts_outstanding",
                "What is owed and overdue, to the bucket and to people.",
                found.debts,
            ),
            (
                "daylily_engine_unknown",
                "Worksets of which their engine does not tell how they are.",
                found.unknown,
            ),
        ):
            yield GaugeMetricFamily(name, text, value=value)
        given_up = "News that this process has given up telling."
        yield CounterMetricFamily("daylily_notices_given_up", given_up, value=world.given_up())


class CallsCollector(Collector):
    """What this process has asked of AWS."""

    def collect(self) -> Iterator[Metric]:
        """Yield calls by operation and outcome, those tried again, and how long they took."""
        named = ["service", "operation"]
        calls = CounterMetricFamily(
            "daylily_remote_calls", "Calls, by what came of them.", labels=[*named, "outcome"]
        )
        again = CounterMetricFamily(
            "daylily_remote_retries", "How often calls were tried once more.", labels=named
        )
        seconds = SummaryMetricFamily(
            "daylily_remote_seconds", "How long calls took, retries and all.", labels=named
        )
        for each in CALLS.calls():
            labels = [each.service, each.operation]
            for outcome in Outcome:
                calls.add_metric([*labels, str(outcome)], each.outcomes[outcome])
            again.add_metric(labels, each.retries)
            seconds.add_metric(labels, sum(each.outcomes.values()), each.seconds)
        yield from (calls, again, seconds)


@define(eq=False)
class DeadNoticesCollector(Collector):
    """Counts the news that came to nobody and wait for a person."""

    _redeliver: "RedeliverNotices"

    def collect(self) -> Iterator[Metric]:
        """Yield how many there are, by channel; nothing if the list does not answer."""
        counts = Counts(dict.fromkeys(self._redeliver.channels, 0))
        try:
            counts.update(each.channel for each in islice(self._redeliver.waiting(), MOST_DEAD))
        except UnavailableError as error:
            _log.warning("no figures of dead notices: %s", error)
            return
        dead = GaugeMetricFamily(
            "daylily_notices_dead", "News that came to nobody.", labels=["channel"]
        )
        for channel, number in counts.items():
            dead.add_metric([channel], number)
        yield dead


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
