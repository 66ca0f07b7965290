"""Index logs, reports and signs of life on AWS as moto plays it."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from click.testing import CliRunner

from daylily.adapters.aws.schema import create_customer_table
from daylily.adapters.memory.compute import InMemoryCompute
from daylily.adapters.system import utc_now
from daylily.bootstrap import App, compose, connect
from daylily.config import Settings
from daylily.domain.sentinels import Sentinel
from daylily.entrypoints.cli import cli
from daylily.testing.samples import a_workset, settled

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


@pytest.fixture
def app(dynamodb: "DynamoDBClient", table: str, bucket: str) -> App:
    """A monitor that keeps index logs, and a workset that has ended."""
    create_customer_table(dynamodb, f"{table}-customers")
    settings = Settings(
        store="aws", engine="memory", region="us-east-1", table=table, bucket=bucket,
        index_prefix="logs/",
    )  # fmt: skip
    world = evolve(connect(settings), compute=InMemoryCompute(utc_now, duration=None))
    app = compose(settings, world)
    world.store.add(settled(a_workset("ws-1")).ignore(by="ada", at=utc_now()))
    return app


def text(s3: "S3Client", bucket: str, key: str) -> str:
    """Return the text of an object."""
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()


def test_index_logs(app: App, s3: "S3Client", bucket: str) -> None:
    """All six are there after a cycle, five of them empty."""
    assert app.cycle().faults == []
    logs = {sentinel: text(s3, bucket, f"logs/{sentinel}.log") for sentinel in Sentinel}
    assert logs.pop(Sentinel.IGNORE).startswith("ws-1\t")
    assert set(logs.values()) == {""}
    assert app.cycle.index is not None
    assert compose(app.settings, app.world).cycle.index is not app.cycle.index
    assert not compose(app.settings, app.world).cycle.index()  # type: ignore[misc]


@pytest.mark.parametrize("own", [True, False], ids=["own bucket", "another bucket"])
def test_a_report_in_s3(
    app: App, s3: "S3Client", bucket: str, own: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is written to the bucket that the target names, and monitors there are listed."""
    there = bucket if own else f"{bucket}-reports"
    if not own:
        s3.create_bucket(Bucket=there)
    for name, value in {
        "S3_BUCKET": bucket,
        "WORKSET_TABLE_NAME": app.settings.table,
        "AWS_REGION": "us-east-1",
        "DAYLILY_HOME": str(tmp_path),
        "DAYLILY_ENGINE": "memory",
    }.items():
        monkeypatch.setenv(name, value)

    made = CliRunner().invoke(cli, ["report", f"s3://{there}/reports/all.tsv", "--sizes"])
    assert made.exit_code == 0, made.output
    head, line = text(s3, there, "reports/all.tsv").splitlines()
    assert head.startswith("Workset\tState\t")
    assert line.startswith("ws-1\tignored\t")

    app.heart.cycle_failed(rest=app.settings.poll_interval)
    told = CliRunner().invoke(cli, ["monitor", "status"])
    assert "failing (1 in a row)" in told.stdout
