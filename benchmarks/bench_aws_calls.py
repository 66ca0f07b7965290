"""
What the steps of a workset cost in calls to AWS: ``python -m benchmarks.bench_aws_calls``.

Counts each request that boto3 sends to ministack, which plays AWS on loopback; nothing is timed. Beside
each stands the least that any design needs which keeps both ledgers and owes nobody anything then.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from attrs import define, evolve, field, frozen
from rich.console import Console
from rich.table import Table
from tests.integration.aws import engines

from daylily.adapters.aws.clients import Clients
from daylily.adapters.aws.customers import DynamoDBCustomers
from daylily.adapters.aws.documents import DynamoDBDocumentStore
from daylily.adapters.aws.dynamodb import DynamoDBStateStore
from daylily.adapters.aws.s3 import S3ObjectStore
from daylily.adapters.aws.schema import (
    create_customer_table,
    create_document_table,
    create_table,
)
from daylily.adapters.document_identities import DocumentIdentities
from daylily.adapters.memory.compute import InMemoryCompute
from daylily.adapters.memory.documents import InMemoryDocumentStore
from daylily.adapters.memory.notifier import InMemoryNotifier
from daylily.adapters.sentinel_store import ObjectSentinelStore
from daylily.application.register_workset import Registration
from daylily.application.submit_workset import Submission
from daylily.bootstrap import App, World, compose
from daylily.config import Settings
from daylily.domain.customers import Customer, Principal
from daylily.domain.errors import ConflictError
from daylily.domain.events import EventKind
from daylily.domain.manifest import FastqPair, Sample
from daylily.domain.workset import Workset
from daylily.testing.clock import ManualClock

ADA: Final = Principal(name="ada", customer_id="acme")
BUCKET: Final = "genomes"
TABLE: Final = "daylily-worksets"
REGION: Final = "us-west-2"
BY_NAME: Final = Registration(
    workset_id="by-name",
    customer_id="acme",
    submitted_by="ada",
    name="trio",
    samples=(Sample(sample_id="HG002", pairs=(FastqPair("s3://reads/HG002_R1.fastq.gz"),)),),
    pipeline="fastq-qc",
)
"""What `register_workset` of the guide makes of its arguments."""
ENDS: Final = frozenset({EventKind.COMPLETE, EventKind.ERROR, EventKind.FAILED})
"""What a channel such as Linear passes on."""


@frozen(kw_only=True)
class Story:
    """A step, what it cost, and what it has to cost whoever designs it."""

    name: str
    calls: Counter[str]
    least: str


@define
class Desk:
    """A world on AWS as ministack plays it, whose requests are counted."""

    app: App
    compute: InMemoryCompute
    notifier: InMemoryNotifier
    made: Counter[str] = field(factory=Counter)

    def took(self) -> Counter[str]:
        """Return the requests since the last look, by operation."""
        found = Counter(self.made)
        self.made.clear()
        return found

    def submit(self) -> Workset:
        """Submit a workset of one sample whose reads are uploaded."""
        sample = Sample(sample_id="NA12878", pairs=(FastqPair("a_R1.fastq", "a_R2.fastq"),))
        return self.app.submit(
            ADA, "acme", Submission(name="trio", pipeline="fastq-qc", samples=(sample,))
        )

    def run(self) -> Counter[str]:
        """Take a workset from ready to complete; return the requests that this took."""
        workset = self.app.world.store.get(self.submit().workset_id)
        self.took()
        running = self.app.cycle.start(workset, self.app.cycle.owner)
        launched = self.took()
        self.compute.end(workset.attempt_key)
        self.app.cycle.poll([running], running.cluster)
        return launched + self.took()


@contextmanager
def desk() -> Iterator[Desk]:
    """Make such a world."""
    with TemporaryDirectory() as folder, engines.ministack(Path(folder)) as endpoint:
        keys = {
            "AWS_ACCESS_KEY_ID": endpoint.access_key,
            "AWS_SECRET_ACCESS_KEY": endpoint.secret_key,
            "AWS_ENDPOINT_URL": endpoint.url,
            "AWS_CONFIG_FILE": os.devnull,
        }
        before = dict(os.environ)
        os.environ.update(keys)
        try:
            yield _made()
        finally:
            os.environ.clear()
            os.environ.update(before)


def _made() -> Desk:
    clients = Clients(region=REGION)
    dynamodb, s3 = clients.dynamodb(), clients.s3()
    create_table(dynamodb, TABLE)
    create_customer_table(dynamodb, f"{TABLE}-customers")
    create_document_table(dynamodb, f"{TABLE}-documents")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    clock = ManualClock()
    compute = InMemoryCompute(clock, duration=None)
    notifier = InMemoryNotifier()
    objects = S3ObjectStore(s3, BUCKET)
    settings = Settings(store="aws", engine="memory", bucket=BUCKET, table=TABLE, region=REGION)
    world = World(
        store=DynamoDBStateStore(dynamodb, TABLE, spill=objects, bucket=BUCKET, adopt_every=None),
        objects=objects,
        sentinels=ObjectSentinelStore(objects, settings.prefix, threads=4),
        compute=compute,
        notifier=notifier,
        customers=DynamoDBCustomers(dynamodb, f"{TABLE}-customers"),
        documents=DynamoDBDocumentStore(dynamodb, f"{TABLE}-documents", clock),
        identities=DocumentIdentities(InMemoryDocumentStore(clock), clock),
        clock=clock,
    )
    world.customers.add(Customer(customer_id="acme", name="Acme"))
    for name in ("a_R1.fastq", "a_R2.fastq"):
        objects.put(f"files/acme/{name}", b"@read\nACGT\n+\nFFFF\n")
    found = Desk(compose(settings, world), compute, notifier)

    def count(event_name: str, **_: Any) -> None:
        found.made[event_name.rsplit(".", 1)[-1]] += 1

    for client in (dynamodb, s3):
        client.meta.events.register("before-send", count)
    return found


def measure() -> Iterator[Story]:
    """Take a workset through its life, and yield what each step cost."""
    with desk() as world:
        app, store = world.app, world.app.world.store
        world.run()  # which also finds out what this store can do
        app.cycle()
        world.took()
        workset = world.submit()
        yield Story(
            name="submit (2 FASTQ files)",
            calls=world.took(),
            least="1 PutItem, 2 CopyObject, 4 PutObject",
        )
        app.register(BY_NAME)
        yield Story(
            name="register (reads in another bucket)",
            calls=world.took(),
            least="1 PutItem, 5 PutObject",
        )
        app.cancel(ADA, BY_NAME.workset_id)
        world.took()
        store.get(workset.workset_id)
        yield Story(name="read one", calls=world.took(), least="1 GetItem")
        stale = store.get(workset.workset_id)
        app.cycle.start(stale, app.cycle.owner)
        world.took()
        with _lost():
            store.save(evolve(stale, retries_used=1))
        yield Story(name="lose a lock", calls=world.took(), least="1 UpdateItem")

        least = "4 UpdateItem, 3 PutObject, 1 DeleteObjects"
        yield Story(name="ready to complete, telling all news", calls=world.run(), least=least)
        world.notifier.kinds = ENDS
        yield Story(name="ready to complete, telling the end", calls=world.run(), least=least)
        app.cycle()
        world.took()
        app.cycle()
        yield Story(name="a cycle with nothing to do", calls=world.took(), least="1 Query")


@contextmanager
def _lost() -> Iterator[None]:
    try:
        yield
    except ConflictError:
        return
    raise AssertionError("two have won")


def main() -> int:
    """Print the table."""
    table = Table("step", "calls", "in all", "the least", title="Calls to AWS (ministack, counted)")
    for story in measure():
        calls = ", ".join(f"{number} {name}" for name, number in sorted(story.calls.items()))
        table.add_row(story.name, calls, str(story.calls.total()), story.least)
    Console(width=150).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
