"""The monitor as a function of AWS Lambda, on AWS as moto plays it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from attrs import frozen

from daylily.adapters.aws.schema import create_customer_table
from daylily.config import ConfigError
from daylily.entrypoints import aws_lambda

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@frozen
class Context:
    """What Lambda tells a function of itself."""

    seconds: float = 60
    function_name: str = "daylily-monitor"

    def get_remaining_time_in_millis(self) -> int:
        """Return the time until it is stopped."""
        return int(self.seconds * 1000)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> Iterator[None]:
    """Set what a function always has, and begin each test as a new process would."""
    aws_lambda._app.cache_clear()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_REGION": "us-east-1",
        "DAYLILY_HOME": str(tmp_path),
        "DAYLILY_ENGINE": "slurm",
        "DAYLILY_SLURM_FOLDER": "/shared/daylily",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("S3_BUCKET", raising=False)
    yield
    aws_lambda._app.cache_clear()


def test_one_cycle(
    monkeypatch: pytest.MonkeyPatch, dynamodb: "DynamoDBClient", table: str, bucket: str
) -> None:
    """A call is a cycle, which tells what it did, and leaves a sign that it has been called."""
    create_customer_table(dynamodb, f"{table}-customers")
    monkeypatch.setenv("S3_BUCKET", bucket)
    monkeypatch.setenv("WORKSET_TABLE_NAME", table)
    assert aws_lambda.handler({}, Context()) == {"moved": [], "settled": 0, "faults": []}
    [heard] = aws_lambda._app().monitors()
    assert (heard.beat.name, heard.beat.rest) == ("daylily-monitor-once", None)


def test_what_is_not_set_up_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it at once, before anything is asked of AWS (D-63)."""
    monkeypatch.setenv("DAYLILY_ENGINE", "local")
    with pytest.raises(ConfigError) as caught:
        aws_lambda.handler({}, Context())
    assert [fault.place for fault in caught.value.faults] == ["bucket", "engine"]
