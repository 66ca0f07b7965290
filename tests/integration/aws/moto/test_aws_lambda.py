"""The monitor as a function of AWS Lambda, on AWS as moto plays it."""

import json
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import structlog
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
    aws_request_id: str = "8f5f1e1c"

    def get_remaining_time_in_millis(self) -> int:
        """Return the time until it is stopped."""
        return int(self.seconds * 1000)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> Iterator[None]:
    """Set what a function always has, and begin each test as a new process would."""
    aws_lambda._app.cache_clear()
    aws_lambda._figures.cache_clear()
    handlers = logging.getLogger().handlers[:]
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
    logging.getLogger().handlers[:] = handlers
    structlog.reset_defaults()
    aws_lambda._app.cache_clear()
    aws_lambda._figures.cache_clear()


def test_one_cycle(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    dynamodb: "DynamoDBClient",
    table: str,
    bucket: str,
) -> None:
    """A call is a cycle, which tells what it did, and leaves a sign that it has been called."""
    create_customer_table(dynamodb, f"{table}-customers")
    monkeypatch.setenv("S3_BUCKET", bucket)
    monkeypatch.setenv("WORKSET_TABLE_NAME", table)
    assert aws_lambda.handler({}, Context()) == {"moved": [], "settled": 0, "faults": []}
    [heard] = aws_lambda._app().monitors()
    assert (heard.beat.name, heard.beat.rest) == ("daylily-monitor-once", None)
    told = capsys.readouterr()
    (line,) = told.out.splitlines()
    figures = json.loads(line)
    assert (figures["Installation"], figures["Cycles"], figures["WorksetsReady"]) == (bucket, 1, 0)
    logged = [json.loads(each) for each in told.err.splitlines()]
    assert logged
    assert {each["request_id"] for each in logged} == {"8f5f1e1c"}


def test_what_is_not_set_up_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it at once, before anything is asked of AWS (D-63)."""
    monkeypatch.setenv("DAYLILY_ENGINE", "local")
    with pytest.raises(ConfigError) as caught:
        aws_lambda.handler({}, Context())
    assert [fault.place for fault in caught.value.faults] == ["bucket", "engine"]
