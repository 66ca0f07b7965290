"""The whole of Daylily on AWS, chosen by the guide's variables: real stores, real jobs, real reads."""

import hashlib
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.integration.aws.engines import Endpoint

from daylily.adapters.aws.schema import create_customer_table, create_document_table, create_table
from daylily.application.submit_workset import Submission
from daylily.bootstrap import App, bootstrap
from daylily.config import load
from daylily.domain.customers import Customer, Principal
from daylily.domain.lifecycle import TERMINAL, State
from daylily.domain.manifest import FastqPair, Sample
from daylily.domain.workset import Workset
from daylily.testing.contracts.compute import DEADLINE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.engine

READS = Path(__file__).parents[3] / "examples" / "fastq-qc" / "reads"
ADA = Principal(name="ada", customer_id="acme")


@pytest.fixture
def app(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    dynamodb: "DynamoDBClient",
    dynamodb_endpoint: Endpoint,
    s3_endpoint: Endpoint,
    bucket: str,
) -> Iterator[App]:
    """Return an App made of nothing but the environment."""
    keys = tmp_path / "credentials"
    keys.write_text(
        f"[default]\naws_access_key_id={s3_endpoint.access_key}\n"
        f"aws_secret_access_key={s3_endpoint.secret_key}\n"
    )
    table = f"daylily-worksets-{uuid.uuid4().hex[:8]}"
    environ = {
        "AWS_SHARED_CREDENTIALS_FILE": str(keys),
        "AWS_ENDPOINT_URL_DYNAMODB": dynamodb_endpoint.url,
        "AWS_ENDPOINT_URL_S3": s3_endpoint.url,
        "AWS_REGION": "us-east-1",
        "S3_BUCKET": bucket,
        "S3_PREFIX": f"{uuid.uuid4().hex[:8]}/",
        "WORKSET_TABLE_NAME": table,
        "DAYLILY_HOME": str(tmp_path),
    }
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    create_table(dynamodb, table)
    create_customer_table(dynamodb, f"{table}-customers")
    create_document_table(dynamodb, f"{table}-documents")
    app = bootstrap(load({}, environ).settings)
    app.world.customers.add(Customer(customer_id="acme", name="Acme"))
    yield app
    app.world.close()


def _upload(app: App, name: str, content: bytes) -> str:
    path = app.settings.home / name
    path.write_bytes(content)
    with path.open("rb") as file:
        app.files.put(ADA, "acme", name, file)
    return name


def _submit(app: App, **pairs: FastqPair) -> Workset:
    samples = tuple(Sample(sample_id=name, pairs=(pair,)) for name, pair in pairs.items())
    return app.submit(ADA, "acme", Submission(name="reads", pipeline="fastq-qc", samples=samples))


def _run(app: App, workset: Workset) -> Workset:
    end = time.monotonic() + DEADLINE
    while (now := app.read.get(ADA, workset.workset_id)).state not in TERMINAL:
        assert time.monotonic() < end, now
        report = app.cycle()
        assert not report.faults
        time.sleep(0.1)
    return now


def test_fastq_qc_on_s3(app: App) -> None:
    """Reads go up, the report comes back with its checksums, and both ledgers say complete."""
    names = [path.name for path in sorted(READS.glob("LAMBDA-A*.gz"))]
    for name in names:
        _upload(app, name, (READS / name).read_bytes())

    done = _run(app, _submit(app, A=FastqPair(names[0], names[1])))

    assert done.state is State.COMPLETE
    assert not done.debts
    shown = app.world.sentinels.look(done.workset_id).sentinels
    assert [str(name) for name in shown] == ["daylily.complete"]
    results = {info.key for info in app.read.results(ADA, done.workset_id).items}
    assert {"report.html", "summary.tsv", "manifest.sha256"} <= results
    with app.read.open_result(ADA, done.workset_id, "manifest.sha256") as file:
        lines = file.read().decode().splitlines()
    sums = {key: digest for digest, _, key in (line.partition("  ") for line in lines)}
    assert sums.keys() == results - {"manifest.sha256"}
    with app.read.open_result(ADA, done.workset_id, "summary.tsv") as file:
        assert hashlib.sha256(file.read()).hexdigest() == sums["summary.tsv"]


def test_damaged_sample_on_s3(app: App) -> None:
    """A damaged sample fails by name, and the results of the sound one come back all the same."""
    names = [path.name for path in sorted(READS.glob("LAMBDA-A*.gz"))]
    for name in names:
        _upload(app, name, (READS / name).read_bytes())
    cut = _upload(app, "cut_R1.fastq.gz", (READS / names[0]).read_bytes()[:-200])

    done = _run(app, _submit(app, A=FastqPair(names[0], names[1]), B=FastqPair(cut, None)))

    assert done.state is State.ERROR
    assert "cut_R1.fastq.gz" in done.attempts[-1].failure.message  # type: ignore[union-attr]
    results = {info.key for info in app.read.results(ADA, done.workset_id).items}
    assert {"summary.tsv", "manifest.sha256"} <= results
