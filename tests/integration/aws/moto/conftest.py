"""AWS as moto plays it, in this process."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from moto import mock_aws
from tests.integration.aws.worlds import a_bucket, a_table, dynamodb_client, s3_client

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


@pytest.fixture(autouse=True)
def _moto() -> Iterator[None]:
    """Let nothing of these tests get out, and begin each with nothing."""
    with mock_aws():
        yield


@pytest.fixture
def dynamodb() -> "DynamoDBClient":
    """Return a client of this test's own: what it lets go wrong ends with it."""
    return dynamodb_client()


@pytest.fixture
def s3() -> "S3Client":
    """Return a client."""
    return s3_client()


@pytest.fixture
def table(dynamodb: "DynamoDBClient") -> str:
    """Return the name of an empty table."""
    return a_table(dynamodb)


@pytest.fixture
def bucket(s3: "S3Client") -> str:
    """Return the name of an empty bucket."""
    return a_bucket(s3)
