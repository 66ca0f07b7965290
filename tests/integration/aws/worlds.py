"""Clients of the stores that tests use, counted: who calls what how often."""

import contextlib
import os
import socket
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from attrs import field, frozen
from botocore.config import Config
from tests.integration.aws.engines import Endpoint

from daylily.adapters.aws.schema import create_table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

_QUICK = Config(
    connect_timeout=5,
    read_timeout=60,
    retries={"mode": "standard", "total_max_attempts": 1},
    max_pool_connections=64,
)


def dynamodb_client(
    endpoint: Endpoint | None = None, config: Config = _QUICK, region: str | None = None
) -> "DynamoDBClient":
    """Return a client; without an endpoint one that moto answers."""
    return boto3.client("dynamodb", config=config, **_where(endpoint, region))


def s3_client(
    endpoint: Endpoint | None = None, config: Config = _QUICK, region: str | None = None
) -> "S3Client":
    """Return a client; without an endpoint one that moto answers."""
    return boto3.client("s3", config=config, **_where(endpoint, region))


def moto_client(service: str) -> Any:
    """Return a client of any service, which moto answers."""
    return boto3.client(service, **_where(None, None))  # type: ignore[call-overload]


def _where(endpoint: Endpoint | None, region: str | None) -> dict[str, Any]:
    found = endpoint or Endpoint("", "test", "test")
    return {
        "endpoint_url": found.url or None,
        "aws_access_key_id": found.access_key,
        "aws_secret_access_key": found.secret_key,
        "region_name": region or found.region,
    }


def a_table(client: "DynamoDBClient") -> str:
    """Create a table of a name that no other test has."""
    return create_table(client, f"daylily-worksets-{uuid.uuid4().hex[:12]}")


def a_bucket(client: "S3Client") -> str:
    """Create a bucket of a name that no other test has."""
    name = f"daylily-{uuid.uuid4().hex[:12]}"
    client.create_bucket(Bucket=name)
    return name


@frozen
class Calls:
    """What a client has asked for, since the last look."""

    made: Counter[str] = field(factory=Counter)

    def take(self) -> dict[str, int]:
        """Return the calls by operation, and forget them."""
        found = dict(self.made)
        self.made.clear()
        return found


def counted(client: Any) -> Calls:
    """Count what a client sends, attempts of botocore's own included."""
    calls = Calls()

    def count(event_name: str, **_: object) -> None:
        calls.made[event_name.rsplit(".", 1)[-1]] += 1

    client.meta.events.register("before-send", count)
    return calls


@contextlib.contextmanager
def unheard() -> Iterator[str]:
    """Yield an address that nobody may ask; whoever does waits for ever, and fails the test."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


def use_engines(monkeypatch: pytest.MonkeyPatch, dynamodb: Endpoint, s3: Endpoint) -> None:
    """Let boto3 find the engines by its own variables, and nothing of the tester's."""
    environ = {
        "AWS_ENDPOINT_URL_DYNAMODB": dynamodb.url,
        "AWS_ENDPOINT_URL_S3": s3.url,
        "AWS_ACCESS_KEY_ID": s3.access_key,
        "AWS_SECRET_ACCESS_KEY": s3.secret_key,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
