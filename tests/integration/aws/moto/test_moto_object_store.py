"""S3ObjectStore on moto, held to the contract of its port."""

from typing import TYPE_CHECKING

import pytest

from daylily.adapters.aws.s3 import S3ObjectStore
from daylily.ports.object_store import ObjectStore
from daylily.testing.contracts.object_store import SequentialObjectStoreContract
from daylily.testing.contracts.outages import BrokenObjectStoreContract

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class TestMotoObjectStore(SequentialObjectStoreContract):
    """The contract without its races: here they would prove nothing, and they run on a real engine."""

    folder = ""

    @pytest.fixture
    def store(self, s3: "S3Client", bucket: str) -> ObjectStore:
        """Return an empty store."""
        return S3ObjectStore(s3, bucket, self.folder)


class TestMotoObjectStoreInAFolder(TestMotoObjectStore):
    """The contract, in a folder of a bucket that holds other things."""

    folder = "control/"

    @pytest.fixture
    def bucket(self, s3: "S3Client", bucket: str) -> str:
        """Return a bucket that others use too."""
        for key in ("a", "contro", "control", "controlled/a", "zzz/a"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"not ours")
        return bucket


class TestBrokenObjectStore(BrokenObjectStoreContract):
    """What it owes when its bucket is not there."""

    @pytest.fixture
    def store(self, s3: "S3Client") -> ObjectStore:
        """Return the store of a bucket that nobody has made."""
        return S3ObjectStore(s3, "daylily-nowhere")
