"""The ledger on real stores: rows and sentinels that are lost come back, by counted calls."""

import uuid
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from daylily.adapters.aws.customers import DynamoDBCustomers
from daylily.adapters.aws.dynamodb import DynamoDBStateStore
from daylily.adapters.aws.s3 import S3ObjectStore
from daylily.adapters.aws.schema import create_customer_table, create_table
from daylily.adapters.document_identities import DocumentIdentities
from daylily.adapters.memory.compute import InMemoryCompute
from daylily.adapters.memory.documents import InMemoryDocumentStore
from daylily.adapters.memory.notifier import InMemoryNotifier
from daylily.adapters.sentinel_store import ObjectSentinelStore
from daylily.adapters.system import SystemChance
from daylily.application.mend_ledger import Outcome
from daylily.application.submit_workset import Submission
from daylily.bootstrap import App, World, compose
from daylily.config import Settings
from daylily.domain.customers import Principal
from daylily.domain.divergences import DivergenceKind, Side
from daylily.domain.manifest import FastqPair, Sample
from daylily.domain.sentinels import Sentinel
from daylily.testing.clock import ManualClock
from daylily.testing.samples import a_customer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.engine

ADA = Principal(name="ada", customer_id="acme")
NUMBER = 6


def an_app(dynamodb: "DynamoDBClient", s3: "S3Client", bucket: str, prefix: str) -> App:
    """Return an App on new tables."""
    name = uuid.uuid4().hex[:12]
    create_table(dynamodb, f"worksets-{name}")
    create_customer_table(dynamodb, f"customers-{name}")
    objects = S3ObjectStore(s3, bucket)
    clock = ManualClock()
    world = World(
        store=DynamoDBStateStore(
            dynamodb, f"worksets-{name}", spill=objects, prefix=prefix, adopt_every=None
        ),
        objects=objects,
        sentinels=ObjectSentinelStore(objects, prefix),
        compute=InMemoryCompute(clock, duration=None),
        notifier=InMemoryNotifier(),
        customers=DynamoDBCustomers(dynamodb, f"customers-{name}"),
        documents=InMemoryDocumentStore(clock),
        identities=DocumentIdentities(InMemoryDocumentStore(clock), clock),
        clock=clock,
        chance=SystemChance(),
    )
    world.customers.add(evolve(a_customer(), max_concurrent_worksets=100))
    return compose(Settings(store="memory", engine="memory", prefix=prefix, max_concurrent=2), world)


def test_lost_rows_and_sentinels_come_back(
    dynamodb: "DynamoDBClient", s3: "S3Client", bucket: str
) -> None:
    """A row that is deleted, a sentinel that is deleted, and at last the whole table."""
    prefix = f"ledger-{uuid.uuid4().hex[:8]}/"
    app = an_app(dynamodb, s3, bucket, prefix)
    for file in ("a_R1.fastq", "a_R2.fastq"):
        app.world.objects.put(f"files/acme/{file}", b"@read\nACGT\n+\nFFFF\n")
    sample = Sample(sample_id="NA1", pairs=(FastqPair("a_R1.fastq", "a_R2.fastq"),))
    submission = Submission(name="trio", pipeline="fastq-qc", samples=(sample,))
    ids = sorted(app.submit(ADA, "acme", submission).workset_id for _ in range(NUMBER))
    app.cycle()
    assert list(app.check()) == []

    store = app.world.store
    assert isinstance(store, DynamoDBStateStore)
    running = [each.workset_id for each in store.scan().items if getattr(each, "running", None)]
    ready = [each for each in ids if each not in running]
    dynamodb.delete_item(TableName=store.table, Key={"workset_id": {"S": running[0]}})
    dynamodb.delete_item(TableName=store.table, Key={"workset_id": {"S": ready[0]}})
    assert app.world.objects.delete(f"{prefix}{ready[1]}/{Sentinel.READY}")
    found = {each.workset_id: each.kind for each in app.check()}
    assert found == {
        running[0]: DivergenceKind.NOT_IN_STORE,
        ready[0]: DivergenceKind.NOT_IN_STORE,
        ready[1]: DivergenceKind.SENTINELS,
    }
    assert [each.outcome for each in app.mend(dry_run=True)] == [Outcome.WOULD_MEND] * 3
    assert [each.outcome for each in app.mend()] == [Outcome.MENDED] * 3
    assert list(app.check()) == []

    anew = an_app(dynamodb, s3, bucket, prefix)
    anew = compose(anew.settings, evolve(anew.world, compute=app.world.compute))
    assert [each.outcome for each in anew.mend(trust=Side.SENTINELS)] == [Outcome.MENDED] * NUMBER
    assert list(anew.check()) == []
    for workset_id in ids:
        was, now = store.get(workset_id), anew.world.store.get(workset_id)
        assert (now.state, now.customer_id, now.name) == (was.state, was.customer_id, was.name)
        assert list(now.manifest.files()) == list(was.manifest.files())
