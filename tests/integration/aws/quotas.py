"""Fifty submissions of a customer who may run five, and monitors that all launch at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from attrs import evolve

from daylily.adapters.document_identities import DocumentIdentities
from daylily.adapters.memory.compute import InMemoryCompute
from daylily.adapters.memory.notifier import InMemoryNotifier
from daylily.adapters.sentinel_store import ObjectSentinelStore
from daylily.adapters.system import SystemChance
from daylily.application.submit_workset import Submission
from daylily.bootstrap import App, World, compose
from daylily.config import Settings
from daylily.domain.customers import Principal
from daylily.domain.lifecycle import State
from daylily.domain.manifest import FastqPair, Sample
from daylily.ports.customers import Customers
from daylily.ports.documents import DocumentStore
from daylily.ports.object_store import ObjectStore
from daylily.ports.state_store import StateStore
from daylily.testing.clock import ManualClock
from daylily.testing.samples import a_customer

QUOTA: Final = 5
MONITORS: Final = 4
ADA: Final = Principal(name="ada", customer_id="acme")


def exactly_the_quota_runs(
    customers: Customers,
    objects: ObjectStore,
    clock: ManualClock,
    stores: Callable[[], tuple[StateStore, DocumentStore]],
    submissions: int = 50,
) -> None:
    """
    Check that of *submissions* made at once as many run as agreed upon, whoever launches them.

    Args:
        stores: Opens the stores as another process would.
    """
    customers.add(evolve(a_customer(), max_concurrent_worksets=QUOTA))
    engine = InMemoryCompute(clock, duration=None)
    settings = Settings(store="memory", engine="memory", max_concurrent=1000, workers=8)

    def process() -> App:
        store, documents = stores()
        world = World(
            store=store,
            objects=objects,
            sentinels=ObjectSentinelStore(objects, settings.prefix),
            compute=engine,
            notifier=InMemoryNotifier(),
            customers=customers,
            documents=documents,
            identities=DocumentIdentities(documents, clock),
            clock=clock,
            chance=SystemChance(),
        )
        return compose(settings, world)

    api, monitors = process(), [process() for _ in range(MONITORS)]
    objects.put("files/acme/a_R1.fastq", b"@r\nACGT\n+\nFFFF\n")
    sample = Sample(sample_id="S1", pairs=(FastqPair("a_R1.fastq"),))
    submission = Submission(name="one of many", pipeline="fastq-qc", samples=(sample,))
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda _: api.submit(ADA, "acme", submission), range(submissions)))
        starts = [monitor.cycle.start for monitor in monitors]
        ready = list(api.world.store.queue(limit=submissions).items)
        assert len(ready) == submissions
        # The worst that can be: each monitor has counted that nothing runs, and launches others.
        list(pool.map(lambda at: starts[at % MONITORS](ready[at], f"monitor-{at}"), range(len(ready))))
        assert _count(api, State.IN_PROGRESS) == QUOTA
        list(pool.map(lambda app: app.cycle(), monitors))
    assert _count(api, State.IN_PROGRESS) == QUOTA
    assert _count(api, State.READY) == submissions - QUOTA


def _count(app: App, state: State) -> int:
    return app.world.store.count({state})
