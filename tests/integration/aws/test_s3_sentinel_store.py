"""ObjectSentinelStore in a bucket of a real S3 engine, held to the contract of its port."""

import pytest

from daylily.adapters.aws.s3 import S3ObjectStore
from daylily.adapters.sentinel_store import ObjectSentinelStore
from daylily.ports.sentinel_store import SentinelStore
from daylily.testing.contracts.sentinel_store import Drawer, ObjectDrawer, SentinelStoreContract

pytestmark = pytest.mark.engine


class TestS3SentinelStore(SentinelStoreContract):
    """The contract, in a bucket."""

    @pytest.fixture
    def drawer(self, objects: S3ObjectStore) -> ObjectDrawer:
        """Return a way past the store."""
        return ObjectDrawer(objects)

    @pytest.fixture
    def store(self, drawer: Drawer) -> SentinelStore:
        """Return a store in which there is no directory yet."""
        assert isinstance(drawer, ObjectDrawer)
        return ObjectSentinelStore(drawer.objects)
