"""Clients of AWS, made once a process: they are dear to make, and safe to share between threads."""

from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from attrs import field, frozen
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from daylily.adapters.aws.credentials import NONE, Identity, trouble
from daylily.adapters.aws.pages import refuse_pages
from daylily.adapters.remote_calls import CALLS
from daylily.domain.errors import InvalidInputError, UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_ssm import SSMClient


@frozen(eq=False)
class Clients:
    """
    One session for all; credentials, profile and AWS_ENDPOINT_URL are found by boto3's own rules.

    Args:
        region: None: what the environment or the profile says.
        profile: None: the one that boto3 finds.
        threads: How many threads will share each client.
        connect_timeout: Seconds.
        read_timeout: Seconds without a byte.
        attempts: How often one call is tried in all.

    Raises:
        InvalidInputError: What boto3 reads of its own settings makes no sense; all methods may.
    """

    region: str | None = None
    profile: str | None = None
    threads: int = 32
    connect_timeout: float = 3.0
    read_timeout: float = 20.0
    attempts: int = 5
    _session: boto3.Session = field(init=False)

    @_session.default
    def _new_session(self) -> boto3.Session:
        try:
            return boto3.Session(region_name=self.region, profile_name=self.profile)
        except BotoCoreError as error:
            raise InvalidInputError.of("AWS_PROFILE", str(error)) from error

    def dynamodb(self, endpoint_url: str | None = None) -> "DynamoDBClient":
        """Return a client of DynamoDB."""
        return self._client("dynamodb", endpoint_url)  # type: ignore[no-any-return]

    def s3(self, endpoint_url: str | None = None) -> "S3Client":
        """Return a client of S3."""
        # Said in so many words, since addresses are otherwise signed in the way of 2006.
        return self._client("s3", endpoint_url, signature_version="s3v4")  # type: ignore[no-any-return]

    def sns(self, endpoint_url: str | None = None) -> "SNSClient":
        """Return a client of SNS."""
        return self._client("sns", endpoint_url)  # type: ignore[no-any-return]

    def batch(self, endpoint_url: str | None = None) -> "BatchClient":
        """Return a client of Batch."""
        return self._client("batch", endpoint_url)  # type: ignore[no-any-return]

    def logs(self, endpoint_url: str | None = None) -> "CloudWatchLogsClient":
        """Return a client of CloudWatch's logs."""
        return self._client("logs", endpoint_url)  # type: ignore[no-any-return]

    def ssm(self, endpoint_url: str | None = None) -> "SSMClient":
        """Return a client of Systems Manager."""
        return self._client("ssm", endpoint_url)  # type: ignore[no-any-return]

    def ec2(self, endpoint_url: str | None = None) -> "EC2Client":
        """Return a client of EC2."""
        return self._client("ec2", endpoint_url)  # type: ignore[no-any-return]

    def cognito(self, endpoint_url: str | None = None) -> "CognitoIdentityProviderClient":
        """
        Return a client of Cognito's user pools.

        Raises:
            InvalidInputError: What boto3 reads of its own settings makes no sense.
        """
        return self._client("cognito-idp", endpoint_url)  # type: ignore[no-any-return]

    def regions(self) -> frozenset[str]:
        """Return the regions of AWS that this boto3 knows."""
        partitions = self._session.get_available_partitions()
        return frozenset(
            region
            for partition in partitions
            for region in self._session.get_available_regions("dynamodb", partition_name=partition)
        )

    def identity(self) -> Identity:
        """
        Get credentials as a call would, and return where they come from.

        Raises:
            UnavailableError: There are none, or none that hold; the message says what to do.
        """
        try:
            credentials = self._session.get_credentials()
            if credentials is None:
                raise UnavailableError(f"there are no AWS credentials: {NONE}")
            credentials.get_frozen_credentials()
        except (BotoCoreError, ClientError) as error:
            raise UnavailableError(trouble(error) or str(error)) from error
        return Identity(str(credentials.method), self._session.profile_name)

    def identity_without_keys(self) -> Identity | None:
        """
        Return where a job on this machine finds credentials, which inherits no keys; None if nowhere.

        Raises:
            UnavailableError: What is found does not hold; the message says what to do.
        """
        try:
            session = botocore.session.Session(profile=self.profile)
            found = session.get_component("credential_provider")
            found.remove("env")
            credentials = found.load_credentials()
        except (BotoCoreError, ClientError) as error:
            raise UnavailableError(trouble(error) or str(error)) from error
        return credentials and Identity(str(credentials.method), self._session.profile_name)

    def _client(self, service: str, endpoint_url: str | None, **more: Any) -> Any:
        try:
            config = self._config(**more)
            client: Any = self._session.client(service, endpoint_url=endpoint_url, config=config)  # type: ignore[call-overload]
        except (BotoCoreError, ValueError) as error:
            raise InvalidInputError.of(f"AWS ({service})", str(error)) from error
        CALLS.watch(client)
        refuse_pages(client)
        return client

    def _config(self, **more: Any) -> Config:
        return Config(
            connect_timeout=self.connect_timeout,
            read_timeout=self.read_timeout,
            # Adaptive: what throttles one caller slows all threads that share the client.
            retries={"mode": "adaptive", "total_max_attempts": self.attempts},
            max_pool_connections=self.threads,
            tcp_keepalive=True,
            **more,
        )
