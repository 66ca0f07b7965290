"""
What a monitor asks of AWS by how much is stored: ``python -m benchmarks.bench_scale [worksets ...]``.

Of N worksets 95 % are complete and 20 are ready, with no room to run them; the rest was canceled. Each
has 30 objects of results. Requests are counted on their way to moto, which plays DynamoDB in here; its
rows are those that the store itself writes, put into moto's table without the way by HTTP, which takes
it minutes. S3 is played in memory, page by page as S3 answers (1,000 names), for moto takes minutes to
hold 300,000 objects. Then launches a second, with 5 ms for each request on its way, by the settings as
they are; and the memory of a monitor.

A steady cycle asks for what is due, how what runs stands at the engine, where some may have come the
names of directories, and, unless all slots are taken, for the queue. What is not for every cycle takes
turns: a look at the directory of what runs, what has ended in error, rows of other systems, limits of
customers, a sign of life, and the signs of others. So no cycle makes more calls than may be, be it one
of many in a minute or the only one.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from attrs import define, evolve, field, frozen
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from benchmarks.bench_cycle import LOCAL, Calls, peak_mb
from daylily.adapters.aws.clients import Clients
from daylily.adapters.aws.dynamodb import DynamoDBStateStore
from daylily.adapters.aws.schema import create_table
from daylily.adapters.memory.compute import InMemoryCompute
from daylily.adapters.memory.customers import InMemoryCustomers
from daylily.adapters.memory.documents import InMemoryDocumentStore
from daylily.adapters.memory.notifier import InMemoryNotifier
from daylily.adapters.memory.object_store import InMemoryObjectStore
from daylily.adapters.memory.state_store import InMemoryStateStore
from daylily.adapters.sentinel_store import ObjectSentinelStore
from daylily.application.monitor_cycle import LOOK_EVERY
from daylily.bootstrap import App, compose, connect
from daylily.config import Settings
from daylily.domain.customers import Customer
from daylily.domain.workset import Workset
from daylily.ports.paging import Page
from daylily.ports.state_store import StateStore
from daylily.testing.clock import ManualClock
from daylily.testing.samples import NOON, a_manifest, a_workset, running, settled

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

CYCLES: Final = 200
POLLS: Final = {"2 s": timedelta(seconds=2), "60 s": timedelta(seconds=60)}
"""Rests between cycles: as they are unless told otherwise, and as the guide's example has them."""
SETTLING: Final = 8
"""Cycles, a minute apart, before those that are called steady."""
READY: Final = 20
RESULTS: Final = 30
LATENCY: Final = 0.005
READS: Final = ("sample_data/NA12878_R1.fastq.gz", "sample_data/NA12878_R2.fastq.gz")
REGION: Final = "us-west-2"
TABLE: Final = "worksets"


def stored(number: int) -> Iterator[Workset]:
    """Yield the worksets that are there."""
    complete = number * 95 // 100
    for index in range(number):
        workset = a_workset(f"ws-{index:06}", manifest=a_manifest(pipeline="fastq-qc"))
        if index < min(complete, number - READY):
            workset = running(workset).completed(at=NOON, actor="monitor-a")
        elif index < number - READY:
            workset = workset.request_cancel(by="ada", at=NOON)
        yield settled(workset)


@define
class LikeS3(InMemoryObjectStore):
    """Objects of which, as in S3, only a listing tells whether any have come."""

    def changed(self, prefix: str, mark: str | None) -> str | None:
        """Return a new mark every time."""
        return uuid.uuid4().hex


