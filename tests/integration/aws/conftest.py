"""Real stores, one of each kind for every process that runs tests."""

from collections.abc import Iterator

import pytest

from tests.integration.aws import engines


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
