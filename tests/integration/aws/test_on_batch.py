"""A workset on AWS Batch, chosen by settings: moto's queue, a real S3, processes for containers."""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from moto.batch.models import Job as MotoJob
from moto.moto_api import state_manager
from moto.server import ThreadedMotoServer
from tests.integration.aws.engines import Endpoint
from tests.integration.aws.moto.batch_machines import DEFINITION, QUEUE, a_queue
from tests.integration.reads import measured, results

from daylily.adapters.aws.clients import Clients
from daylily.bootstrap import bootstrap, own_customer
from daylily.config import load
from daylily.domain.lifecycle import State
from daylily.entrypoints.cli import cli

pytestmark = pytest.mark.engine


@pytest.fixture
def environ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, s3_endpoint: Endpoint, bucket: str
) -> Iterator[dict[str, str]]:
    """Return what chooses the engine; its containers run on this machine."""
    keys = tmp_path / "credentials"
    keys.write_text(
        f"[default]\naws_access_key_id={s3_endpoint.access_key}\n"
        f"aws_secret_access_key={s3_endpoint.secret_key}\n"
    )
    jobs: list[MotoJob] = []

    def run(job: MotoJob) -> None:
        jobs.append(job)
        given = job.container_overrides
        role = {"PATH": "/usr/bin:/bin", "AWS_SHARED_CREDENTIALS_FILE": str(keys)}
        told = {each["name"]: each["value"] for each in given["environment"]}
        job.status = "RUNNING"
        with (tmp_path / "container.log").open("wb") as log:
            job.exit_code = subprocess.call(
                given["command"],
                env=role | told | {"AWS_BATCH_JOB_ID": job.job_id},
                cwd="/",
                stdout=log,
                stderr=log,
            )
        job._mark_stopped(success=job.exit_code == 0)

    monkeypatch.setattr(MotoJob, "run", run)
    state_manager.set_transition("batch::job", {"progression": "manual", "times": 1 << 30})
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    chosen = {
        "AWS_SHARED_CREDENTIALS_FILE": str(keys),
        "AWS_ENDPOINT_URL_S3": s3_endpoint.url,
        "AWS_ENDPOINT_URL_BATCH": f"http://{host}:{port}",
        "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": f"http://{host}:{port}",
        "AWS_ENDPOINT_URL_IAM": f"http://{host}:{port}",
        "AWS_REGION": "us-east-1",
        "S3_BUCKET": bucket,
        "S3_PREFIX": f"{uuid.uuid4().hex[:8]}/",
        "WORKSET_TABLE_NAME": "none",
        "DAYLILY_HOME": str(tmp_path),
        "DAYLILY_ENGINE": "batch",
        "DAYLILY_ENGINE_PYTHON": sys.executable,
        "DAYLILY_BATCH_QUEUE": QUEUE,
        "DAYLILY_BATCH_DEFINITION": DEFINITION,
    }
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    clients = Clients(region="us-east-1")
    a_queue(clients.batch(), clients._client("iam", None))
    yield chosen
    for job in jobs:
        job.join()
    server.stop()
    state_manager.unset_transition("batch::job")


def test_fastq_qc_on_batch(environ: dict[str, str]) -> None:
    """Reads in S3 go through the shipped pipeline in a container, and the report is in S3, summed."""
    checked = CliRunner().invoke(cli, ["doctor"])
    assert "batch answers" in checked.output, checked.output
    assert f"{QUEUE} takes jobs" in checked.output

    app = bootstrap(load({}, environ).settings)
    app.world.customers.add(own_customer(app.settings))
    now = measured(app)

    assert now.state is State.COMPLETE, (Path(environ["DAYLILY_HOME"]) / "container.log").read_text()
    assert {"report.html", "manifest.sha256"} <= results(app, now)
    assert list(now.outcomes) == ["A"]
    listing = CliRunner().invoke(cli, ["logs", now.workset_id])
    assert listing.exit_code == 0, listing.output
    app.world.close()
