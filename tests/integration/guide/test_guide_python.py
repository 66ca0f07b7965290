"""Every Python block of the guide runs as it is printed."""

import hashlib
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.integration.guide.guide import GUIDE, Block, blocks
from tests.integration.guide.world import BUCKET, Site

from daylib.workset_integration import WorksetIntegration

PYTHON = blocks("python")
PRINTED = "4890a9c51d452bf7a8feaae463aa18852365544b3e9aea1b8a8d318bd58df49a"


@pytest.fixture(autouse=True)
def _here(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this process see what processes of the site see."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "DAYLILY_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in site.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("LINEAR_API_KEY")
    monkeypatch.delenv("LINEAR_TEAM_ID")
    # "Or whatever the environment says", for the block that says nothing.
    monkeypatch.setenv("S3_BUCKET", BUCKET)


def run(block: Block) -> dict[str, Any]:
    """Run a block, and return the names it has made."""
    names: dict[str, Any] = {}
    # Its lines are those of the guide, should it fail.
    source = "\n" * (block.line - 1) + block.text
    exec(compile(source, str(GUIDE), "exec"), names)  # noqa: S102 - the guide's own code
    return names


def test_the_guide_is_as_it_was_printed() -> None:
    """It is the promise: what does not fit is mended elsewhere."""
    assert hashlib.sha256(GUIDE.read_bytes()).hexdigest() == PRINTED
    assert len(PYTHON) == 3


def test_a_workset_is_registered(site: Site) -> None:
    """In the table and in the bucket, ready to run; the ``...`` leaves samples to the directory."""
    names = run(PYTHON[0])

    row = site.row("customer-ws-001")
    assert (row["state"], row["priority"]) == ("ready", "normal")
    assert (row["bucket"], row["prefix"]) == (BUCKET, "worksets/customer-ws-001/")
    assert site.names("customer-ws-001") == {
        *("daylily_work.yaml", "daylily_info.yaml", "stage_samples.tsv", "sample_data/.hold"),
        "daylily.ready",
    }
    integration = names["integration"]
    assert isinstance(integration, WorksetIntegration)
    (ready,) = integration.get_ready_worksets()
    assert ready["workset_id"] == "customer-ws-001"
    assert ready["metadata"]["reference_genome"] == "GRCh38"


def test_it_may_be_run_twice(site: Site) -> None:
    """The second time registers nothing, and changes nothing (D-10)."""
    run(PYTHON[0])
    first, there = site.row("customer-ws-001"), site.names("customer-ws-001")
    run(PYTHON[0])
    assert (site.row("customer-ws-001"), site.names("customer-ws-001")) == (first, there)


def test_the_server_takes_worksets_in(site: Site) -> None:
    """Configured by itself: what is submitted stands in the table and in the bucket."""
    app = run(PYTHON[1])["app"]

    async def from_here(scope: Any, receive: Any, send: Any) -> None:
        scope["client"] = ("127.0.0.1", 50_000)
        await app(scope, receive, send)

    with TestClient(from_here, base_url="http://127.0.0.1:8000") as client:
        place = "/api/customers/local"
        content = b"@r\nACGT\n+\nIIII\n"
        assert client.put(f"{place}/files/a_R1.fastq", content=content).status_code == 201
        sample = {"sample_id": "HG002", "r1_file": "a_R1.fastq"}
        body = {"workset_name": "trio", "pipeline_type": "fastq-qc", "samples": [sample]}
        made = client.post(f"{place}/worksets", json=body)
    assert made.status_code == 201, made.text
    workset_id = made.json()["workset_id"]
    assert site.row(workset_id)["state"] == "ready"
    assert {"daylily_work.yaml", "daylily.ready", "sample_data/a_R1.fastq"} <= site.names(workset_id)


def test_a_sync_is_forced(site: Site) -> None:
    """What differs between table and bucket is mended, for one workset and for all."""
    for workset_id in ("workset-id", "workset-2"):
        WorksetIntegration(...).register_workset(workset_id)
        site.s3.delete_object(Bucket=BUCKET, Key=f"worksets/{workset_id}/daylily.ready")
    site.put("workset-id", "daylily.in_progress", b"2026-01-14T10:45:09Z")
    site.put("workset-id", "daylily.error", b"step 3 failed")

    run(PYTHON[2])

    for workset_id in ("workset-id", "workset-2"):
        assert site.row(workset_id)["state"] == "ready"
        sentinels = {name for name in site.names(workset_id) if name.startswith("daylily.")}
        assert sentinels == {"daylily.ready"}


def test_a_sync_of_nothing(site: Site) -> None:
    """Without such a workset there is nothing to be mended, and nothing is."""
    run(PYTHON[2])
    assert site.row("workset-id") == {}
    assert site.names("workset-id") == set()
