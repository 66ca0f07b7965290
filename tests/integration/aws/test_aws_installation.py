"""AWSInstallation on real engines, held to the contract of its port."""

import contextlib
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from botocore.exceptions import ClientError
from tests.integration.aws.engines import Endpoint
from tests.integration.aws.worlds import unheard, use_engines

from daylily.bootstrap import installation as installed
from daylily.config import Settings
from daylily.ports.installation import Installation
from daylily.testing.contracts.installation import InstallationContract

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.engine


class TestAWSInstallation(InstallationContract):
    """The contract, on ministack and SeaweedFS or whatever the environment names."""

    @pytest.fixture
    def settings(
        self,
        dynamodb_endpoint: Endpoint,
        s3_endpoint: Endpoint,
        s3: "S3Client",
        monkeypatch: pytest.MonkeyPatch,
    ) -> Iterator[Settings]:
        """Return settings whose names nobody has used."""
        use_engines(monkeypatch, dynamodb_endpoint, s3_endpoint)
        token = uuid.uuid4().hex[:12]
        bucket = f"daylily-{token}"
        yield Settings(
            store="aws", table=f"daylily-worksets-{token}", bucket=bucket, region="us-east-1"
        )
        with contextlib.suppress(ClientError):  # there is room for a few dozen only
            for each in s3.list_object_versions(Bucket=bucket).get("Versions", ()):
                s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
            s3.delete_bucket(Bucket=bucket)

    @pytest.fixture
    def installation(self, settings: Settings) -> Installation:
        """Return one of which nothing is there yet."""
        return installed(settings)


class TestWithoutTable(TestAWSInstallation):
    """The contract, in a bucket alone: nothing of DynamoDB is made, asked or permitted."""

    @pytest.fixture
    def installation(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Installation]:
        """Return one of which nothing is there yet; whoever asks DynamoDB all the same is heard."""
        with unheard() as address:
            monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", address)
            yield installed(evolve(settings, table="none"))

    def test_what_is_made(self, installation: Installation) -> None:
        """A bucket, and the customer in it."""
        things = {step.thing.split()[0] for step in installation.plan()}
        assert things == {"bucket", "versions", "encryption", "public", "lifecycle", "customer"}
