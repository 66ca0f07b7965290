"""
How fast one monitor is on the local store: ``python -m benchmarks.bench_cycle [worksets]``.

Submits worksets, drains them with an engine that ends every job at once, and counts the statements
that a cycle costs which has nothing to do. Prints one JSON object.
"""

import argparse
import json
import re
import resource
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

from attrs import define, evolve, field, frozen

from daylily.adapters.memory.compute import InMemoryCompute
from daylily.application.submit_workset import Submission
from daylily.bootstrap import App, compose, connect
from daylily.config import Settings
from daylily.domain.customers import Customer, Principal
from daylily.domain.lifecycle import State
from daylily.domain.manifest import FastqPair, Sample

T = TypeVar("T")

ADA = Principal(name="ada", customer_id="acme")
READS = b"@read\nACGT\n+\nFFFF\n"
SLOTS = 200
REST = 10.0
"""Seconds after which a directory that nobody changes is at rest."""


LOCAL = frozenset({"objects.location", "objects.changed"})
"""Calls that no store is asked for, neither S3 nor DynamoDB."""


@define
class Calls:
    """Counts calls to ports."""

    made: Counter[str] = field(factory=Counter)
    latency: float = 0.0
    """Seconds that each call takes on its way, but those that go nowhere."""

    def wrap(self, port: T, name: str) -> T:
        """Return a stand-in for *port* whose calls are counted."""
        return cast(T, _Counted(port, name, self.made, self.latency))


@frozen
class _Counted:
    port: object
    name: str
    made: Counter[str]
    latency: float

    def __getattr__(self, method: str) -> object:
        found = getattr(self.port, method)
        if not callable(found):
            return found

        def call(*args: Any, **named: Any) -> object:
            self.made[f"{self.name}.{method}"] += 1
            if self.latency and f"{self.name}.{method}" not in LOCAL:
                time.sleep(self.latency)
            return found(*args, **named)

        return call


def local_app(home: Path, calls: Calls) -> App:
    """Return an App on a local store under *home*, with an engine that ends every job at once."""
    settings = Settings(home=home, store="local", engine="memory", max_concurrent=SLOTS)
    world = connect(settings)
    world = evolve(
        world,
        store=calls.wrap(world.store, "store"),
        sentinels=calls.wrap(world.sentinels, "sentinels"),
        # Jobs end at once, and only when asked for: no clock is waited for.
        compute=calls.wrap(InMemoryCompute(world.clock, timedelta(0)), "compute"),
        notifier=calls.wrap(world.notifier, "notifier"),
    )
    acme = Customer(customer_id="acme", name="Acme Genomics", max_concurrent_worksets=SLOTS)
    world.customers.add(acme)
    for read in (1, 2):
        world.objects.put(f"files/acme/a_R{read}.fastq", READS)
    return compose(settings, world)


def submit(app: App, count: int) -> None:
    """Submit *count* worksets of one tiny sample."""
    sample = Sample(sample_id="NA12878", pairs=(FastqPair("a_R1.fastq", "a_R2.fastq"),))
    for number in range(count):
        app.submit(ADA, "acme", Submission(name=f"w{number}", pipeline="fastq-qc", samples=(sample,)))


def drain(app: App) -> int:
    """Run cycles until nothing is left to do; return how many there were."""
    cycles = 0
    while True:
        cycles += 1
        report = app.cycle()
        if report.faults:
            raise RuntimeError(report.faults[0])
        if report.idle:
            return cycles


def idle_cost(app: App, calls: Calls) -> dict[str, int]:
    """
    Return how often each call is made by a cycle that has nothing to do.

    A directory that has just changed may change again without its time moving, so it is listed once
    more, seconds later: only then is there truly nothing to do.
    """
    until = time.monotonic() + REST
    while True:
        calls.made.clear()
        if not app.cycle().idle:
            raise RuntimeError("not idle")
        if "sentinels.directories" not in calls.made or time.monotonic() > until:
            return dict(sorted(calls.made.items()))
        time.sleep(0.1)


def timed(call: Callable[[], T]) -> tuple[float, T]:
    """Return how many seconds *call* takes, and what it returns."""
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result


def peak_mb() -> float:
    """
    Return the most memory that this process has held, in megabytes.

    Where there is ``/proc`` its ``VmHWM`` is read: Linux hands ``ru_maxrss`` on through ``exec``, so
    that a process begun by a big one (a test worker, say) would be taken for as big.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (peak,) = re.findall(r"^VmHWM:\s+(\d+) kB$", status.read_text(), re.MULTILINE)
        return int(peak) / (1 << 10)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def measure(home: Path, count: int) -> dict[str, object]:
    """Submit and drain *count* worksets under *home*; return what it cost."""
    calls = Calls()
    app = local_app(home, calls)
    few = min(10, count)
    submit(app, few)
    drain(app)
    idle_at_few = idle_cost(app, calls)
    submitting, _ = timed(lambda: submit(app, count - few))
    draining, cycles = timed(lambda: drain(app))
    idling, _ = timed(app.cycle)
    rest = max(1, count - few)
    result: dict[str, object] = {
        "worksets": count,
        "complete": app.world.store.count({State.COMPLETE}),
        "submissions_per_second": round(rest / submitting, 1),
        "drained_per_second": round(rest / draining, 1),
        "drain_to_submit": round(draining / submitting, 2),
        "cycles": cycles,
        "idle_cycle_ms": round(idling * 1000, 2),
        f"idle_calls_at_{few}": idle_at_few,
        f"idle_calls_at_{count}": idle_cost(app, calls),
        "peak_mb": round(peak_mb(), 1),
        "sqlite": sqlite3.sqlite_version,
    }
    app.world.close()
    return result


def main(arguments: list[str] | None = None) -> None:
    """Measure, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_cycle", description=__doc__)
    parser.add_argument("worksets", nargs="?", type=int, default=1000)
    parser.add_argument("--home", type=Path, help="Folder of the store; else a temporary one.")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=given.home) as home:
        print(json.dumps(measure(Path(home), given.worksets), indent=2))


if __name__ == "__main__":
    main()
