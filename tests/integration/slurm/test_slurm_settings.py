"""The engine slurm, chosen by settings alone, below the local store."""

import time
from pathlib import Path

import pytest
from tests.integration.slurm.cluster import Cluster

from daylily.application.submit_workset import Submission
from daylily.bootstrap import bootstrap
from daylily.config import load
from daylily.domain.customers import Principal
from daylily.domain.lifecycle import TERMINAL, State
from daylily.domain.manifest import FastqPair, Sample
from daylily.testing.contracts.compute import DEADLINE

pytestmark = pytest.mark.slurm

ROOT = Path(__file__).parents[3]
READS = ROOT / "examples" / "fastq-qc" / "reads"


def test_fastq_qc_on_slurm(slurm: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workset of real reads goes through the shipped pipeline on Slurm; its report is there."""
    monkeypatch.setenv("SLURM_CONF", slurm.environment["SLURM_CONF"])
    environ = {
        "DAYLILY_HOME": str(tmp_path),
        "DAYLILY_ENGINE": "slurm",
        "DAYLILY_SLURM_FOLDER": str(slurm.home / "jobs"),
    }
    app = bootstrap(load({}, environ).settings)
    ada = Principal(name="ada", customer_id="local")
    files = sorted(READS.glob("*.fastq.gz"))[:2]
    for file in files:
        with file.open("rb") as source:
            app.files.put(ada, "local", file.name, source)
    sample = Sample(sample_id="A", pairs=(FastqPair(files[0].name, files[1].name),))
    workset = app.submit(
        ada, "local", Submission(name="on slurm", pipeline="fastq-qc", samples=(sample,))
    )

    end = time.monotonic() + DEADLINE
    while (now := app.read.get(ada, workset.workset_id)).state not in TERMINAL:
        assert time.monotonic() < end, now
        report = app.cycle()
        assert not report.faults
        time.sleep(0.2)

    assert now.state is State.COMPLETE
    found = {info.key for info in app.read.results(ada, workset.workset_id).items}
    assert any(key.endswith("report.html") for key in found)
    app.world.close()
