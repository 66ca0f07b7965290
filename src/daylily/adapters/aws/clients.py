"""Clients of AWS, made once a process: they are dear to make, and safe to share between threads."""

from typing import TYPE_CHECKING

import boto3
from attrs import field, frozen
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


@frozen(eq=False)
class Clients:
    """
    One session for all; credentials, profile and AWS_ENDPOINT_URL are found by boto3's own rules.

    Args:
        region: None: what the environment or the profile says.
        threads: How many threads will share each client.
        connect_timeout: Seconds.
        read_timeout: Seconds without a byte.
        attempts: How often one call is tried in all.
    """

    region: str | None = None
    threads: int = 32
    connect_timeout: float = 3.0
    read_timeout: float = 20.0
    attempts: int = 5
    _session: boto3.Session = field(init=False)

    @_session.default
    def _new_session(self) -> boto3.Session:
        return boto3.Session(region_name=self.region)

    def dynamodb(self, endpoint_url: str | None = None) -> "DynamoDBClient":
        """Return a client of DynamoDB."""
        return self._session.client("dynamodb", endpoint_url=endpoint_url, config=self._config())

    def s3(self, endpoint_url: str | None = None) -> "S3Client":
        """Return a client of S3."""
        return self._session.client("s3", endpoint_url=endpoint_url, config=self._config())

    def _config(self) -> Config:
        return Config(
            connect_timeout=self.connect_timeout,
            read_timeout=self.read_timeout,
            # Adaptive: what throttles one caller slows all threads that share the client.
            retries={"mode": "adaptive", "total_max_attempts": self.attempts},
            max_pool_connections=self.threads,
            tcp_keepalive=True,
        )
