"""Real stores, one of each kind for every process that runs tests."""

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from tests.integration.aws import engines
from tests.integration.aws.worlds import a_bucket, dynamodb_client, s3_client

from daylily.adapters.aws.s3 import S3ObjectStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


@pytest.fixture(scope="session")
def dynamodb_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[engines.Endpoint]:
    """Return a DynamoDB that takes conditional writes in earnest."""
    with engines.dynamodb(tmp_path_factory.mktemp("ministack")) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[engines.Endpoint]:
    """Return an S3 that takes conditional writes in earnest."""
    with engines.s3(tmp_path_factory.mktemp("seaweedfs")) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def dynamodb(dynamodb_endpoint: engines.Endpoint) -> "DynamoDBClient":
    """Return a client of the real DynamoDB engine."""
    return dynamodb_client(dynamodb_endpoint)


@pytest.fixture(scope="session")
def s3(s3_endpoint: engines.Endpoint) -> "S3Client":
    """Return a client of the real S3 engine."""
    return s3_client(s3_endpoint)


@pytest.fixture(scope="session")
def bucket(s3: "S3Client") -> str:
    """Return a bucket that all tests share: SeaweedFS has room for a few dozen only."""
    return a_bucket(s3)


@pytest.fixture
def objects(s3: "S3Client", bucket: str) -> S3ObjectStore:
    """Return an empty object store on the real S3 engine."""
    return S3ObjectStore(s3, bucket, f"{uuid.uuid4().hex}/")
