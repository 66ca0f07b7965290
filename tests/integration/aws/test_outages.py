"""The bucket away for an hour, or the table: what people hear of it, and what is left of it after."""

import json
import os
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from attrs import evolve, frozen
from botocore.retries.standard import ExponentialBackoff
from click.testing import CliRunner
from litestar.testing import TestClient
from tests.integration.aws.engines import Endpoint
from tests.integration.aws.line import Line
from tests.integration.aws.worlds import use_engines

from daylily.adapters.aws.schema import create_customer_table, create_document_table, create_table
from daylily.adapters.memory.compute import InMemoryCompute
from daylily.adapters.system import utc_now
from daylily.bootstrap import App, compose, connect
from daylily.config import load
from daylily.domain.customers import Customer
from daylily.domain.lifecycle import State
from daylily.domain.sentinels import Sentinel
from daylily.entrypoints.cli import cli
from daylily.entrypoints.http.app import create_asgi
from daylily.testing.clock import ManualClock

pytestmark = pytest.mark.engine

MINE: Final = "/api/customers/local"
TOKEN: Final = "correct-horse-battery-staple-0123456789"
READS: Final = b"@read\nACGT\n+\nFFFF\n"
BODY: Final = {
    "workset_name": "trio",
    "pipeline_type": "fastq-qc",
    "samples": [{"sample_id": "HG002", "r1_file": "a_R1.fastq"}],
}


@frozen
class Site:
    """A server and a monitor, whose lines to their stores can be cut."""

    app: App
    clock: ManualClock
    client: Any
    table: Line
    bucket: Line

    def rows(self) -> list[str]:
        """Return the ids of all worksets."""
        return [workset.workset_id for workset in self.app.world.store.scan().items]

    def objects(self) -> list[str]:
        """Return the keys of all objects below the prefix."""
        return [info.key for info in self.app.world.objects.list(self.app.settings.prefix).items]


@pytest.fixture
def site(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    dynamodb: Any,
    dynamodb_endpoint: Endpoint,
    s3_endpoint: Endpoint,
    bucket: str,
) -> Iterator[Site]:
    """Return one whose customer has uploaded a file."""
    # botocore would wait for seconds between its tries.
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0.0)
    lines = Line(dynamodb_endpoint), Line(s3_endpoint)
    use_engines(monkeypatch, *(line.endpoint for line in lines))
    token = uuid.uuid4().hex[:8]
    environ = {
        "AWS_REGION": "us-east-1",
        "S3_BUCKET": bucket,
        "S3_PREFIX": f"{token}/",
        "WORKSET_TABLE_NAME": f"daylily-worksets-{token}",
        "CUSTOMER_TABLE_NAME": f"daylily-worksets-{token}-customers",
        "DAYLILY_HOME": str(tmp_path / "home"),
        "DAYLILY_CONFIG": os.devnull,
        "DAYLILY_ENGINE": "memory",
        "DAYLILY_PORT": "0",
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    create_table(dynamodb, environ["WORKSET_TABLE_NAME"])
    create_customer_table(dynamodb, environ["CUSTOMER_TABLE_NAME"])
    create_document_table(dynamodb, f"{environ['WORKSET_TABLE_NAME']}-documents")
    settings, clock = load({}).settings, ManualClock(utc_now())
    world = evolve(connect(settings), clock=clock, compute=InMemoryCompute(clock))
    app = compose(evolve(settings, workers=1), world)
    world.customers.add(Customer(customer_id="local", name="Local"))
    with TestClient(create_asgi(app, admin_token=TOKEN), base_url="http://127.0.0.1:8000") as client:
        client.headers["authorization"] = f"Bearer {TOKEN}"
        assert client.put(f"{MINE}/files/a_R1.fastq", content=READS).status_code == 201
        yield Site(app, clock, client, *lines)
    world.close()
    for line in lines:
        line.close()


def test_the_bucket_is_away_for_an_hour(site: Site) -> None:
    """What is submitted meanwhile is accepted; when it is back, a directory is made, and it is run."""
    with site.bucket.cut():
        made = site.client.post(f"{MINE}/worksets", json=BODY)
        assert made.status_code == 201, made.text
        workset_id = made.json()["workset_id"]
        assert site.app.cycle().faults
        assert site.client.get(f"{MINE}/worksets/{workset_id}").json()["state"] == "ready"
        site.clock.advance(timedelta(hours=1))
        assert site.app.cycle().faults
    assert site.objects() == []

    site.clock.advance(timedelta(hours=1))
    site.app.cycle()
    assert {key.rpartition("/")[2] for key in site.objects()} >= {
        *("daylily_work.yaml", "daylily_info.yaml", "stage_samples.tsv", "a_R1.fastq"),
        *(Sentinel.READY, Sentinel.IN_PROGRESS),
    }
    site.app.cycle()
    workset = site.app.world.store.get(workset_id)
    assert (workset.state, workset.debts) == (State.COMPLETE, ())
    assert set(site.app.world.sentinels.look(workset_id).sentinels) == {Sentinel.COMPLETE}


def test_the_table_is_away(site: Site) -> None:
    """Whoever asks hears so, in a line or by 503; nothing is half written, and no queue looks empty."""
    with site.table.cut():
        for answer in (
            site.client.post(f"{MINE}/worksets", json=BODY),
            site.client.get(f"{MINE}/worksets"),
            site.client.get(f"{MINE}/worksets/trio-0123456789"),
        ):
            assert answer.status_code == 503, answer.text
            assert answer.headers["content-type"] == "application/problem+json"
            assert "127.0.0.1" not in answer.text
        for command in (
            ["list"],
            ["ledger", "check"],
            ["monitor", "--once"],
        ):
            done = CliRunner().invoke(cli, command, catch_exceptions=False)
            assert done.exit_code == 5, done.output
            assert "dynamodb does not answer" in done.stderr
            assert "Traceback" not in done.stderr
    assert (site.rows(), site.objects()) == ([], [])

    made = site.client.post(f"{MINE}/worksets", json=BODY)
    assert made.status_code == 201, made.text
    assert site.rows() == [made.json()["workset_id"]]
    done = CliRunner().invoke(cli, ["list", "--json"], catch_exceptions=False)
    (listed,) = json.loads(done.stdout)["worksets"]
    assert listed["workset_id"] == made.json()["workset_id"]