@define
class Site:
    """A world whose remote calls are counted."""

    store: StateStore
    objects: InMemoryObjectStore
    made: Counter[str] = field(factory=Counter)
    latency: float = 0.0
    slots: int = 1
    clock: ManualClock = field(factory=lambda: ManualClock(NOON + timedelta(days=1)))

    def app(self) -> App:
        """Return a new monitor."""
        clock = self.clock
        calls = Calls(self.made, self.latency)
        objects = calls.wrap(self.objects, "objects")
        customers = InMemoryCustomers()
        settings = Settings(store="memory", engine="memory", max_concurrent=max(self.slots, 1))
        world = evolve(
            connect(settings),
            store=self.store if self.latency == 0 else calls.wrap(self.store, "store"),
            objects=objects,
            sentinels=ObjectSentinelStore(objects),
            compute=calls.wrap(InMemoryCompute(clock, duration=None), "compute"),
            notifier=InMemoryNotifier(),
            customers=calls.wrap(customers, "customers"),
            documents=calls.wrap(InMemoryDocumentStore(clock), "documents"),
            clock=clock,
            chore=self.store.chore if isinstance(self.store, DynamoDBStateStore) else lambda: None,
        )
        for name in ("acme", "local"):
            customers.add(Customer(customer_id=name, name=name, max_concurrent_worksets=self.slots))
        return compose(settings, world)

    def took(self) -> dict[str, int]:
        """Return the calls since the last look, and forget them."""
        found = {name: number for name, number in sorted(self.made.items()) if name not in LOCAL}
        self.made.clear()
        return found


@frozen
class Straight:
    """DynamoDB as far as ``add`` has use for it: into the table of moto, past signatures and HTTP."""

    tables: Any

    def put_item(self, *, TableName: str, Item: Any, **_: Any) -> None:  # noqa: N803 - as boto3 has it
        """Put a row that is not there yet."""
        self.tables.put_item(TableName, Item, overwrite=True)


def fill(site: Site, number: int, results: int = RESULTS) -> None:
    """Store *number* worksets and their directories."""
    directories = ObjectSentinelStore(site.objects)
    tables = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION]
    store = DynamoDBStateStore(cast("DynamoDBClient", Straight(tables)), TABLE, adopt_every=None)
    for workset in stored(number):
        store.add(workset)
        name = workset.workset_id
        directories.publish(workset)
        for sentinel in workset.posted:
            directories.post(name, sentinel, workset.sentinel_body())
        for key in READS:
            site.objects.put(f"worksets/{name}/{key}", b"@r\nA\n+\nF\n")
        for result in range(results):
            site.objects.put(f"worksets/{name}/results/1/{result:02}", b"x")
    site.made.clear()


@contextmanager
def on_aws(number: int) -> Iterator[Site]:
    """Yield a site whose worksets are in DynamoDB as moto plays it."""
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_CONFIG_FILE": os.devnull}
    before = dict(os.environ)
    os.environ.update(keys)
    try:
        with mock_aws():
            client = Clients(region=REGION).dynamodb()
            create_table(client, TABLE)
            clock = ManualClock(NOON + timedelta(days=1))
            store = DynamoDBStateStore(client, TABLE, elapsed=lambda: clock().timestamp())
            site = Site(store, LikeS3(clock), clock=clock)

            def count(event_name: str, **_: Any) -> None:
                site.made["dynamodb." + event_name.rsplit(".", 1)[-1]] += 1

            client.meta.events.register("before-send", count)
            fill(site, number)
            yield site
    finally:
        os.environ.clear()
        os.environ.update(before)


