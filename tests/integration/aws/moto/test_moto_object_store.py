"""S3ObjectStore on moto, held to the contract of its port."""

from typing import TYPE_CHECKING

import pytest

from daylily.adapters.aws.s3 import S3ObjectStore
from daylily.ports.object_store import ObjectStore
from daylily.testing.contracts.object_store import ObjectStoreContract

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class TestMotoObjectStore(ObjectStoreContract):
    """The contract; threads that race prove nothing here, and do so on a real engine."""

    folder = ""

    @pytest.fixture
    def store(self, s3: "S3Client", bucket: str) -> ObjectStore:
        """Return an empty store."""
        return S3ObjectStore(s3, bucket, self.folder)

    def test_one_of_many_creates(self, store: ObjectStore) -> None:
        """Proved on a real engine."""

    def test_one_of_many_deletes(self, store: ObjectStore) -> None:
        """Proved on a real engine."""

    def test_a_newer_object_is_never_deleted(self, store: ObjectStore) -> None:
        """Proved on a real engine."""


class TestMotoObjectStoreInAFolder(TestMotoObjectStore):
    """The contract, in a folder of a bucket that holds other things."""

    folder = "control/"

    @pytest.fixture
    def bucket(self, s3: "S3Client", bucket: str) -> str:
        """Return a bucket that others use too."""
        for key in ("a", "contro", "control", "controlled/a", "zzz/a"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"not ours")
        return bucket
