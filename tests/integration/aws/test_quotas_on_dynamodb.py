"""Quotas on a real DynamoDB engine: monitors that all launch at once."""

import uuid
from typing import TYPE_CHECKING

import pytest
from tests.integration.aws.quotas import exactly_the_quota_runs
from tests.integration.aws.worlds import a_table

from daylily.adapters.aws.documents import DynamoDBDocumentStore
from daylily.adapters.aws.dynamodb import DynamoDBStateStore
from daylily.adapters.aws.schema import create_document_table
from daylily.adapters.memory.customers import InMemoryCustomers
from daylily.adapters.memory.object_store import InMemoryObjectStore
from daylily.testing.clock import ManualClock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.engine


def test_d_56_fifty_against_a_quota_of_five(dynamodb: "DynamoDBClient") -> None:
    """D-56: What was agreed upon is enforced: of 50 submitted at once, exactly 5 run."""
    clock, objects = ManualClock(), InMemoryObjectStore()
    table = a_table(dynamodb)
    notes = create_document_table(dynamodb, f"daylily-worksets-{uuid.uuid4().hex[:12]}-documents")

    def stores() -> tuple[DynamoDBStateStore, DynamoDBDocumentStore]:
        store = DynamoDBStateStore(dynamodb, table, spill=objects, adopt_every=None)
        return store, DynamoDBDocumentStore(dynamodb, notes, clock)

    exactly_the_quota_runs(InMemoryCustomers(), objects, clock, stores)
