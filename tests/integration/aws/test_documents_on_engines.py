"""DynamoDBDocumentStore and ObjectDocumentStore on real engines, held to the contract of their port."""

import uuid
from typing import TYPE_CHECKING

import pytest

from daylily.adapters.aws.documents import DynamoDBDocumentStore
from daylily.adapters.aws.s3 import S3ObjectStore
from daylily.adapters.aws.schema import create_document_table
from daylily.adapters.object_documents import ObjectDocumentStore
from daylily.ports.documents import DocumentStore
from daylily.testing.clock import ManualClock
from daylily.testing.contracts.documents import DocumentStoreContract

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.engine


class TestDynamoDBDocumentStore(DocumentStoreContract):
    """The contract, on ministack or whatever the environment names."""

    @pytest.fixture
    def documents(self, dynamodb: "DynamoDBClient", clock: ManualClock) -> DocumentStore:
        """Return a store of no documents."""
        name = f"daylily-worksets-{uuid.uuid4().hex[:12]}-documents"
        return DynamoDBDocumentStore(dynamodb, create_document_table(dynamodb, name), clock)


class TestDocumentsInS3(DocumentStoreContract):
    """The contract, on SeaweedFS or whatever the environment names."""

    runners = 8

    @pytest.fixture
    def documents(self, objects: S3ObjectStore, clock: ManualClock) -> DocumentStore:
        """Return a store of no documents."""
        return ObjectDocumentStore(objects, clock)
