"""ObjectSentinelStore in a bucket of moto, held to the contract of its port."""

from typing import TYPE_CHECKING

import pytest
from tests.integration.aws.worlds import a_bucket

from daylily.adapters.aws.s3 import S3ObjectStore
from daylily.adapters.sentinel_store import ObjectSentinelStore
from daylily.ports.sentinel_store import SentinelStore
from daylily.testing.contracts.sentinel_store import (
    Drawer,
    ObjectDrawer,
    SequentialSentinelStoreContract,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class TestMotoSentinelStore(SequentialSentinelStoreContract):
    """The contract without its races: here they would prove nothing, and they run on a real engine."""

    @pytest.fixture
    def drawer(self, s3: "S3Client") -> ObjectDrawer:
        """Return a way past the store."""
        return ObjectDrawer(S3ObjectStore(s3, a_bucket(s3)))

    @pytest.fixture
    def store(self, drawer: Drawer) -> SentinelStore:
        """Return a store in which there is no directory yet."""
        assert isinstance(drawer, ObjectDrawer)
        return ObjectSentinelStore(drawer.objects)