def asked(number: int) -> dict[str, Any]:
    """Return what the cycles of a new monitor ask, where *number* worksets are stored."""
    with on_aws(number) as site:
        # One workset that runs takes the one slot: the ready ones wait.
        blocker = running(a_workset("blocker", manifest=a_manifest(pipeline="fastq-qc")))
        site.store.add(settled(blocker))
        app = site.app()
        app.world.compute.submit(_job(blocker))
        site.took()
        first = _cycle(app, site)
        for _ in range(SETTLING):  # what runs is looked at soon, and then less and less often
            _advance(app, LOOK_EVERY)
            _cycle(app, site)
        steady = {name: _steady(app, site, rest) for name, rest in POLLS.items()}
    return {
        "worksets": number,
        "first cycle": {**first, "in all": sum(first.values()), "may be": 2 * number // 1000 + 40},
        **{
            f"{CYCLES} steady cycles, one in {name}": {
                "median": statistics.median(totals := [sum(cycle.values()) for cycle in cycles]),
                "mean": round(statistics.mean(totals), 2),
                "most": max(totals),
                "may be": number / 1000 + 5,
                "calls": dict(sum(cycles, Counter())),
            }
            for name, cycles in steady.items()
        },
    }


def _steady(app: App, site: Site, rest: timedelta) -> list[Counter[str]]:
    """Return what each of many cycles asks for that have nothing to do."""
    cycles = []
    for _ in range(CYCLES):
        _advance(app, rest)
        cycles.append(Counter(_cycle(app, site, rest)))
    return cycles


def launched(number: int) -> dict[str, Any]:
    """Return how fast a monitor of usual settings launches ready worksets, each call taking 5 ms."""
    site = Site(InMemoryStateStore(), LikeS3(), slots=number)
    directories = ObjectSentinelStore(site.objects)
    for index in range(number):
        workset = settled(a_workset(f"ws-{index:06}", manifest=a_manifest(pipeline="fastq-qc")))
        site.store.add(workset)
        directories.publish(workset)
        for key in READS:
            site.objects.put(f"worksets/{workset.workset_id}/{key}", b"@r\nA\n+\nF\n")
        for sentinel in workset.posted:
            directories.post(workset.workset_id, sentinel, workset.sentinel_body())
    site.latency = LATENCY
    app = site.app()
    site.took()
    began = time.perf_counter()
    moved = cycles = 0
    while moved < number:
        report = app.cycle()
        assert report.moved, report.faults[:1]
        moved, cycles = moved + len(report.moved), cycles + 1
    seconds = time.perf_counter() - began
    calls = sum(site.took().values())
    return {
        "launched": moved,
        "cycles": cycles,
        "workers": app.settings.workers,
        "seconds": round(seconds, 1),
        "a second": round(moved / seconds, 1),
        "calls each": round(calls / moved, 1),
        "ratio to one call after the other": round(calls * LATENCY / seconds, 1),
    }


@define
class Endless(LikeS3):
    """Directories that are made when they are listed, so that they take no memory of their own."""

    number: int = 0

    def entries(self, prefix: str, *, cursor: str | None = None, limit: int = 1000) -> Page[str]:
        """Return a page of names."""
        start = int(cursor or 0)
        end = min(start + limit, self.number)
        names = tuple(f"worksets/workset-{index:08}-a1b2c3d4e5/" for index in range(start, end))
        return Page(names, str(end) if end < self.number else None)


@define
class AllKnown(InMemoryStateStore):
    """A store that has whatever it is asked for."""

    def known(self, workset_ids: Collection[str]) -> frozenset[str]:
        """Return all."""
        return frozenset(workset_ids)


def remembered(number: int) -> dict[str, Any]:
    """Return how much memory this process, a monitor of *number* worksets, has held."""
    app = Site(AllKnown(), Endless(number=number)).app()
    for _ in range(3):
        app.cycle()
        _advance(app, timedelta(minutes=10))
    return {"worksets": number, "peak_mb of a monitor": round(peak_mb(), 1), "may be": 200}


def _cycle(app: App, site: Site, rest: timedelta = LOOK_EVERY) -> dict[str, int]:
    """Return what a cycle asks for, with all that a monitor does beside it."""
    report = app.cycle()
    assert not report.faults, report.faults[0]
    app.heart.cycle_done(took=timedelta(seconds=1), faults=0, rest=rest)
    app.watch()
    return site.took()


def _job(workset: Workset) -> Any:
    from daylily.ports.compute import Job

    return Job(key=workset.attempt_key, directory="d", arguments=("true",))


def _advance(app: App, by: timedelta) -> None:
    clock = app.world.clock
    assert isinstance(clock, ManualClock)
    clock.advance(by)


def main() -> None:
    """Print one JSON object for each measurement."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_scale", description=__doc__)
    parser.add_argument("worksets", type=int, nargs="*", default=[100, 1_000, 10_000])
    machine = f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"
    print(f"{machine}; python -m benchmarks.bench_scale")
    for number in parser.parse_args().worksets:
        print(json.dumps(asked(number)), flush=True)
    print(json.dumps(launched(1000)), flush=True)
    alone = [sys.executable, "-c", "from benchmarks.bench_scale import *; report_memory(100_000)"]
    subprocess.run(alone, check=True)


def report_memory(number: int) -> None:
    """Print the memory of a monitor: of this process, so it must have done nothing else."""
    print(json.dumps(remembered(number)), flush=True)


if __name__ == "__main__":
    main()
