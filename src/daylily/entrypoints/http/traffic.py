"""What the service has answered since it started."""

import threading
from collections import Counter
from collections.abc import Iterator
from typing import Final

from attrs import define, field
from litestar.types import Message, Scope
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from daylily.entrypoints.http.streams import Streams

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@define(eq=False)
class Traffic:
    """
    Counts answers by route, method and status; what leads nowhere is one route.

    And whatever is no method of ours is one method: callers make words up, and each would be counted
    for as long as the process lives.
    """

    answers: Counter[tuple[str, str, str]] = field(factory=Counter)
    _mutex: threading.Lock = field(init=False, factory=threading.Lock)

    async def note(self, message: Message, scope: Scope) -> None:
        """Count an answer that begins."""
        if message["type"] == "http.response.start":
            route, method = scope.get("path_template") or "none", str(scope.get("method"))
            with self._mutex:
                known = method if method in METHODS else "other"
                self.answers[str(route), known, str(message["status"])] += 1

    def counted(self) -> dict[tuple[str, str, str], int]:
        """Return the counts."""
        with self._mutex:
            return dict(self.answers)


@define(eq=False)
class TrafficCollector(Collector):
    """The same for Prometheus."""

    _traffic: Traffic
    _streams: Streams

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """Yield what has been answered, and how many streams are open."""
        answers = CounterMetricFamily(
            "daylily_http_answers",
            "Answers, by route, method and status.",
            labels=["route", "method", "status"],
        )
        for labels, number in sorted(self._traffic.counted().items()):
            answers.add_metric(labels, number)
        streams = GaugeMetricFamily("daylily_http_streams", "Streams of events that are open.")
        streams.add_metric([], self._streams.open)
        yield from (answers, streams)
